"""Memory slots: weights and leave-one-out effects against memories built without each fact."""

import pytest
import torch
from infact.models.answered_prompt import answered_prompt
from infact.models.attention_weights import read_answer, weights_returned
from infact.models.fact_memory import build_fact_memory
from infact.models.knock_out import SpanBlocked, knocked_out_scores
from infact.models.label_pointer import PointerReadOut, PointerSizes
from infact.models.late_fusion import LateFusion
from infact.models.memory_knock_out import read_memory
from infact.models.read_out import own_read_out

PROMPT, ANSWER = "Question: Which city is the capital of Norway?\nAnswer:", "Oslo, Norway"


@pytest.fixture(scope="module")
def fusion() -> LateFusion:
    generator = torch.Generator().manual_seed(3)
    top = LateFusion(
        PointerSizes(32, 5, 8),
        torch.randn(3, 32, generator=generator),
        torch.randn(4, 5, generator=generator),
    )
    with torch.no_grad():
        for value in top.parameters():
            value.copy_(torch.randn(value.shape, generator=generator))
    return top.eval().requires_grad_(False)


def plain_score(model, tokenizer, read_out) -> float:
    answered = answered_prompt(tokenizer, PROMPT, ANSWER, [])
    with weights_returned(model):
        reading = read_answer(model, answered)
        return knocked_out_scores(model, reading, [], [read_out])[0, 0].item()


def test_taking_a_fact_out_is_a_memory_without_it(
    tiny_model, tiny_tokenizer, fusion, facts
) -> None:
    read_out = PointerReadOut(tiny_model, fusion, build_fact_memory([facts]))
    answered = answered_prompt(tiny_tokenizer, PROMPT, ANSWER, [(10, 15)])
    with weights_returned(tiny_model):
        found = read_memory(tiny_model, read_answer(tiny_model, answered), read_out)
    assert found.score == pytest.approx(plain_score(tiny_model, tiny_tokenizer, read_out), abs=1e-5)
    for left_out in range(len(facts)):
        others = [fact for number, fact in enumerate(facts) if number != left_out]
        without = PointerReadOut(tiny_model, fusion, build_fact_memory([others]))
        expected = plain_score(tiny_model, tiny_tokenizer, without)
        assert found.without[left_out].item() == pytest.approx(expected, abs=1e-4)
    assert found.weights is not None
    assert found.weights.null + found.weights.facts.sum().item() == pytest.approx(1, abs=1e-5)
    assert found.without[0] < found.score, "the answer was copied from the first fact"


def test_without_its_only_fact_it_is_the_base(tiny_model, tiny_tokenizer, fusion, facts) -> None:
    read_out = PointerReadOut(tiny_model, fusion, build_fact_memory([facts[:1]]))
    answered = answered_prompt(tiny_tokenizer, PROMPT, ANSWER, [])
    with weights_returned(tiny_model):
        found = read_memory(tiny_model, read_answer(tiny_model, answered), read_out)
    base = plain_score(tiny_model, tiny_tokenizer, own_read_out)
    assert found.without.tolist() == pytest.approx([base], abs=1e-5)
    assert found.without_all == pytest.approx(base, abs=1e-5)


def test_a_fused_answer_is_knocked_out_through_its_own_read_out(
    tiny_model, tiny_tokenizer, fusion, facts
) -> None:
    """The same states, read out twice in one pass, give what each gives alone."""
    read_out = PointerReadOut(tiny_model, fusion, build_fact_memory([facts]))
    answered = answered_prompt(tiny_tokenizer, PROMPT, ANSWER, [(10, 15)])
    knock_outs = [SpanBlocked(answered.spans[0])]
    with weights_returned(tiny_model):
        reading = read_answer(tiny_model, answered)
        both = knocked_out_scores(tiny_model, reading, knock_outs, [own_read_out, read_out])
        for number, one in enumerate((own_read_out, read_out)):
            alone = knocked_out_scores(tiny_model, reading, knock_outs, [one])
            torch.testing.assert_close(both[number], alone[0])
    assert not torch.allclose(both[0], both[1])
