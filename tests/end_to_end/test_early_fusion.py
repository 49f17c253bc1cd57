"""The countries project with early fusion, whose facts stand in the text: nothing but the arm sees them."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from .conftest import Infact

FUSED = ("fused", "fused + prompt", "random vectors", "shuffled graph")


@pytest.fixture(scope="module")
def early(project: Path, finished: dict[str, Path]) -> Path:
    """The same project, its artifacts and all, with another strategy."""
    file = project.with_name("early.toml")
    changed = project.read_text(encoding="utf-8").replace(
        "[fuse]\n", '[fuse]\nstrategy = "early"\n'
    )
    changed = changed.replace("[eval]\n", "[eval]\nprompt_arms = []\n")
    file.write_text(changed, encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def folders(early: Path, infact: Infact) -> dict[str, Path]:
    done = infact(early, "run", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    return {name: Path(folder) for name, folder in json.loads(done.stdout).items()}


def test_the_others_answer_as_they_did(finished: dict[str, Path], folders: dict[str, Path]) -> None:
    late, own = (
        {
            (row["arm"], row["fact"], row["template"]): row
            for row in pq.read_table(folder["eval"] / "answers.parquet").to_pylist()
        }
        for folder in (finished, folders)
    )
    assert {arm for arm, _, _ in own} >= set(FUSED)
    for key, row in own.items():
        assert row["prompt"] == late[key]["prompt"]
        if key[0] not in FUSED:
            assert row["scores"] == pytest.approx(late[key]["scores"], abs=1e-4)
    fused = [row for (arm, _, _), row in own.items() if arm == "fused"]
    assert any(
        row["scores"]
        != pytest.approx(own["base", row["fact"], row["template"]]["scores"], abs=1e-2)
        for row in fused
    )


def test_what_keeps_a_place_is_no_word_of_general_text(
    finished: dict[str, Path], folders: dict[str, Path]
) -> None:
    late, own = (
        json.loads((folder["eval"] / "perplexity.json").read_text())
        for folder in (finished, folders)
    )
    assert own["base"]["perplexity"] == pytest.approx(late["base"]["perplexity"], rel=1e-4)
    assert {arm: found["tokens"] for arm, found in own.items()} == {
        arm: found["tokens"] for arm, found in late.items()
    }


def test_it_is_asked_and_explained(early: Path, folders: dict[str, Path], infact: Infact) -> None:
    question = "What is the capital of Estonia?"
    told = infact(early, "ask", question, "--json")
    assert told.returncode == 0, told.stderr
    arms = {answer["arm"]: answer for answer in json.loads(told.stdout)["answers"]}
    assert any("Tallinn" in line for line in arms["fused"]["cited"])
    explained = infact(early, "explain", question, "--answer", "Tallinn", "--json")
    assert explained.returncode == 0, explained.stderr
    arms = {arm["arm"]: arm for arm in json.loads(explained.stdout)["arms"]}
    fused = arms["fused"]
    capital = next(fact for fact in fused["facts"] if "Tallinn" in fact["text"])
    assert abs(capital["effect"]) > 0
    assert capital["attention"] is None
    assert not fused["reading_layers"]
    assert [word["text"] for word in fused["words"]] == [
        word["text"] for word in arms["base"]["words"]
    ]
    assert any(
        word["effect"] != other["effect"]
        for word, other in zip(fused["words"], arms["base"]["words"], strict=True)
    )


def test_layers_are_refused(early: Path, infact: Infact) -> None:
    wrong = early.with_name("wrong-early.toml")
    text = early.read_text(encoding="utf-8")
    wrong.write_text(text.replace("[fuse]\n", "[fuse]\nlayers = [1]\n"), encoding="utf-8")
    done = infact(wrong, "fuse")
    assert done.returncode == 2
    assert "wrong-early.toml:fuse.layers" in done.stderr
