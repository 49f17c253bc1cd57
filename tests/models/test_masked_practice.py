"""What a fused masked model practises on, and its loss, held against whole passes and plain mathematics."""

import numpy as np
import pytest
import torch
from infact.models.answering import answer_questions
from infact.models.fact_memory import TokenFact, build_fact_memory
from infact.models.fused_model import FusedModel
from infact.models.fused_text_loss import practice_loss
from infact.models.fusion_adapter import STRATEGIES
from infact.models.fusion_training import answer_states, fusion_rows
from infact.models.label_tokens import label_tokens
from infact.models.language_model import LanguageModel
from infact.models.masked_scoring import pseudo_log_likelihoods
from infact.models.mention_places import mention_places, padded_places
from infact.models.posed_questions import Posed
from infact.models.practice_batches import drawn_batch, practice_states
from infact.models.practice_texts import PracticeText, epoch_of_texts, practice_texts
from infact.models.read_out import own_read_out

from .conftest import World
from .test_practice_texts import fused, ignore, read


def facts_of(masked: LanguageModel, world: World, number: int) -> list[TokenFact]:
    """A world's facts with labels as the masked model's tokenizer has them."""
    relations = [fact.relation for fact in world.facts[number]]
    return [
        TokenFact(relation, -1, label_tokens(masked.tokenizer, f"label {relation}", "masked"))
        for relation in relations
    ]


def practised(
    masked: LanguageModel, world: World, count: int, strategy: str = "attention"
) -> list[PracticeText]:
    found = []
    for number in range(count):
        prompt, facts = world.prompts[number], facts_of(masked, world, number)
        placed = read(strategy, masked.tokenizer, prompt, facts)
        found += practice_texts(
            "masked", masked.tokenizer, placed, world.answers[number], facts, number % 4
        )
    return found


def test_each_token_of_an_answer_is_a_text_that_hides_it(
    tiny_masked: LanguageModel, world: World
) -> None:
    tokenizer = tiny_masked.tokenizer
    texts = practised(tiny_masked, world, 1)
    whole = tokenizer(f"{world.prompts[0]} {world.answers[0]}")["input_ids"]
    alone = tokenizer(world.prompts[0])["input_ids"]
    answer = range(len(alone) - 1, len(whole) - 1)  # the prompt without its [SEP], to the whole's
    assert [text.places for text in texts] == [(place,) for place in answer]
    assert [text.targets for text in texts] == [(whole[place],) for place in answer]
    for text in texts:
        assert text.tokens[: text.places[0]] == tuple(whole[: text.places[0]])
        assert text.tokens[text.places[0]] == tokenizer.mask_token_id
        assert text.read_from == (text.read_from[0],) * 4
        until = tokenizer.decode(text.tokens[1 : text.read_from[0] + 1])
        assert until.replace(" ", "") == world.prompts[0].split(",")[0].lower().replace(" ", "")


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_loss_from_a_block_on_is_that_of_whole_passes(
    tiny_masked: LanguageModel, world: World, strategy: str
) -> None:
    base, texts = tiny_masked.model, practised(tiny_masked, world, 8, strategy)
    alone = practised(tiny_masked, world, 8)
    model = fused(base, tiny_masked.tokenizer, (1,), strategy)
    lowest = model.fusion.layers[0] if model.fusion.layers else -1
    states = practice_states(base, alone, lowest, 60, ignore)
    untaught = 0
    for draw in epoch_of_texts(texts, states.run_lengths(texts), 5, 0.4, 1, 0):
        batch = drawn_batch(texts, states, draw)
        expected = []
        for row, number in enumerate(draw.texts):
            text = texts[number]
            tokens = torch.tensor([text.tokens])
            one = torch.tensor([row])
            by_itself = base(torch.tensor([alone[number].tokens])).logits
            plain = by_itself[0, alone[number].places[0]].log_softmax(-1)
            with model.session(batch.memory.select(one), batch.read_from[one]):
                told = base(tokens).logits[0, text.places[0]].log_softmax(-1)
            if batch.taught[row]:
                expected.append(-told[text.targets[0]])
            else:
                untaught += 1
                expected.append((plain.exp() * (plain - told)).sum())
        torch.testing.assert_close(
            practice_loss(model, batch), torch.stack(expected).mean(), atol=1e-4, rtol=1e-4
        )
    assert untaught


def test_pointers_train_on_the_masked_tokens(tiny_masked: LanguageModel, world: World) -> None:
    answered = list(zip(world.prompts[:3], world.answers[:3], strict=True))
    states = answer_states(tiny_masked.model, tiny_masked.tokenizer, answered, 64, ignore)
    texts = practised(tiny_masked, world, 3)
    assert states.target.tolist() == [text.targets[0] for text in texts]
    assert states.tokens == sum(map(len, texts))
    memory = build_fact_memory([facts_of(tiny_masked, world, number) for number in range(3)])
    (rows,) = fusion_rows(tiny_masked.model, states, [memory])
    for number, text in enumerate(texts):
        logits = tiny_masked.model(torch.tensor([text.tokens])).logits[0, text.places[0]]
        chance = logits.log_softmax(-1)[text.targets[0]]
        torch.testing.assert_close(rows.base_target[number], chance, atol=1e-5, rtol=1e-4)
        assert rows.positions.current[number] == text.tokens[text.places[0] - 1]


def posed(world: World, count: int) -> list[Posed]:
    options = tuple(dict.fromkeys(world.answers))[:5]
    return [Posed(world.prompts[number], options, number, True) for number in range(count)]


def test_a_question_is_scored_as_its_statements_are_and_writes_nothing(
    tiny_masked: LanguageModel, world: World
) -> None:
    questions, model, tokenizer = posed(world, 6), tiny_masked.model, tiny_masked.tokenizer
    (found,) = answer_questions(model, tokenizer, questions, [own_read_out], 4, 64, ignore)
    expected = pseudo_log_likelihoods(
        model,
        tokenizer,
        [question.options for question in questions],
        [f"{question.prompt} " for question in questions],
        64,
    )
    for answered, plain, question in zip(found, expected, questions, strict=True):
        np.testing.assert_allclose(answered.scores, plain, atol=1e-4)
        assert answered.text is None
        assert answered.tokens == len(tokenizer(question.prompt)["input_ids"])
    (alone,) = answer_questions(model, tokenizer, questions[3:4], [own_read_out], 4, 9, ignore)
    assert np.array_equal(alone[0].scores, found[3].scores)


def test_a_fused_models_questions_read_their_own_facts(
    tiny_masked: LanguageModel, world: World
) -> None:
    questions = posed(world, 3)
    facts = [facts_of(tiny_masked, world, 0), [], facts_of(tiny_masked, world, 2)]
    memory = build_fact_memory(facts)
    places = [
        mention_places(
            tiny_masked.tokenizer, question.prompt, [question.prompt.index(",")] * len(own)
        )
        for question, own in zip(questions, facts, strict=True)
    ]
    read_from = padded_places(places, memory.relation.shape[1])
    model: FusedModel = fused(tiny_masked.model, tiny_masked.tokenizer, (0, 1), "attention")
    arguments = (tiny_masked.model, tiny_masked.tokenizer)
    with model.session(memory, read_from):
        (told,) = answer_questions(*arguments, questions, [own_read_out], 4, 64, ignore)
        (turned,) = answer_questions(*arguments, questions[::-1], [own_read_out], 4, 64, ignore)
    (plain,) = answer_questions(*arguments, questions, [own_read_out], 4, 64, ignore)
    model.detach()
    for number in range(3):
        assert np.array_equal(told[number].scores, turned[2 - number].scores)
        same = np.allclose(told[number].scores, plain[number].scores, atol=1e-5)
        assert same == (number == 1)
