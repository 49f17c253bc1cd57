"""Tables in files hold what tables in memory hold, and the files hold it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from infact.models import embedding_training
from infact.models.embedding_model import new_model
from infact.models.embedding_settings import EmbeddingSettings, ModelName, usual_settings
from infact.models.embedding_training import TrainedEmbedding, train_embedding
from infact.models.table_storage import IN_MEMORY, InFiles, TableStorage

from .rings import ENTITIES, ring_triples

HELD = ring_triples()[::5]


def settings_of(model: ModelName) -> EmbeddingSettings:
    return replace(
        usual_settings(model),
        loss="negative_sampling",
        optimizer="adagrad",
        dimension=16,
        batch_size=10,
        negatives=4,
        learning_rate=0.1,
        initial_scale=0.1,
        epochs=6,
        validate_every=2,
    )


def trained(
    folder: Path, model: ModelName, storage: TableStorage, dies_at: int = 0
) -> TrainedEmbedding:
    steps = 0

    def advance(count: int) -> None:
        nonlocal steps
        steps += 1
        if steps == dies_at:
            raise KeyboardInterrupt

    return train_embedding(
        np.delete(ring_triples(), np.s_[::5], axis=0),
        HELD,
        ENTITIES,
        2,
        settings_of(model),
        3,
        folder / "checkpoint.safetensors",
        advance,
        storage=storage,
    )


def in_file(folder: Path, name: str, shape: torch.Size) -> torch.Tensor:
    return torch.from_numpy(np.fromfile(folder / f"{name}.float32", np.float32)).view(shape)


@pytest.mark.parametrize("model", ["transe", "distmult", "complex", "rotate"])
def test_training_in_files_is_training_in_memory(tmp_path: Path, model: ModelName) -> None:
    folders = [tmp_path / name for name in ("memory", "files")]
    for folder in folders:
        folder.mkdir()
    plain = trained(folders[0], model, IN_MEMORY)
    mapped = trained(folders[1], model, InFiles(folders[1]))
    assert mapped.validation == plain.validation
    for name, own in mapped.model.named_parameters():
        expected = dict(plain.model.named_parameters())[name]
        assert torch.equal(own, expected)
        assert torch.equal(in_file(folders[1], name, own.shape), expected)
    checkpoints = [(folder / "checkpoint.safetensors").read_bytes() for folder in folders]
    assert checkpoints[0] == checkpoints[1]


@pytest.mark.parametrize("dies_at", [3, 9, 17, 26])
def test_it_goes_on_from_a_checkpoint_and_in_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dies_at: int
) -> None:
    monkeypatch.setattr(embedding_training, "CHECKPOINT_STEPS", 5)
    (tmp_path / "whole").mkdir()
    whole = trained(tmp_path / "whole", "complex", IN_MEMORY)
    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path, "complex", InFiles(tmp_path), dies_at)
    resumed = trained(tmp_path, "complex", InFiles(tmp_path))
    assert torch.equal(resumed.model.entity, whole.model.entity)
    assert resumed.validation == whole.validation
    assert torch.equal(in_file(tmp_path, "entity", whole.model.entity.shape), whole.model.entity)


def test_a_table_lies_in_its_file_alone(tmp_path: Path) -> None:
    storage, settings = InFiles(tmp_path), settings_of("transe")
    model = new_model(settings, 50, 2, 0, storage)
    old = model.entity.detach()[7].clone()
    with torch.no_grad():
        model.entity[7] += 1.0
    assert torch.equal(in_file(tmp_path, "entity", model.entity.shape)[7], old + 1)
    kept = storage.copy("best", model.entity)
    again = storage.zeros("entity", model.entity.shape)  # whoever has the old one keeps it
    assert not again.any()
    assert torch.equal(kept, model.entity)
    with torch.no_grad():
        model.entity[7] += 1.0
    assert torch.equal(storage.copy("best", model.entity), model.entity)
    assert torch.equal(kept, model.entity)  # it is the same file


def test_an_empty_table_needs_no_file(tmp_path: Path) -> None:
    assert InFiles(tmp_path).zeros("none", (0, 4)).shape == (0, 4)
    assert list(tmp_path.iterdir()) == []
