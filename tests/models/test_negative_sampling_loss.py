import numpy as np
import pytest
import torch
from infact.models.embedding_base import with_reciprocals
from infact.models.embedding_model import new_model
from infact.models.embedding_settings import Corruption, EmbeddingSettings, ModelName
from infact.models.negative_batches import NegativeBatch, negative_batches
from infact.models.negative_sampling_loss import adversarial_weights, negative_sampling_loss
from torch import Tensor

from .rings import ENTITIES, ring_triples

NEGATIVES = 5


def batches(
    epoch: int, batch_size: int = 10, corruption: Corruption = "filtered"
) -> list[NegativeBatch]:
    settings = EmbeddingSettings(
        loss="negative_sampling",
        negatives=NEGATIVES,
        batch_size=batch_size,
        corruption=corruption,
    )
    return list(negative_batches(ring_triples(), ENTITIES, 2, settings, seed=0)(epoch))


@pytest.mark.parametrize("corruption", ["filtered", "unfiltered"])
@pytest.mark.parametrize("pool", [7, 2048])
@pytest.mark.parametrize("batch_size", [1, 7, 1000])
def test_an_epoch_holds_every_triple_and_its_negatives(
    monkeypatch: pytest.MonkeyPatch, batch_size: int, pool: int, corruption: Corruption
) -> None:
    monkeypatch.setattr("infact.models.negative_batches.POOL", pool)
    both = set(map(tuple, with_reciprocals(ring_triples(), 2).tolist()))
    seen, marked = [], 0
    for batch in batches(2, batch_size, corruption):
        assert len(set(batch.pool.tolist())) == min(pool, ENTITIES)
        tails = batch.pool[batch.negatives]
        assert tails.shape == (len(batch.heads), NEGATIVES)
        for head, relation, tail, wrong, true in zip(
            batch.heads, batch.relations, batch.tails, tails, batch.true, strict=True
        ):
            seen.append((int(head), int(relation), int(tail)))
            no_negatives = both if corruption == "filtered" else {seen[-1]}
            expected = [(int(head), int(relation), int(each)) in no_negatives for each in wrong]
            assert true.tolist() == expected
            marked += sum(expected)
    assert sorted(seen) == sorted(both)
    assert marked


def test_epochs_are_shuffled_and_repeatable() -> None:
    first, again, second = batches(0), batches(0), batches(1)
    for one, two in zip(first, again, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(one[:-1], two[:-1], strict=True))
    assert not torch.equal(first[0].heads, second[0].heads)
    assert not torch.equal(first[0].negatives, first[1].negatives)


def test_negatives_are_uniform_over_all_entities(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also with a pool that is a third of them; by a chi-squared statistic of 23 degrees of freedom."""
    monkeypatch.setattr("infact.models.negative_batches.POOL", 8)
    drawn = [
        batch.pool[batch.negatives].flatten() for epoch in range(60) for batch in batches(epoch, 1)
    ]
    counts = torch.bincount(torch.cat(drawn), minlength=ENTITIES).double()
    expected = counts.sum() / ENTITIES
    assert ((counts - expected) ** 2 / expected).sum() < 3 * (ENTITIES - 1)


def slow_loss(batch: NegativeBatch, model: object, settings: EmbeddingSettings) -> Tensor:
    """The paper's formula, triple by triple."""
    losses = []
    for number, (head, relation, tail) in enumerate(
        zip(batch.heads, batch.relations, batch.tails, strict=True)
    ):
        scores = model.tail_scores(head[None], relation[None])[0]  # type: ignore[attr-defined]
        kept = [
            scores[batch.pool[place]]
            for place, true in zip(batch.negatives[number], batch.true[number], strict=True)
            if not true
        ]
        loss = -torch.log(torch.sigmoid(settings.margin + scores[tail]))
        if kept:
            wrong = torch.stack(kept)
            raised = torch.exp(settings.adversarial_temperature * wrong.detach())
            weights = raised / raised.sum()
            loss = loss - (weights * torch.log(torch.sigmoid(-settings.margin - wrong))).sum()
        losses.append(loss / 2)
    return torch.stack(losses).mean()


@pytest.mark.parametrize("temperature", [0.0, 1.5])
@pytest.mark.parametrize("name", ["transe", "distmult", "complex", "rotate"])
def test_loss_and_slopes_are_the_formula(name: ModelName, temperature: float) -> None:
    settings = EmbeddingSettings(
        name,
        dimension=8,
        loss="negative_sampling",
        regulariser="none",
        adversarial_temperature=temperature,
        margin=2.0,
        initial_scale=0.7,
    )
    model = new_model(settings, ENTITIES, 2, seed=0)
    model.sparse = True
    batch = batches(0, batch_size=96)[0]
    assert batch.true.any()
    found, expected = (
        negative_sampling_loss(model, batch, settings),
        slow_loss(batch, model, settings),
    )
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    for mine, slow in zip(
        torch.autograd.grad(found, list(model.parameters())),
        torch.autograd.grad(expected, list(model.parameters())),
        strict=True,
    ):
        assert mine.is_sparse
        torch.testing.assert_close(mine.to_dense(), slow.to_dense(), rtol=1e-3, atol=1e-5)


def test_a_triple_whose_negatives_are_all_true_weighs_none_of_them() -> None:
    weights = adversarial_weights(torch.zeros(2, 3), torch.tensor([[True] * 3, [False] * 3]), 1.0)
    np.testing.assert_allclose(weights, [[0, 0, 0], [1 / 3] * 3], rtol=1e-6)
