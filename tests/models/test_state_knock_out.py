"""A memory within the model's states: weights in plain mathematics, knock-outs by whole plain passes."""

import copy
import math
from collections.abc import Mapping

import pytest
import torch
from infact.models import state_knock_out
from infact.models.answered_prompt import AnsweredPrompt, answered_prompt
from infact.models.attention_fusion import AttentionFusion, FactAttention
from infact.models.attention_weights import read_answer, weights_returned
from infact.models.fact_memory import TokenFact, build_fact_memory
from infact.models.fused_model import FactReading, FusedModel
from infact.models.fusion_strategy import FusionSizes
from infact.models.memory_knock_out import MemoryReading
from infact.models.read_out import own_read_out
from infact.models.state_knock_out import read_states_memory
from torch import Tensor, nn

PROMPT, ANSWER = "Question: Which city is the capital of Norway?\nAnswer:", "Oslo, Norway"
HIDDEN, VECTOR, HEADS, KEY = 32, 5, 2, 4


class Silent(AttentionFusion):
    """A strategy that doesn't say what it attends to."""

    @property
    def softmaxes(self) -> dict[int, nn.Module]:
        return {}


def adapter(kind: type[AttentionFusion] = AttentionFusion) -> AttentionFusion:
    generator = torch.Generator().manual_seed(3)
    made = kind(
        FusionSizes(HIDDEN, VECTOR, (0, 1), HEADS, KEY),
        torch.randn(3, HIDDEN, generator=generator),
        torch.randn(4, VECTOR, generator=generator),
    )
    with torch.no_grad():
        for value in made.parameters():
            value.copy_(torch.randn(value.shape, generator=generator) / 2)
    return made.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def answered(tiny_tokenizer) -> AnsweredPrompt:
    return answered_prompt(tiny_tokenizer, PROMPT, ANSWER, [])


@pytest.fixture
def read_from(answered: AnsweredPrompt) -> list[int]:
    """Some facts may be read earlier than others, one by the answer alone."""
    return [answered.answering - 2, answered.answering - 5, answered.answering - 2, answered.first]


def told(model, fusion, facts, read_from) -> FactReading:
    """One request, padded as it would be beside another with more facts."""
    memory = build_fact_memory([facts, [*facts, TokenFact(1, 0, (9, 8, 7, 6, 5))]])
    alone = memory.select(torch.tensor([0]))
    return FactReading(model, fusion, alone, torch.tensor([[*read_from, 0]]))


def found(model, answered, reading: FactReading) -> MemoryReading:
    with weights_returned(model), reading.session() as fused:
        return read_states_memory(fused, reading, read_answer(model, answered), own_read_out)


@torch.inference_mode()
def plain_score(model, answered, fusion, facts, read_from) -> float:
    """The answer's log-probability by one pass over the whole text, without a cache."""
    fused = FusedModel(model, fusion)
    try:
        with fused.session(build_fact_memory([facts]), torch.tensor([read_from])):
            logits = fused(input_ids=torch.tensor([answered.tokens])).logits[0]
    finally:
        fused.detach()
    table = logits.float().log_softmax(dim=-1)
    places = range(answered.answering, len(answered.tokens) - 1)
    return sum(float(table[place, answered.tokens[place + 1]]) for place in places)


def test_taking_a_fact_out_is_a_memory_without_it(tiny_model, answered, facts, read_from) -> None:
    fusion = adapter()
    read = found(tiny_model, answered, told(tiny_model, fusion, facts, read_from))
    whole = plain_score(tiny_model, answered, fusion, facts, read_from)
    assert read.score == pytest.approx(whole, abs=1e-4)
    for at in range(len(facts)):
        others = [facts[n] for n in range(len(facts)) if n != at]
        places = [read_from[n] for n in range(len(facts)) if n != at]
        expected = plain_score(tiny_model, answered, fusion, others, places)
        assert read.without[at].item() == pytest.approx(expected, abs=1e-4)
    assert (read.without - read.score).abs().min() > 1e-3
    nothing = plain_score(tiny_model, answered, fusion, [], [0])
    assert read.without_all == pytest.approx(nothing, abs=1e-4)


def test_a_silent_layer_is_one_that_gives_nothing(tiny_model, answered, facts, read_from) -> None:
    fusion = adapter()
    read = found(tiny_model, answered, told(tiny_model, fusion, facts, read_from))
    assert [layer.layer for layer in read.layers] == [0, 1]
    for layer in read.layers:
        without = copy.deepcopy(fusion)
        with torch.no_grad():
            without.readers[str(layer.layer)].reader.copied.zero_()
        expected = plain_score(tiny_model, answered, without, facts, read_from)
        assert layer.without == pytest.approx(expected, abs=1e-4)
        assert abs(layer.without - read.score) > 1e-3


def test_weights_are_the_formulas(tiny_model, answered, facts, read_from) -> None:
    fusion = adapter()
    reading = told(tiny_model, fusion, facts, read_from)
    read = found(tiny_model, answered, reading)
    states = _states_before_reading(reading, answered)
    embed = tiny_model.get_input_embeddings().weight
    means = []
    for layer in read.layers:
        expected = _weights(fusion, layer.layer, states, answered, facts, read_from, embed)
        assert layer.weights is not None
        assert layer.weights.null == pytest.approx(float(expected[0]), abs=1e-5)
        torch.testing.assert_close(layer.weights.facts, expected[1:], atol=1e-5, rtol=1e-4)
        assert layer.weights.null + layer.weights.facts.sum().item() == pytest.approx(1, abs=1e-5)
        means.append(expected)
    assert read.weights is not None
    mean = torch.stack(means).mean(dim=0)
    torch.testing.assert_close(read.weights.facts, mean[1:], atol=1e-5, rtol=1e-4)
    assert read.weights.null == pytest.approx(float(mean[0]), abs=1e-5)


@torch.inference_mode()
def _states_before_reading(reading: FactReading, answered) -> dict[int, Tensor]:
    """By layer, the (T, D) states that it reads with, in one pass without a cache."""
    kept: dict[int, Tensor] = {}
    handles = [
        reader.register_forward_pre_hook(
            lambda module, args, layer=layer: kept.update({int(layer): args[0][0]})
        )
        for layer, reader in reading.fusion.readers.items()
    ]
    with reading.session() as fused:
        fused(input_ids=torch.tensor([answered.tokens[:-1]]))
    for handle in handles:
        handle.remove()
    return kept


def _weights(
    fusion: AttentionFusion,
    layer: int,
    states: Mapping[int, Tensor],
    answered: AnsweredPrompt,
    facts: list[TokenFact],
    read_from: list[int],
    embed: Tensor,
) -> Tensor:
    """(1 + F,) the null slot's and each fact's weight, term by term as the formula has them."""
    keys: FactAttention = fusion.readers[str(layer)]
    part = keys.reader
    total = torch.zeros(1 + len(facts))
    places = range(answered.answering, len(answered.tokens) - 1)
    for place in places:
        query = part.query(part.norm(states[layer][place])).reshape(HEADS, KEY)
        for head in range(HEADS):
            scores = [(0, float(query[head] @ part.null[head]) / math.sqrt(KEY))]
            for number, fact in enumerate(facts):
                if place < read_from[number]:
                    continue
                own = keys.relation_key(_scaled(fusion.relation_keys[fact.relation]))
                if fact.vector >= 0:
                    own = own + keys.vector_key(_scaled(fusion.object_vectors[fact.vector]))
                for before in (None, *fact.label[:-1]):
                    ahead = (
                        part.begin if before is None else part.before_key(_scaled(embed[before]))
                    )
                    key = (own + ahead).reshape(HEADS, KEY)[head]
                    score = float(query[head] @ key) / math.sqrt(KEY)
                    if answered.tokens[place] == before:
                        score += float(part.continued[head])
                    scores.append((1 + number, score))
            most = max(score for _, score in scores)
            mass = sum(math.exp(score - most) for _, score in scores)
            for slot, score in scores:
                total[slot] += math.exp(score - most) / mass / HEADS / len(places)
    return total


def _scaled(vector: Tensor) -> Tensor:
    return vector / vector.square().mean().sqrt()


def test_batches_of_one_give_the_same(
    tiny_model, answered, facts, read_from, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading = told(tiny_model, adapter(), facts, read_from)
    together = found(tiny_model, answered, reading)
    monkeypatch.setattr(state_knock_out, "TOKENS_AT_ONCE", 1)
    alone = found(tiny_model, answered, reading)
    torch.testing.assert_close(alone.without, together.without, atol=1e-4, rtol=1e-4)
    assert alone.weights is not None
    assert together.weights is not None
    torch.testing.assert_close(alone.weights.facts, together.weights.facts)
    for one, other in zip(alone.layers, together.layers, strict=True):
        assert one.without == pytest.approx(other.without, abs=1e-4)


def test_a_strategy_that_tells_no_attention_is_knocked_out_all_the_same(
    tiny_model, answered, facts, read_from
) -> None:
    expected = found(tiny_model, answered, told(tiny_model, adapter(), facts, read_from))
    read = found(tiny_model, answered, told(tiny_model, adapter(Silent), facts, read_from))
    torch.testing.assert_close(read.without, expected.without)
    assert read.weights is None
    assert [layer.weights for layer in read.layers] == [None, None]


def test_nothing_is_left_on_the_model(tiny_model, answered, facts, read_from) -> None:
    tokens = torch.tensor([answered.tokens])
    before = tiny_model(input_ids=tokens).logits
    fusion = adapter()
    with weights_returned(tiny_model):
        read_answer(tiny_model, answered)  # the library leaves hooks of its own, once
    hooks = [dict(module._forward_hooks) for module in tiny_model.modules()]
    found(tiny_model, answered, told(tiny_model, fusion, facts, read_from))
    assert torch.equal(tiny_model(input_ids=tokens).logits, before)
    assert [dict(module._forward_hooks) for module in tiny_model.modules()] == hooks
    assert not any(module._forward_hooks for module in fusion.softmaxes.values())
