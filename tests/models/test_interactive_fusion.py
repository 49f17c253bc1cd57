"""Nodes of facts are a set, hear of nothing ahead, and are kept for passes that go on from a cache."""

import copy

import pytest
import torch
from infact.models.fact_memory import FactMemory, TokenFact, build_fact_memory
from infact.models.fact_states import FactStates
from infact.models.fused_model import FusedModel
from infact.models.fusion_session import rows_of
from torch import Tensor

from .test_fused_model import CAUSAL, fused, texts

FACTS = [TokenFact(0, 1, (5, 6)), TokenFact(1, -1, (7,)), TokenFact(2, 0, (9, 10, 11))]
READ_FROM = [2, 6, 4]
MEMORY = build_fact_memory([FACTS])


def logits(
    model: FusedModel, tokens: Tensor, memory: FactMemory = MEMORY, places: list[int] = READ_FROM
) -> Tensor:
    with model.session(memory, torch.tensor([places])), torch.no_grad():
        found: Tensor = model(input_ids=tokens).logits
    return found


def tokens_of(row: int) -> Tensor:
    return texts()["input_ids"][row : row + 1]


@pytest.fixture(scope="module")
def model() -> FusedModel:
    return fused("Llama", "interactive")


def test_the_order_of_facts_does_not_matter(model: FusedModel) -> None:
    turned = build_fact_memory([[FACTS[2], FACTS[0], FACTS[1]]])
    expected = logits(model, tokens_of(0))
    torch.testing.assert_close(
        logits(model, tokens_of(0), turned, [4, 2, 6]), expected, atol=1e-5, rtol=1e-4
    )
    assert not torch.allclose(logits(model, tokens_of(0), turned), expected, atol=1e-3)


def test_a_fact_and_its_mention_reach_no_earlier_place(model: FusedModel) -> None:
    tokens = tokens_of(0)
    expected = logits(model, tokens)
    without = logits(model, tokens, build_fact_memory([[FACTS[0], FACTS[2]]]), [2, 4])
    torch.testing.assert_close(without[:, :6], expected[:, :6], atol=1e-5, rtol=1e-4)
    assert not torch.allclose(without[:, 6], expected[:, 6], atol=1e-3)
    other = tokens.clone()
    other[0, 6] += 1
    torch.testing.assert_close(logits(model, other)[:, :6], expected[:, :6], atol=1e-5, rtol=1e-4)


def test_nodes_hear_the_mention_and_each_other(model: FusedModel) -> None:
    tokens = tokens_of(0)
    expected = logits(model, tokens)
    for part in ("met", "joined"):
        deaf = copy.deepcopy(model.fusion)
        for exchange in deaf.exchanges.values():
            torch.nn.init.zeros_(getattr(exchange, part).weight)
        told = logits(FusedModel(fused("Llama").detach(), deaf), tokens)
        first = 2 if part == "met" else 4  # the first fact hears no other
        torch.testing.assert_close(told[:, :2], expected[:, :2])
        assert not torch.allclose(told[:, first:], expected[:, first:], atol=1e-4)


@pytest.mark.parametrize("family", CAUSAL)
@pytest.mark.parametrize("cut", [3, 5, 7])
def test_rows_of_any_request_go_on_from_a_cache(family: str, cut: int) -> None:
    """Wherever the text is cut, between its mentions too; rows are dropped, doubled and turned."""
    model = fused(family, "interactive")
    memory = build_fact_memory([FACTS, FACTS[:1], [FACTS[1], FACTS[2]]])
    places = torch.tensor([READ_FROM, [3, 0, 0], [1, 5, 0]])
    tokens, rows = texts()["input_ids"], torch.tensor([2, 0, 0])
    with model.session(memory, places), torch.no_grad():
        whole = model(input_ids=tokens).logits
    with model.session(memory, places), torch.no_grad():
        begun = model(input_ids=tokens[:, :cut], use_cache=True)
        cache = begun.past_key_values
        cache.batch_select_indices(rows)
        with rows_of(rows):
            rest = model(input_ids=tokens[rows, cut:], past_key_values=cache).logits
    torch.testing.assert_close(begun.logits, whole[:, :cut], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(rest, whole[rows, cut:], atol=1e-5, rtol=1e-4)


def test_a_session_begins_without_what_another_kept(model: FusedModel) -> None:
    with model.session(MEMORY, torch.tensor([READ_FROM])), torch.no_grad():
        cache = model(input_ids=tokens_of(0)[:, :7], use_cache=True).past_key_values
        last = tokens_of(0)[:, 7:]
        expected = model(input_ids=last, past_key_values=copy.deepcopy(cache)).logits
    with model.session(MEMORY, torch.tensor([READ_FROM])), torch.no_grad():
        found = model(input_ids=last, past_key_values=cache).logits
    assert not torch.allclose(found, expected, atol=1e-3)


def test_states_are_kept_by_request_and_fact() -> None:
    states = FactStates(build_fact_memory([FACTS, [], FACTS[:1]]))
    like = torch.arange(12.0).reshape(2, 3, 2) + 1
    requests = torch.tensor([2, 0])
    assert torch.equal(states.kept(0, requests, like), torch.zeros_like(like))
    which = torch.tensor([[True, False, False], [False, True, True]])
    states.keep(0, requests, which, like)
    kept = states.kept(0, requests.flip(0), like)
    assert torch.equal(kept[0, 1:], like[1, 1:])
    assert torch.equal(kept[1, 0], like[0, 0])
    assert torch.equal(kept[0, 0], torch.zeros(2))
    assert torch.equal(states.kept(1, requests, like), torch.zeros_like(like))
