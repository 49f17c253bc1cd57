"""What a fused model practises on, and its loss, held against whole passes and plain mathematics."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from infact.models.early_fusion import EarlyFusion
from infact.models.fact_memory import PADDING, TokenFact
from infact.models.fused_model import FusedModel
from infact.models.fused_text_loss import practice_loss
from infact.models.fusion_adapter import STRATEGIES
from infact.models.fusion_strategy import FusionSizes
from infact.models.mention_places import mention_places
from infact.models.placed_texts import PlacedText, place_id
from infact.models.practice_batches import answer_states, drawn_batch, practice_states
from infact.models.practice_texts import (
    PracticeText,
    epoch_of_texts,
    kept_facts,
    practice_texts,
    shared_beginning,
)

from .conftest import World


def ignore(_: int) -> None:
    pass


def practised(
    tokenizer, world: World, count: int, strategy: str = "attention"
) -> list[PracticeText]:
    return [
        text
        for number, (prompt, answer, facts) in enumerate(
            zip(world.prompts[:count], world.answers, world.facts, strict=False)
        )
        for text in practice_texts(
            "causal", tokenizer, read(strategy, tokenizer, prompt, facts), answer, facts, number % 4
        )
    ]


def read(strategy: str, tokenizer, prompt: str, facts) -> PlacedText:
    """A prompt as the strategy reads it; what it mentions ends before the comma."""
    ends = [prompt.index(",")] * len(facts)
    return STRATEGIES[strategy].readable(tokenizer, prompt, facts, ends)


def fused(model, tokenizer, layers: tuple[int, ...], strategy: str) -> FusedModel:
    torch.manual_seed(3)
    width = model.config.hidden_size
    sizes = FusionSizes(width, 4, () if strategy == "early" else layers, heads=2, key=8)
    fusion = STRATEGIES[strategy](sizes, torch.randn(4, width), torch.zeros(1, 4))
    for name, weights in fusion.named_parameters():
        if name.endswith(("copied", "null", "gate", "none")):
            torch.nn.init.normal_(weights)
    if isinstance(fusion, EarlyFusion):
        fusion.place.fill_(place_id(tokenizer))
    return FusedModel(model, fusion)


def test_an_answer_is_predicted_with_its_line_end_and_facts_are_read_from_their_mention_on(
    tiny_tokenizer, world
) -> None:
    (text, *_) = practised(tiny_tokenizer, world, 4)
    assert tiny_tokenizer.decode(text.targets) == f" {world.answers[0]}\n"
    assert [text.tokens[place + 1] for place in text.places] == list(text.targets)
    assert text.read_from == (text.read_from[0],) * 4
    until = tiny_tokenizer.decode(text.tokens[: text.read_from[0] + 1])
    before = tiny_tokenizer.decode(text.tokens[: text.read_from[0]])
    assert before < world.prompts[0].split(",")[0] <= until


@given(st.text(min_size=1, max_size=30), st.data())
def test_a_mention_ends_in_the_token_that_ends_its_last_character(
    tiny_tokenizer, text, data
) -> None:
    end = data.draw(st.integers(1, len(text)))
    (place,) = mention_places(tiny_tokenizer, text, [end])
    offsets = tiny_tokenizer(text, return_offsets_mapping=True)["offset_mapping"]
    assert offsets[place][1] >= end
    # Of the tokens that hold the character, one if it isn't several bytes, it's the last.
    assert all(last < end or last == offsets[place][1] for _, last in offsets[:place])
    assert all(start >= end for start, _ in offsets[place + 1 :])


def test_a_mention_beyond_the_text_is_an_error(tiny_tokenizer) -> None:
    with pytest.raises(ValueError, match="beyond the text's 4"):
        mention_places(tiny_tokenizer, "Oslo", [5])


def plain_loss(
    model: FusedModel, texts: list[PracticeText], alone: list[PracticeText], draw, batch
) -> torch.Tensor:
    """The module's formula, text by text and token by token, each text run whole.

    Args: `alone`: the texts as the base reads them.
    """
    losses = []
    for row, (number, kept) in enumerate(zip(draw.texts, draw.kept, strict=True)):
        text, one = texts[number], torch.tensor([row])
        plain = model.base(torch.tensor([alone[number].tokens])).logits[0].log_softmax(-1)
        with model.session(batch.memory.select(one), batch.read_from[one]):
            told = model.base(torch.tensor([text.tokens])).logits[0].log_softmax(-1)
        taught = text.relation in [text.facts[fact].relation for fact in kept]
        for there, place, target in zip(
            alone[number].places, text.places, text.targets, strict=True
        ):
            divergence = (plain[there].exp() * (plain[there] - told[place])).sum()
            losses.append(-told[place, target] if taught else divergence)
    return torch.stack(losses).mean()


def gradients(model: FusedModel, loss: torch.Tensor) -> list[torch.Tensor]:
    trained = [weights for weights in model.fusion.parameters() if weights.requires_grad]
    return list(torch.autograd.grad(loss, trained, materialize_grads=True))


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("layers", [(0, 1), (1,)])
def test_the_loss_and_its_gradients_are_those_of_whole_passes(
    tiny_model, tiny_tokenizer, world, layers: tuple[int, ...], strategy: str
) -> None:
    texts = practised(tiny_tokenizer, world, 12, strategy)
    alone = practised(tiny_tokenizer, world, 12)
    model = fused(tiny_model, tiny_tokenizer, layers, strategy)
    lowest = model.fusion.layers[0] if model.fusion.layers else -1
    beginnings = list(map(shared_beginning, alone, texts))
    states = practice_states(tiny_model, alone, lowest, 60, ignore, beginnings)
    assert (states.begun is not None) == (strategy == "early")
    untaught = 0
    for draw in epoch_of_texts(texts, states.run_lengths(texts), 5, 0.4, 1, 0):
        batch = drawn_batch(texts, states, draw)
        untaught += int((~batch.taught).sum())
        found = practice_loss(model, batch)
        expected = plain_loss(model, texts, alone, draw, batch)
        torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)
        for fast, slow in zip(gradients(model, found), gradients(model, expected), strict=True):
            torch.testing.assert_close(fast, slow, atol=1e-4, rtol=1e-3)
    assert untaught


@pytest.mark.parametrize("weight", [0.3, 1.0])
def test_where_facts_stand_in_the_prompt_the_base_says_what_is_learnt(
    tiny_model, tiny_tokenizer, world, weight: float
) -> None:
    """The module's formula, place by place, beside the loss with the answers' weight that is left."""
    texts = practised(tiny_tokenizer, world, 12)
    told = [
        text
        for prompt, answer in zip(world.prompts[:12], world.answers, strict=False)
        for text in practice_texts(
            "causal",
            tiny_tokenizer,
            PlacedText(f"Facts: {answer}.\n\n{prompt}", (), ()),
            answer,
            (),
            0,
        )
    ]
    model = fused(tiny_model, tiny_tokenizer, (0, 1), "attention")
    states = practice_states(tiny_model, texts, 0, 60, ignore)
    states = replace(states, prompted=answer_states(tiny_model, told, 60, ignore))
    for draw in epoch_of_texts(texts, states.run_lengths(texts), 5, 0.4, 1, 0):
        batch = drawn_batch(texts, states, draw)
        added = []
        for row, (number, kept) in enumerate(zip(draw.texts, draw.kept, strict=True)):
            text, prompted, one = texts[number], told[number], torch.tensor([row])
            taught = text.relation in [text.facts[fact].relation for fact in kept]
            assert prompted.targets == text.targets
            plain = model.base(torch.tensor([prompted.tokens])).logits[0].log_softmax(-1)
            with model.session(batch.memory.select(one), batch.read_from[one]):
                own = model.base(torch.tensor([text.tokens])).logits[0].log_softmax(-1)
            for there, place, target in zip(
                prompted.places, text.places, text.targets, strict=True
            ):
                divergence = (plain[there].exp() * (plain[there] - own[place])).sum()
                added.append(weight * (divergence + own[place, target]) * taught)
        expected = plain_loss(model, texts, texts, draw, batch) + torch.stack(added).mean()
        torch.testing.assert_close(
            practice_loss(model, batch, weight), expected, atol=1e-4, rtol=1e-4
        )


def test_an_epoch_holds_every_text_once_and_depends_on_its_number(
    tiny_model, tiny_tokenizer, world
) -> None:
    texts = practised(tiny_tokenizer, world, 20)
    lengths = [len(text) for text in texts]
    first, again, second = (
        epoch_of_texts(texts, lengths, 6, 0.3, 0, number) for number in (0, 0, 1)
    )
    for draws in (first, second):
        assert sorted(number for draw in draws for number in draw.texts) == list(range(20))
    assert first == again
    assert first != second


def test_a_batch_holds_the_facts_that_stay_and_knows_what_they_tell(
    tiny_model, tiny_tokenizer, world
) -> None:
    texts = practised(tiny_tokenizer, world, 20)
    states = practice_states(tiny_model, texts, 0, 4096, ignore)
    for draw in epoch_of_texts(texts, states.run_lengths(texts), 6, 0.5, 0, 0):
        batch = drawn_batch(texts, states, draw)
        for row, (number, kept) in enumerate(zip(draw.texts, draw.kept, strict=True)):
            text = texts[number]
            relations = [text.facts[fact].relation for fact in kept]
            padding = [PADDING] * (batch.memory.relation.shape[1] - len(kept))
            assert batch.memory.relation[row].tolist() == relations + padding
            assert (batch.read_from[row, : len(kept)] == text.read_from[0]).all()
            of_row = batch.at.rows == row
            assert batch.taught[of_row].tolist() == [text.relation in relations] * int(of_row.sum())


def test_a_tenth_of_the_memories_lack_what_is_asked() -> None:
    facts = tuple(TokenFact(relation, -1, (5,)) for relation in (0, 1, 1, 2))
    text = PracticeText((3, 4), (0,), (4,), facts, (0, 0, 0, 0), 1)
    random = np.random.default_rng(0)
    without = [kept_facts(text, 0.0, random) == (0, 3) for _ in range(2000)]
    assert 0.07 < np.mean(without) < 0.13
    nothing = replace(text, relation=-1)
    assert all(kept_facts(nothing, 0.0, random) == (0, 1, 2, 3) for _ in range(100))
    assert 0.25 < np.mean([len(kept_facts(nothing, 0.7, random)) / 4 for _ in range(2000)]) < 0.35
