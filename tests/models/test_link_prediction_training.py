import tempfile
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from infact.models.complex_embedding import ComplEx, cubed_moduli, save_vectors, with_reciprocals
from infact.models.link_prediction_training import complex_loss, triple_batches
from infact.models.ranking import rank_triples, ranking_metrics
from infact.models.training import Curriculum, TrainingSettings, train

ENTITIES = 24


def clock_graph() -> np.ndarray:
    """`next` and `opposite` on a ring: every triple follows from the others."""
    hours = np.arange(ENTITIES)
    one = np.ones(ENTITIES, dtype=int)
    following = np.stack((hours, 0 * one, (hours + 1) % ENTITIES), axis=1)
    opposite = np.stack((hours, one, (hours + ENTITIES // 2) % ENTITIES), axis=1)
    return np.concatenate((following, opposite)).astype(np.int32)


def trained(seed: int, epochs: int, advance=lambda count: None) -> ComplEx:
    model = ComplEx(ENTITIES, 2, rank=16, seed=seed)
    batches = triple_batches(clock_graph(), 2, batch_size=10, seed=seed)
    settings = TrainingSettings(
        0.1, epochs, optimizer="adagrad", schedule="constant", clip_norm=None
    )
    with tempfile.TemporaryDirectory() as folder:
        train(
            model,
            Curriculum(batches, lambda batch: len(batch.tails)),
            partial(complex_loss, n3=0.001),
            settings,
            Path(folder) / "checkpoint.safetensors",
            advance,
        )
    return model


def test_it_learns_both_directions() -> None:
    triples = clock_graph()

    def mean_reciprocal_rank(model: ComplEx) -> list[float]:
        ranks = rank_triples(
            model.tail_scores, model.head_scores, triples, triples, 16, lambda count: None
        )
        return [ranking_metrics(of).mean_reciprocal_rank for of in (ranks.tail, ranks.head)]

    assert max(mean_reciprocal_rank(ComplEx(ENTITIES, 2, rank=16, seed=0))) < 0.4
    assert min(mean_reciprocal_rank(trained(seed=0, epochs=60))) > 0.95


def test_the_same_seed_gives_the_same_bytes(tmp_path) -> None:
    files = []
    for number, seed in enumerate((0, 0, 1)):
        path = tmp_path / f"{number}.safetensors"
        save_vectors(trained(seed, epochs=3), path, np.arange(ENTITIES), np.arange(2))
        files.append(path.read_bytes())
    assert files[0] == files[1] != files[2]


def test_advance_counts_both_directions() -> None:
    done: list[int] = []
    trained(seed=0, epochs=2, advance=done.append)
    assert sum(done) == 2 * 2 * len(clock_graph())
    assert max(done) == 10


@pytest.mark.parametrize("batch_size", [1, 7, 1000])
def test_an_epoch_holds_every_triple_once_in_each_direction(batch_size: int) -> None:
    triples = np.array([[0, 0, 1], [0, 0, 2], [0, 0, 3], [1, 1, 0], [2, 0, 0]], dtype=np.int32)
    batches = triple_batches(triples, 2, batch_size, seed=0)
    seen = [
        (int(batch.heads[query]), int(batch.relations[query]), int(tail))
        for batch in batches(3)
        for query, tail in zip(batch.query_of_triple, batch.tails, strict=True)
    ]
    assert sorted(seen) == sorted(map(tuple, with_reciprocals(triples, 2).tolist()))


def test_epochs_are_shuffled_and_repeatable() -> None:
    batches = triple_batches(clock_graph(), 2, batch_size=96, seed=0)
    (first,), (again,), (second,) = batches(0), batches(0), batches(1)
    assert torch.equal(first.tails, again.tails)
    assert not torch.equal(first.tails, second.tails)


def test_grouping_by_query_leaves_the_loss_as_it_is() -> None:
    """Against one softmax a triple, none shared."""
    random = np.random.default_rng(0)
    triples = np.stack([random.integers(0, high, 40) for high in (4, 2, ENTITIES)], axis=1)
    model = ComplEx(ENTITIES, 2, rank=3, seed=0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(700)
    (batch,) = triple_batches(triples, 2, batch_size=80, seed=0)(0)
    assert len(batch.heads) < len(batch.tails)
    expected = []
    for head, relation, tail in with_reciprocals(triples, 2).tolist():
        scores = model.tail_scores(torch.tensor([head]), torch.tensor([relation]))
        vectors = torch.stack((model.entity[head], model.relation[relation], model.entity[tail]))
        expected.append(-scores.log_softmax(dim=1)[0, tail] + 0.3 * cubed_moduli(vectors).sum())
    torch.testing.assert_close(
        complex_loss(model, batch, n3=0.3), torch.stack(expected).mean(), rtol=1e-5, atol=1e-5
    )
