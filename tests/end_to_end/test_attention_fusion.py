"""The countries project with attention fusion: trained, asked, explained, and another graph's refused."""

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from .conftest import Infact

FUSED = ("fused", "fused + prompt", "random vectors", "shuffled graph")


@pytest.fixture(scope="module")
def attentive(project: Path, finished: dict[str, Path]) -> Path:
    """The same project, its artifacts and all, with another strategy."""
    file = project.with_name("attentive.toml")
    plain = project.read_text(encoding="utf-8")
    changed = plain.replace("[fuse]\n", '[fuse]\nstrategy = "attention"\n')
    # Arms that no adapter is in have been asked by the whole run.
    changed = changed.replace("[eval]\n", "[eval]\nprompt_arms = []\n")
    file.write_text(changed, encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def folders(attentive: Path, infact: Infact) -> dict[str, Path]:
    done = infact(attentive, "run", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    return {name: Path(folder) for name, folder in json.loads(done.stdout).items()}


def test_only_what_reads_the_adapter_is_made_anew(
    finished: dict[str, Path], folders: dict[str, Path]
) -> None:
    anew = {stage for stage, folder in folders.items() if folder != finished[stage]}
    assert anew == {"fuse", "eval", "report"}
    names = {path.name for path in folders["fuse"].iterdir()}
    assert {"fused", "random-vectors", "shuffled-graph"} <= names
    config = json.loads((folders["fuse"] / "fused" / "adapter_config.json").read_text())
    assert config["fusion"] == "attention"


def test_every_arm_answers_the_same_questions(
    finished: dict[str, Path], folders: dict[str, Path]
) -> None:
    def asked(folder: Path) -> dict[str, list[tuple[str, str]]]:
        arms: dict[str, list[tuple[str, str]]] = {}
        for row in pq.read_table(folder / "answers.parquet").to_pylist():
            arms.setdefault(row["arm"], []).append((row["fact"], row["template"]))
        return arms

    own = asked(folders["eval"])
    assert set(FUSED) < set(own)
    assert own == {arm: rows for arm, rows in asked(finished["eval"]).items() if arm in own}
    late, attention = (
        pq.read_table(folder["eval"] / "answers.parquet").to_pylist()
        for folder in (finished, folders)
    )
    for arm in ("base", "base + prompt", *FUSED):
        one, other = (
            np.concatenate([row["scores"] for row in rows if row["arm"] == arm])
            for rows in (late, attention)
        )
        assert np.allclose(one, other, atol=1e-4) == arm.startswith("base")
    drift = json.loads((folders["eval"] / "perplexity.json").read_text())
    assert {"base", *FUSED[:1], *FUSED[2:]} <= set(drift)


def test_it_is_asked_and_explained(
    attentive: Path, folders: dict[str, Path], infact: Infact
) -> None:
    question = "What is the capital of Estonia?"
    told = infact(attentive, "ask", question, "--json")
    assert told.returncode == 0, told.stderr
    arms = {answer["arm"]: answer for answer in json.loads(told.stdout)["answers"]}
    assert arms["fused"]["cited"]
    explained = infact(attentive, "explain", question, "--answer", "Tallinn", "--json")
    assert explained.returncode == 0, explained.stderr
    document = json.loads(explained.stdout)
    arms = {arm["arm"]: arm for arm in document["arms"]}
    assert set(arms) >= {"base", "fused"}
    fused = arms["fused"]
    capital = next(fact for fact in fused["facts"] if "Tallinn" in fact["text"])
    assert any("countries.ttl" in line for line in capital["cited"])
    for entry in [*fused["facts"], *fused["reading_layers"]]:
        assert entry["low"] <= entry["effect"] <= entry["high"]
    assert any(abs(fact["effect"]) > 0 for fact in fused["facts"])
    on_facts = sum(fact["attention"] for fact in fused["facts"])
    assert on_facts + fused["base_weight"] == pytest.approx(1, abs=1e-3)
    layers = json.loads((folders["fuse"] / "fused" / "adapter_config.json").read_text())
    read = [layer["layer"] - 1 for layer in fused["reading_layers"]]
    assert read == layers["settings"]["layers"]
    for number, layer in enumerate(fused["reading_layers"]):
        weights = [fact["by_reading_layer"][number] for fact in fused["facts"]]
        assert sum(weights) == pytest.approx(layer["on_facts"], abs=1e-3)
        assert layer["on_facts"] + layer["base_weight"] == pytest.approx(1, abs=1e-3)
    assert all(not arms[name]["reading_layers"] for name in arms if name != "fused")


def test_the_report_shows_what_was_read(folders: dict[str, Path]) -> None:
    told = json.loads((folders["eval"] / "explanations.json").read_text())
    fused = [arm for each in told for arm in each["arms"] if arm["arm"] == "fused"]
    assert fused
    assert all(arm["facts"] and arm["reading_layers"] for arm in fused)
    page = (folders["report"] / "report.html").read_text(encoding="utf-8")
    assert "its reading of the memory" in page


def test_wrong_layers_are_named(attentive: Path, infact: Infact) -> None:
    wrong = attentive.with_name("wrong.toml")
    text = attentive.read_text(encoding="utf-8")
    wrong.write_text(text.replace("[fuse]\n", "[fuse]\nlayers = [1, 99]\n"), encoding="utf-8")
    done = infact(wrong, "fuse")
    assert done.returncode == 2
    assert "wrong.toml:fuse.layers" in done.stderr
    assert "0 to" in done.stderr
