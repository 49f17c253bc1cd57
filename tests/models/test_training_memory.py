"""What a step needs, told from a smaller one."""

import copy

import pytest
import torch
from infact.models.language_model_loss import weighted_cross_entropy
from infact.models.predicted_texts import PredictedBatch, collate_predicted, continued_text
from infact.models.taught_weights import add_taught_weights, base_of
from infact.models.training_memory import MOMENTS, kept_bytes, step_bytes
from torch import Tensor, nn


def batch(texts: int, tokens: int = 12) -> PredictedBatch:
    row = continued_text(range(1, 1 + tokens), (1.0,) * tokens)
    return collate_predicted([row] * texts)


def test_what_a_layer_keeps_is_counted_once_and_no_weights() -> None:
    layer = nn.Linear(16, 8)
    given = torch.randn(4, 16)

    def loss(model: nn.Linear, batch: Tensor) -> Tensor:
        return (model(batch) ** 2).sum() + model(batch).sum()

    # The input, for the weights' gradient in both passes; one output, for that of its square.
    assert kept_bytes(layer, given, loss) == given.nbytes + 4 * 8 * 4
    layer.requires_grad_(False)
    assert kept_bytes(layer, given, loss) == 0


def test_it_grows_with_the_batch_and_the_blocks_that_are_taught(tiny_model) -> None:
    one, four = (kept_bytes(tiny_model, batch(n), weighted_cross_entropy) for n in (1, 4))
    assert one == four == 0  # nothing is trained
    found = []
    for layers in (1, 2):
        own = copy.deepcopy(tiny_model)
        model = base_of(add_taught_weights(own, "low-rank", 2, layers))
        one, four = (kept_bytes(model, batch(n), weighted_cross_entropy) for n in (1, 4))
        assert four == pytest.approx(4 * one, rel=0.1)
        found.append(four)
    assert found[0] < found[1]


def test_a_step_is_told_from_the_smallest_batch(tiny_model) -> None:
    model = base_of(add_taught_weights(copy.deepcopy(tiny_model), "low-rank", 2, 1))
    batches = [batch(4), batch(1), batch(2)]
    state = torch.get_rng_state()
    whole = step_bytes(model, batches, lambda each: each.size, weighted_cross_entropy)
    assert torch.equal(torch.get_rng_state(), state)
    assert not model.training
    alone = step_bytes(model, batches[1:2], lambda each: each.size, weighted_cross_entropy)
    trained = sum(value.numel() for value in model.parameters() if value.requires_grad)
    weights = MOMENTS * 4 * trained
    assert whole - weights == pytest.approx(4 * (alone - weights), rel=1e-3)
