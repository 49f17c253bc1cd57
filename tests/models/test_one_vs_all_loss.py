from dataclasses import replace

import numpy as np
import pytest
import torch
from infact.models.embedding_base import EmbeddingModel, ProductModel, with_reciprocals
from infact.models.embedding_model import new_model
from infact.models.embedding_settings import EmbeddingSettings, ModelName, RegulariserName
from infact.models.one_vs_all_loss import one_vs_all_loss
from infact.models.triple_batches import triple_batches
from torch import Tensor

from .rings import ENTITIES, ring_triples


def some_triples() -> np.ndarray:
    """Many of which share a query."""
    random = np.random.default_rng(0)
    return np.stack([random.integers(0, high, 40) for high in (4, 2, ENTITIES)], axis=1)


def regulariser(name: RegulariserName, model: EmbeddingModel, row: Tensor) -> Tensor:
    """Of one triple, by the paper's formula over complex or real numbers."""
    head, relation, tail = (
        torch.complex(*vector.chunk(2)) if model.name == "complex" else vector
        for vector in (model.entity[row[0]], model.relation[row[1]], model.entity[row[2]])
    )
    if name == "n3":
        return sum((vector.abs() ** 3).sum() for vector in (head, relation, tail))
    products = (head, tail, head * relation, tail * relation)
    return sum((vector.abs() ** 2).sum() for vector in products)


def slow_loss(model: EmbeddingModel, triples: np.ndarray, settings: EmbeddingSettings) -> Tensor:
    """One softmax a triple, none shared."""
    losses = []
    for row in torch.from_numpy(with_reciprocals(triples, 2)):
        scores = model.tail_scores(row[:1], row[1:2])
        loss = -scores.log_softmax(dim=1)[0, row[2]]
        if settings.regulariser != "none":
            loss = loss + settings.regularisation * regulariser(settings.regulariser, model, row)
        if settings.relation_weight:
            assert isinstance(model, ProductModel)
            relations = model.relation_scores(model.entity[row[:1]], model.entity[row[2:]])
            loss = loss - settings.relation_weight * relations.log_softmax(dim=1)[0, row[1]]
        losses.append(loss)
    return torch.stack(losses).mean()


def slopes(model: EmbeddingModel, loss: Tensor) -> list[Tensor]:
    found = torch.autograd.grad(loss, list(model.parameters()))
    return [each.to_dense() for each in found]


CASES: list[tuple[ModelName, RegulariserName, float]] = [
    ("complex", "n3", 0.0),
    ("complex", "dura", 0.5),
    ("distmult", "n3", 0.5),
    ("distmult", "dura", 0.0),
    ("transe", "none", 0.0),
    ("rotate", "none", 0.0),
]


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize(("name", "kind", "relation_weight"), CASES)
def test_loss_and_slopes_are_those_of_one_softmax_a_triple(
    monkeypatch: pytest.MonkeyPatch,
    name: ModelName,
    kind: RegulariserName,
    relation_weight: float,
    sparse: bool,
) -> None:
    monkeypatch.setattr("infact.models.one_vs_all_loss.SCORES_AT_ONCE", 3 * ENTITIES)
    settings = EmbeddingSettings(
        name,
        dimension=6,
        regulariser=kind,
        regularisation=0.3,
        relation_weight=relation_weight,
        initial_scale=1.0,
    )
    model = new_model(settings, ENTITIES, 2, seed=0)
    model.sparse = sparse
    (batch,) = triple_batches(some_triples(), 2, batch_size=80, seed=0)(0)
    assert len(batch.heads) < len(batch.tails)
    found, expected = (
        one_vs_all_loss(model, batch, settings),
        slow_loss(model, some_triples(), settings),
    )
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    for mine, slow in zip(slopes(model, found), slopes(model, expected), strict=True):
        torch.testing.assert_close(mine, slow, rtol=1e-4, atol=1e-5)


def test_bfloat16_is_near_float32() -> None:
    settings = EmbeddingSettings(dimension=16, initial_scale=1.0)
    model = new_model(settings, ENTITIES, 2, seed=0)
    (batch,) = triple_batches(ring_triples(), 2, batch_size=1000, seed=0)(0)
    exact = one_vs_all_loss(model, batch, settings)
    rounded = one_vs_all_loss(model, batch, replace(settings, precision="bfloat16"))
    assert 0 < (exact - rounded).abs() < 0.02 * exact
    for mine, slow in zip(slopes(model, rounded), slopes(model, exact), strict=True):
        assert (mine - slow).norm() < 0.02 * slow.norm()
