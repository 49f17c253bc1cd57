import copy
import math

import pytest
import torch
from infact.models.language_model import LanguageModel
from infact.models.language_model_loss import anchor_divergence, weighted_cross_entropy
from infact.models.partial_passes import states_at
from infact.models.predicted_texts import PredictedText, collate_predicted, continued_text

WEIGHTED = (
    ((5, 9, 30, 31, 2), (0.0, 0.0, 1.0, 1.0, 1.0)),
    ((7, 8), (0.0, 1.0)),
    ((40, 41, 42, 43, 44, 45, 46), (0.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0)),
)
ROWS = tuple(continued_text(tokens, weights) for tokens, weights in WEIGHTED)


def changed(model):
    other = copy.deepcopy(model)
    with torch.no_grad():
        for name, value in other.named_parameters():
            if "mlp" in name:
                value.mul_(1.5)
    return other


def test_it_is_the_loss_of_transformers_with_labels_masked(tiny_model) -> None:
    batch = collate_predicted(ROWS, padding=1)
    labels = torch.full_like(batch.tokens, -100)
    for row, (tokens, weights) in enumerate(WEIGHTED):
        for place, (token, weight) in enumerate(zip(tokens, weights, strict=True)):
            if weight:
                labels[row, place] = token
    with torch.no_grad():
        expected = tiny_model(batch.tokens, attention_mask=batch.mask, labels=labels).loss
        found = weighted_cross_entropy(tiny_model, batch)
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)


def test_it_is_the_loss_of_transformers_for_a_masked_model(tiny_masked: LanguageModel) -> None:
    model, mask = tiny_masked.model, tiny_masked.tokenizer.mask_token_id
    rows = [
        PredictedText((5, mask, 30, mask, 2), (1, 3), (9, 31), (1.0, 1.0)),
        PredictedText((7, mask), (1,), (8,), (1.0,)),
    ]
    batch = collate_predicted(rows, padding=0)
    labels = torch.full_like(batch.tokens, -100)
    labels[0, 1], labels[0, 3], labels[1, 1] = 9, 31, 8
    with torch.no_grad():
        expected = model(batch.tokens, attention_mask=batch.mask, labels=labels).loss
        found = weighted_cross_entropy(model, batch)
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)


def test_weights_weigh(tiny_model) -> None:
    weighted = [((5, 9, 30, 31), (0.0, 0.2, 0.2, 1.0)), ((40, 41, 42), (0.0, 0.7, 0.0))]
    total = weight = 0.0
    for tokens, weights in weighted:
        with torch.no_grad():
            table = tiny_model(torch.tensor([tokens])).logits[0].double().log_softmax(-1)
        for place in range(1, len(tokens)):
            total -= weights[place] * table[place - 1, tokens[place]].item()
            weight += weights[place]
    rows = [continued_text(tokens, weights) for tokens, weights in weighted]
    found = weighted_cross_entropy(tiny_model, collate_predicted(rows))
    assert found.item() == pytest.approx(total / weight, rel=1e-5)


def test_padding_does_not_count(tiny_model) -> None:
    alone = weighted_cross_entropy(tiny_model, collate_predicted(ROWS[:1]))
    silent = continued_text(tuple(range(50, 70)), (0.0,) * 20)
    padded = weighted_cross_entropy(tiny_model, collate_predicted([ROWS[0], silent], padding=3))
    assert padded.item() == pytest.approx(alone.item(), rel=1e-5)


def base_states(model, batch):
    return states_at(model, batch.tokens, batch.mask, batch.at)


def test_the_anchor_is_zero_for_the_base_itself(tiny_model) -> None:
    batch = collate_predicted(ROWS)
    found = anchor_divergence(tiny_model, batch, base_states(tiny_model, batch))
    assert abs(found.item()) < 1e-6


def test_the_anchor_is_the_sum_over_the_whole_vocabulary(tiny_model) -> None:
    batch, other = collate_predicted(ROWS), changed(tiny_model)
    found = anchor_divergence(other, batch, base_states(tiny_model, batch)).item()
    divergences = []
    for row, weights in WEIGHTED:
        tokens = torch.tensor([row])
        with torch.no_grad():
            base = tiny_model(tokens).logits[0].double().log_softmax(-1).tolist()
            arm = other(tokens).logits[0].double().log_softmax(-1).tolist()
        for place in range(1, len(row)):
            if weights[place]:
                pairs = zip(base[place - 1], arm[place - 1], strict=True)
                divergences.append(sum(math.exp(p) * (p - q) for p, q in pairs))
    assert found == pytest.approx(sum(divergences) / len(divergences), rel=1e-4)
    assert found > 0.01


def test_the_anchor_has_gradients_towards_the_model_alone(tiny_model) -> None:
    batch, other = collate_predicted(ROWS), changed(tiny_model)
    weight = other.base_model.layers[1].mlp.up_proj.weight.requires_grad_(True)
    anchor_divergence(other, batch, base_states(tiny_model, batch)).backward()
    assert weight.grad is not None
    assert weight.grad.abs().max() > 0
