import copy
import math

import pytest
import torch
from infact.models.language_model_loss import (
    anchor_divergence,
    hidden_states,
    weighted_cross_entropy,
)
from infact.models.token_batches import TokenRow, collate_rows

ROWS = (
    TokenRow((5, 9, 30, 31, 2), (0.0, 0.0, 1.0, 1.0, 1.0)),
    TokenRow((7, 8), (0.0, 1.0)),
    TokenRow((40, 41, 42, 43, 44, 45, 46), (0.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0)),
)


def changed(model):
    other = copy.deepcopy(model)
    with torch.no_grad():
        for name, value in other.named_parameters():
            if "mlp" in name:
                value.mul_(1.5)
    return other


def test_it_is_the_loss_of_transformers_with_labels_masked(tiny_model) -> None:
    batch = collate_rows(ROWS, padding=1)
    labels = batch.tokens.masked_fill(batch.weights == 0, -100)
    with torch.no_grad():
        expected = tiny_model(batch.tokens, attention_mask=batch.mask, labels=labels).loss
        found = weighted_cross_entropy(tiny_model, batch)
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)


def test_weights_weigh(tiny_model) -> None:
    rows = [
        TokenRow((5, 9, 30, 31), (0.0, 0.2, 0.2, 1.0)),
        TokenRow((40, 41, 42), (0.0, 0.7, 0.0)),
    ]
    total = weight = 0.0
    for row in rows:
        with torch.no_grad():
            table = tiny_model(torch.tensor([row.tokens])).logits[0].double().log_softmax(-1)
        for place in range(1, len(row)):
            total -= row.weights[place] * table[place - 1, row.tokens[place]].item()
            weight += row.weights[place]
    found = weighted_cross_entropy(tiny_model, collate_rows(rows, padding=0))
    assert found.item() == pytest.approx(total / weight, rel=1e-5)


def test_padding_does_not_count(tiny_model) -> None:
    alone = weighted_cross_entropy(tiny_model, collate_rows(ROWS[:1], padding=0))
    silent = TokenRow(tuple(range(50, 70)), (0.0,) * 20)
    padded = weighted_cross_entropy(tiny_model, collate_rows([ROWS[0], silent], padding=3))
    assert padded.item() == pytest.approx(alone.item(), rel=1e-5)


def base_states(model, batch):
    with torch.no_grad():
        return hidden_states(model, batch)[:, :-1][batch.weights[:, 1:] > 0]


def test_the_anchor_is_zero_for_the_base_itself(tiny_model) -> None:
    batch = collate_rows(ROWS, padding=0)
    found = anchor_divergence(tiny_model, batch, base_states(tiny_model, batch))
    assert abs(found.item()) < 1e-6


def test_the_anchor_is_the_sum_over_the_whole_vocabulary(tiny_model) -> None:
    batch, other = collate_rows(ROWS, padding=0), changed(tiny_model)
    found = anchor_divergence(other, batch, base_states(tiny_model, batch)).item()
    divergences = []
    for row in ROWS:
        tokens = torch.tensor([row.tokens])
        with torch.no_grad():
            base = tiny_model(tokens).logits[0].double().log_softmax(-1).tolist()
            arm = other(tokens).logits[0].double().log_softmax(-1).tolist()
        for place in range(1, len(row)):
            if row.weights[place]:
                pairs = zip(base[place - 1], arm[place - 1], strict=True)
                divergences.append(sum(math.exp(p) * (p - q) for p, q in pairs))
    assert found == pytest.approx(sum(divergences) / len(divergences), rel=1e-4)
    assert found > 0.01


def test_the_anchor_has_gradients_towards_the_model_alone(tiny_model) -> None:
    batch, other = collate_rows(ROWS, padding=0), changed(tiny_model)
    weight = other.base_model.layers[1].mlp.up_proj.weight.requires_grad_(True)
    anchor_divergence(other, batch, base_states(tiny_model, batch)).backward()
    assert weight.grad is not None
    assert weight.grad.abs().max() > 0
