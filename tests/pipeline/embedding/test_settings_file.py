from dataclasses import asdict
from typing import get_args

import pytest
from infact.models.embedding_settings import EmbeddingSettings, ModelName, usual_settings
from infact.pipeline.embedding.memory_estimate import estimated_bytes
from infact.pipeline.embedding.settings_file import embedding_settings, written_settings


@pytest.mark.parametrize("model", get_args(ModelName))
def test_what_is_written_is_read_again(model, tmp_path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(written_settings(usual_settings(model)), encoding="utf-8")
    assert embedding_settings(path) == usual_settings(model) == embedding_settings(None, model)


def test_the_command_lines_model_wins_and_brings_what_is_usual_for_it(tmp_path) -> None:
    path = tmp_path / "own.toml"
    path.write_text('model = "complex"\nepochs = 7\n')
    found = embedding_settings(path, "rotate")
    assert asdict(found) == {**asdict(usual_settings("rotate")), "epochs": 7}


def test_the_estimate_is_the_formula_counted_by_hand() -> None:
    settings = EmbeddingSettings(dimension=10, batch_size=4, patience=2)
    tables = (100 + 2 * 5) * 10 * 4  # vectors, gradients, Adagrad's sums, the best so far
    assert estimated_bytes(settings, 100, 5) == 4 * (tables + 3 * 4 * 100)
    sampled = EmbeddingSettings(
        dimension=10, batch_size=4, loss="negative_sampling", negatives=6, optimizer="adam"
    )
    assert estimated_bytes(sampled, 100, 5) == 4 * (tables + 2 * 4 * 8 * 10)
