from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from infact.errors import UserError
from infact.models import embedding_training
from infact.models.embedding_base import EmbeddingModel
from infact.models.embedding_model import new_model
from infact.models.embedding_settings import EmbeddingSettings, LossName, ModelName, usual_settings
from infact.models.embedding_training import TrainedEmbedding, train_embedding, units
from infact.models.ranking import rank_triples, ranking_metrics

from .rings import ENTITIES, ring_triples

SETTINGS = EmbeddingSettings(
    dimension=32, regularisation=0.001, batch_size=10, epochs=60, validate_every=2
)
NONE = ring_triples()[:0]


def ignore(count: int) -> None:
    pass


def trained(
    folder: Path,
    settings: EmbeddingSettings,
    seed: int = 0,
    validation: np.ndarray = NONE,
    advance: Callable[[int], None] = ignore,
) -> TrainedEmbedding:
    return train_embedding(
        ring_triples(),
        validation,
        ENTITIES,
        2,
        settings,
        seed,
        folder / "checkpoint.safetensors",
        advance,
    )


def reciprocal_ranks(model: EmbeddingModel) -> list[float]:
    """Of both sides of the training triples."""
    triples = ring_triples()
    ranks = rank_triples(model.tail_scores, model.head_scores, triples, triples, 16, ignore)
    return [ranking_metrics(of).mean_reciprocal_rank for of in (ranks.tail, ranks.head)]


def settings_of(name: ModelName, loss: LossName) -> EmbeddingSettings:
    return replace(
        usual_settings(name),
        loss=loss,
        dimension=32,
        batch_size=10,
        learning_rate=0.1 if name in ("complex", "distmult") else 0.02,
        regularisation=0.001 if name in ("complex", "distmult") else 0.0,
        margin=2.0,
        initial_scale=0.1,
        epochs=60,
    )


@pytest.mark.parametrize("loss", ["one_vs_all", "negative_sampling"])
@pytest.mark.parametrize("name", ["transe", "distmult", "complex", "rotate"])
def test_every_model_learns_both_directions(
    tmp_path: Path, name: ModelName, loss: LossName
) -> None:
    settings = settings_of(name, loss)
    assert max(reciprocal_ranks(new_model(settings, ENTITIES, 2, seed=0))) < 0.3
    # No step leads round a ring, and none is its own reverse; a product of three is.
    least = {"transe": 0.37, "distmult": 0.8}.get(name, 0.9)
    assert min(reciprocal_ranks(trained(tmp_path, settings).model)) > least


@pytest.mark.parametrize("loss", ["one_vs_all", "negative_sampling"])
def test_the_same_seed_gives_the_same_vectors(tmp_path: Path, loss: LossName) -> None:
    tables = []
    for number, seed in enumerate((0, 0, 1)):
        (tmp_path / str(number)).mkdir()
        settings = replace(SETTINGS, loss=loss, epochs=3)
        tables.append(trained(tmp_path / str(number), settings, seed).model.entity)
    assert torch.equal(tables[0], tables[1])
    assert not torch.equal(tables[0], tables[2])


def test_advance_counts_both_directions(tmp_path: Path) -> None:
    done: list[int] = []
    settings = replace(SETTINGS, epochs=2)
    found = trained(tmp_path, settings, advance=done.append)
    assert sum(done) == units(ring_triples(), settings) == found.record.units
    assert max(done) == SETTINGS.batch_size


def test_the_best_validation_is_what_is_kept(tmp_path: Path) -> None:
    """A rate so high that it gets worse again; the score is asked for anew."""
    settings = replace(SETTINGS, learning_rate=0.5, regulariser="none", epochs=40, patience=3)
    held = ring_triples()[::5]
    found = train_embedding(
        np.delete(ring_triples(), np.s_[::5], axis=0),
        held,
        ENTITIES,
        2,
        settings,
        0,
        tmp_path / "c.safetensors",
        ignore,
    )
    epochs, scores = zip(*found.validation, strict=True)
    assert epochs == tuple(range(2, 2 * len(epochs) + 1, 2))
    place = int(np.argmax(scores))
    assert found.best_epoch == epochs[place] < epochs[-1]
    assert len(scores) - 1 - place == settings.patience  # it stopped
    assert found.record.steps < 40 * 8
    ranks = rank_triples(
        found.model.tail_scores, found.model.head_scores, held, ring_triples(), 16, ignore
    )
    both = np.concatenate((ranks.head, ranks.tail))
    assert ranking_metrics(both).mean_reciprocal_rank == scores[place]


@pytest.mark.parametrize("loss", ["one_vs_all", "negative_sampling"])
@pytest.mark.parametrize("at", [3, 8, 20, 21, 75])
def test_a_resumed_run_is_the_unbroken_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loss: LossName, at: int
) -> None:
    """Validated, and stopped early; the weights kept are an earlier epoch's."""
    monkeypatch.setattr(embedding_training, "CHECKPOINT_STEPS", 4)
    settings = replace(SETTINGS, loss=loss, learning_rate=0.3, patience=3)
    held = ring_triples()[::5]
    (tmp_path / "whole").mkdir()
    whole = trained(tmp_path / "whole", settings, validation=held)
    assert whole.best_epoch < whole.validation[-1][0] < settings.epochs
    steps = 0

    def kill(count: int) -> None:
        nonlocal steps
        steps += 1
        if steps == at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path, settings, validation=held, advance=kill)
    for _ in range(2):  # the second finds it done
        resumed = trained(tmp_path, settings, validation=held)
        assert torch.equal(resumed.model.entity, whole.model.entity)
        assert torch.equal(resumed.model.relation, whole.model.relation)
        assert resumed.record == whole.record


def test_a_loss_that_is_no_number_stops_it_and_says_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedding_training, "CHECKPOINT_STEPS", 4)
    settings, real, steps = (
        replace(SETTINGS, epochs=3),
        embedding_training.one_vs_all_loss,
        iter(range(1, 99)),
    )

    def loss(model, batch, settings):
        found = real(model, batch, settings)
        return found * torch.nan if next(steps) == 7 else found

    monkeypatch.setattr(embedding_training, "one_vs_all_loss", loss)
    with pytest.raises(UserError, match=r"step 7 of 30") as caught:
        trained(tmp_path, settings)
    assert "what step 4 had come to is kept" in caught.value.fix
    assert trained(tmp_path, settings).record.steps == 30


def test_entities_begin_where_they_are_told(tmp_path: Path) -> None:
    settings = replace(SETTINGS, epochs=1, learning_rate=1e-9)
    start = np.random.default_rng(0).standard_normal((ENTITIES, 32)).astype(np.float32)

    def begun(at: np.ndarray) -> TrainedEmbedding:
        path = tmp_path / "c.safetensors"
        return train_embedding(
            ring_triples(), NONE, ENTITIES, 2, settings, 0, path, ignore, entity_start=at
        )

    np.testing.assert_allclose(begun(start).model.entity.detach(), start, atol=1e-6)
    with pytest.raises(ValueError, match="entity_start"):
        begun(start[:, :3])
