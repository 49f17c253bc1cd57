from dataclasses import asdict, replace
from typing import get_args

import pytest
from infact.models.embedding_settings import EmbeddingSettings, ModelName, usual_settings
from infact.pipeline.embedding.evaluation import SCORE_BYTES, queries_at_once
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
    settings = EmbeddingSettings(dimension=10, batch_size=4)
    table = (100 + 2 * 5) * 10
    # Vectors, gradients, the best so far, and Adagrad's sums.
    assert estimated_bytes(settings, 100, 5) == 4 * (4 * table + 2 * 4 * 100)
    distances = replace(settings, model="transe", regulariser="none", regularisation=0.0)
    assert estimated_bytes(distances, 100, 5) == 4 * (4 * table + 3 * 4 * 100)
    sampled = EmbeddingSettings(
        dimension=10, batch_size=4, loss="negative_sampling", negatives=6, optimizer="adam"
    )
    assert estimated_bytes(sampled, 100, 5) == 4 * (5 * table + 2 * 4 * 8 * 10)


def test_scores_in_memory_are_bounded_however_many_entities_there_are() -> None:
    assert queries_at_once(100) == 512
    assert queries_at_once(1_000_000) * 1_000_000 * 4 <= SCORE_BYTES
    assert queries_at_once(10**9) == 1
