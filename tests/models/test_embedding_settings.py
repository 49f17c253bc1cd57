import math
import tomllib
from pathlib import Path

import infact
import pytest
from infact.models.embedding_settings import EmbeddingSettings, ModelName, usual_settings

FILES = sorted((Path(infact.__path__[0]) / "data" / "embed").glob("*.toml"))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"model": "transh"}, "transe, distmult, complex, rotate"),
        ({"schedule": "linear"}, "constant, cosine"),
        ({"dimension": 5}, "needs an even one"),
        ({"learning_rate": 0.0}, "learning_rate is 0.0, and must be above 0"),
        ({"learning_rate": math.nan}, "learning_rate is nan"),
        ({"epochs": 0}, "epochs is 0"),
        ({"patience": -1}, "patience is -1"),
        ({"model": "rotate"}, "usual_settings"),
        ({"loss": "negative_sampling", "precision": "bfloat16"}, "precision is for"),
        ({"loss": "negative_sampling", "relation_weight": 0.1}, "relation_weight"),
    ],
)
def test_settings_that_cannot_be_say_why(wrong: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        EmbeddingSettings(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["transe", "distmult", "complex", "rotate"])
def test_usual_settings_name_their_model(name: ModelName) -> None:
    assert usual_settings(name).model == name


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_files_hold_settings(path: Path) -> None:
    assert EmbeddingSettings(**tomllib.loads(path.read_text(encoding="utf-8"))).model == "complex"


def test_there_are_files() -> None:
    assert {"wn18rr.toml", "codex-s.toml"} <= {path.name for path in FILES}
