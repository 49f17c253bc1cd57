"""A predicted fact is read as much less as it is less likely."""

import math
from dataclasses import replace

import pytest
import torch
from infact.models.fact_memory import (
    TokenFact,
    build_fact_memory,
    drop_facts,
    random_facts,
    shuffled_objects,
)
from infact.models.fused_model import FusedModel
from infact.models.memory_knock_out import without_each_and_all
from torch import Tensor

from .test_fused_model import MEMORY, fused, texts


def shares(model: FusedModel, weight: float) -> Tensor:
    """(Q, H, 1 + F·L) of the first text at the first layer, its second fact of this weight."""
    weights = MEMORY.weight.clone()
    weights[0, 1] = weight
    kept: list[Tensor] = []
    layer = min(model.fusion.softmaxes)
    handle = model.fusion.softmaxes[layer].register_forward_hook(
        lambda module, args, output: kept.append(output)
    )
    with model.session(replace(MEMORY, weight=weights)), torch.no_grad():
        model(**texts())
    handle.remove()
    return kept[0][0]


@pytest.mark.parametrize("strategy", ["attention", "interactive"])
def test_attention_to_a_fact_is_multiplied_by_its_probability(strategy: str) -> None:
    model = fused("Llama", strategy)
    stated, predicted = shares(model, 0.0), shares(model, math.log(0.3))
    length = MEMORY.label.shape[2]
    first, second = slice(1, 1 + length), slice(1 + length, 2 + length)
    odds = stated[..., second] / stated[..., :1]
    torch.testing.assert_close(predicted[..., second] / predicted[..., :1], 0.3 * odds)
    torch.testing.assert_close(
        predicted[..., first] / predicted[..., :1], stated[..., first] / stated[..., :1]
    )


@pytest.mark.parametrize("strategy", ["early", "attention"])
def test_what_can_t_be_true_is_as_if_it_were_not_there(strategy: str) -> None:
    model = fused("Llama", strategy)
    impossible = replace(MEMORY, weight=torch.where(MEMORY.weight < 0, -torch.inf, MEMORY.weight))
    without = build_fact_memory(
        [[TokenFact(0, 1, (5, 6))], [TokenFact(2, 0, (9, 10, 11))], []],
    )
    found = []
    for memory in (impossible, without, MEMORY):
        read_from = torch.tensor([[0, 4], [0, 0], [0, 0]])[:, : memory.relation.shape[1]]
        with model.session(memory, read_from), torch.no_grad():
            found.append(model(**texts()).logits)
    torch.testing.assert_close(found[0], found[1], atol=1e-5, rtol=1e-4)
    assert not torch.allclose(found[2], found[1], atol=1e-4)


def test_controls_and_knock_outs_keep_weights_in_their_places() -> None:
    requests = [
        [TokenFact(0, row, (10 + row, 3)), TokenFact(0, 50 + row, (60 + row, 3), -0.5 - row)]
        for row in range(20)
    ]
    expected = [[0.0, -0.5 - row] for row in range(20)]
    for control in (shuffled_objects(requests, 1), random_facts(requests, 400, (3,), 1)):
        assert [[fact.weight for fact in request] for request in control] == expected
    memory = build_fact_memory(requests)
    assert memory.weight.tolist() == expected
    chosen = memory.select(torch.tensor([3]))
    dropped = drop_facts(chosen, 0.5, torch.Generator().manual_seed(0))
    assert torch.equal(dropped.weight, chosen.weight)
    gone = without_each_and_all(chosen, torch.tensor([1]))
    assert gone.weight.tolist() == [[0.0, -3.5], [0.0, 0.0], [0.0, 0.0]]
