"""A fused model is asked as any other, each question with its own facts; and it learns to read facts."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from infact.models.answering import answer_questions
from infact.models.fact_memory import build_fact_memory
from infact.models.fused_model import FusedModel
from infact.models.fused_text_loss import practice_loss
from infact.models.fusion_adapter import STRATEGIES
from infact.models.fusion_strategy import FusionSizes
from infact.models.fusion_training import text_keys
from infact.models.mention_places import padded_places
from infact.models.placed_texts import PlacedText
from infact.models.posed_questions import Posed
from infact.models.practice_batches import drawn_batch, practice_states
from infact.models.practice_texts import epoch_of_texts
from infact.models.read_out import own_read_out
from infact.models.training import Curriculum, TrainingSettings, train

from .conftest import RELATIONS, TRAINED_ON, World
from .test_practice_texts import fused, ignore, practised, read

COUNT = TRAINED_ON * len(RELATIONS)


def session_of(model: FusedModel, texts: list[PlacedText], facts):
    memory = build_fact_memory(facts)
    places = [text.read_from for text in texts]
    return model.session(memory, padded_places(places, memory.relation.shape[1]))


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("batch_tokens", [1, 70, 10_000])
def test_each_question_is_answered_from_its_own_facts_however_it_is_batched(
    tiny_model, tiny_tokenizer, world: World, batch_tokens: int, strategy: str
) -> None:
    model = fused(tiny_model, tiny_tokenizer, (0, 1), strategy)
    # Alike in their first tokens, which a model without facts would read once for all.
    beginning = "The gene is associated with the syndrome. " * 3
    names = [prompt.split(",")[0] for prompt in world.prompts[:12]]
    prompts = [f"{beginning}{name}, capital" for name in names]
    facts, options = world.facts[:12], tuple(world.answers[:5])
    texts = [read(strategy, tiny_tokenizer, *each) for each in zip(prompts, facts, strict=True)]
    prompts = [text.text for text in texts]
    with session_of(model, texts, facts):
        posed = [Posed(prompt, options, n, n % 3 == 0) for n, prompt in enumerate(prompts)]
        found = answer_questions(
            tiny_model, tiny_tokenizer, posed, [own_read_out], 5, batch_tokens, ignore
        )[0]
    plain = []
    for number, prompt in enumerate(prompts):
        start = len(tiny_tokenizer(prompt)["input_ids"])
        with session_of(model, texts[number : number + 1], [facts[number]]):
            for option, score in zip(options, found[number].scores, strict=True):
                tokens = torch.tensor([tiny_tokenizer(f"{prompt} {option}")["input_ids"]])
                chances = tiny_model(tokens).logits[0].log_softmax(-1)
                path = range(start, tokens.shape[1])
                expected = sum(float(chances[at - 1, tokens[0, at]]) for at in path)
                assert abs(expected - score) < 1e-3
            if number % 3 == 0:
                plain.append(_written(tiny_model, tiny_tokenizer, prompt))
    assert plain == [answered.text for answered in found[::3]]


def _written(model, tokenizer, prompt: str) -> str:
    tokens = tokenizer(prompt)["input_ids"]
    start = len(tokens)
    for _ in range(5):
        tokens.append(int(model(torch.tensor([tokens])).logits[0, -1].argmax()))
        said = tokenizer.decode(tokens[start:])
        if "\n" in said.lstrip():
            break
    text = tokenizer.decode(tokens[start:], skip_special_tokens=True)
    return text.lstrip().split("\n")[0].strip()


def trained(model, tokenizer, world: World, strategy: str, seed: int, folder) -> FusedModel:
    texts = practised(tokenizer, world, COUNT)
    states = practice_states(model, texts, 0, 4096, ignore)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        keys = text_keys(model, tokenizer, RELATIONS)
        sizes = FusionSizes(keys.shape[1], 4, (0, 1), heads=2, key=32)
        fused_model = FusedModel(model, STRATEGIES[strategy](sizes, keys, torch.zeros(1, 4)))
        curriculum = Curriculum(
            partial(epoch_of_texts, texts, states.run_lengths(texts), 32, 0.1, 0), lambda draw: 1
        )
        settings = TrainingSettings(learning_rate=2e-2, epochs=24, checkpoint_steps=10**9)
        train(
            fused_model.fusion,
            curriculum,
            lambda _, draw: practice_loss(fused_model, drawn_batch(texts, states, draw)),
            settings,
            folder / f"{seed}.safetensors",
            ignore,
        )
    return fused_model


def share_right(model: FusedModel, tokenizer, world: World, facts) -> float:
    """Of questions on entities that were not trained on, with the entity's own objects to choose from."""
    numbers = range(COUNT, len(world.prompts))
    prompts = [world.prompts[number] for number in numbers]
    own = [facts[number] for number in numbers]
    posed = []
    for place, (number, prompt) in enumerate(zip(numbers, prompts, strict=True)):
        first = number - number % len(RELATIONS)
        options = tuple(world.answers[first : first + len(RELATIONS)])
        posed.append(Posed(prompt, options, place, False))
    texts = [read("attention", tokenizer, *each) for each in zip(prompts, own, strict=True)]
    with session_of(model, texts, own):
        found = answer_questions(model.base, tokenizer, posed, [own_read_out], 1, 2048, ignore)[0]
    right = [f.scores.argmax() == n % len(RELATIONS) for f, n in zip(found, numbers, strict=True)]
    return float(np.mean(right))


def reads_rightly(shares: list[float]) -> bool:
    told, of_others, without = shares
    return told > 0.6 and of_others < 0.2 and without < 0.5


# Early fusion isn't among them: a random model relays nothing of its input. Interactive fusion is judged by
# the median of three seeds: one of them alone came to 0.74 on one processor, 0.58 on another, and at twice
# the epochs to 0.25.
@pytest.mark.parametrize(
    ("strategy", "seeds"), [("attention", range(1)), ("interactive", range(3))]
)
def test_facts_of_new_entities_are_read_as_the_memory_tells_them(
    calm_model, tiny_tokenizer, world: World, tmp_path, strategy: str, seeds: range
) -> None:
    # Each relation with another's object: the answer follows the memory, not the name.
    turned = [
        [replace(f, label=o.label) for f, o in zip(own, own[1:] + own[:1], strict=True)]
        for own in world.facts
    ]
    nothing = [[] for _ in world.facts]
    found = []
    for seed in seeds:
        model = trained(calm_model, tiny_tokenizer, world, strategy, seed, tmp_path)
        found.append(
            [
                share_right(model, tiny_tokenizer, world, facts)
                for facts in (world.facts, turned, nothing)
            ]
        )
        model.detach()
        # The median is of most of them: where most read rightly, the others can't change it.
        if 2 * sum(map(reads_rightly, found)) > len(seeds):
            return
    assert reads_rightly(np.median(found, axis=0).tolist())
