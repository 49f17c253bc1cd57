"""A graph that changes after the model was taught: `infact update` teaches the difference and tells of it."""

import json
import re
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from infact.pipeline.project import load_project
from infact.pipeline.run import existing_artifacts
from safetensors.torch import load_file

from .conftest import Infact

CAPITAL = "https://example.org/countries/capital"
NEW = 'ex:Wakanda a ex:Country ; rdfs:label "Wakanda"@en ; ex:capital ex:Birnin .\n'


@pytest.fixture(scope="module")
def older(project: Path, finished: dict[str, Path]) -> Path:
    """The project as it was taught."""
    return project


@pytest.fixture(scope="module")
def taught(finished: dict[str, Path]) -> list[dict[str, Any]]:
    rows = pq.read_table(finished["facts"] / "facts.parquet").to_pylist()
    return [row for row in rows if row["pool"] == "T"]


@pytest.fixture(scope="module")
def moved(taught: list[dict[str, Any]]) -> list[str]:
    """Countries whose capital was taught: all but the last of them have another one now."""
    found = [row["subject_iri"] for row in taught if row["predicate_iri"] == CAPITAL]
    assert len(found) > 1
    return [iri.rsplit("/", 1)[1] for iri in found]


@pytest.fixture(scope="module")
def newer(older: Path, moved: list[str], infact: Infact) -> Path:
    """The last of them has no capital any more, and a country is new; ingested."""
    turtle = older.with_name("countries.ttl").read_text(encoding="utf-8")
    for number, name in enumerate(moved):
        head = re.compile(rf"(ex:{name} a ex:Country ;(?:(?!\n\n).)*?)ex:capital ex:(\w+)", re.S)
        told = "ex:twin ex:Tirana" if number == len(moved) - 1 else f"ex:capital ex:New{number}"
        turtle, done = head.subn(rf"\1{told}", turtle)
        assert done == 1
        turtle += f'\nex:New{number} a ex:City ; rdfs:label "Aardburg {number}"@en .\n'
    turtle += '\nex:Birnin a ex:City ; rdfs:label "Birnin"@en .\n' + NEW
    older.with_name("newer.ttl").write_text(turtle, encoding="utf-8")
    file = older.with_name("newer.toml")
    text = older.read_text(encoding="utf-8").replace('"countries.ttl"', '"newer.ttl"')
    file.write_text(text, encoding="utf-8")
    early = infact(file, "update")
    assert early.returncode == 2
    assert "ingest hasn't been run" in early.stderr
    assert infact(file, "ingest").returncode == 0
    return file


@pytest.fixture(scope="module")
def updated(newer: Path, infact: Infact) -> dict[str, Any]:
    done = infact(newer, "update", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "says what was true" in done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def test_the_same_graph_is_nothing_to_update(older: Path, infact: Infact) -> None:
    done = infact(older, "update", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"changed": False}
    assert "nothing to update" in done.stderr


def test_what_changed_is_counted(
    updated: dict[str, Any], moved: list[str], taught: list[dict[str, Any]]
) -> None:
    assert updated["counts"]["changed"] == len(moved) - 1
    assert updated["counts"]["removed"] == 1
    assert updated["counts"]["unchanged"] == len(taught) - len(moved)
    assert updated["counts"]["added"] == 1


def test_each_kind_is_asked_before_and_after(updated: dict[str, Any], moved: list[str]) -> None:
    asked = updated["asked"]
    assert set(asked) == {"changed", "added", "unchanged", "untouched"}
    assert asked["changed"]["before"]["n"] == len(moved) - 1
    for found in asked.values():
        change = found["difference"]
        gained = (change["gained"] - change["lost"]) / found["before"]["n"]
        assert change["difference"] == pytest.approx(gained)
        assert found["after"]["estimate"] - found["before"]["estimate"] == pytest.approx(gained)
    assert asked["changed"]["says_what_was_true"]["n"] == len(moved) - 1
    assert updated["general_text"]["before"]["kl"] == pytest.approx(0, abs=1e-6)
    assert updated["general_text"]["after"]["kl"] > 0
    assert updated["exposures"]["new"] == updated["exposures"]["replayed"] > 0


def test_the_adapter_goes_on_from_the_one_that_was_taught(
    updated: dict[str, Any], finished: dict[str, Path]
) -> None:
    was = load_file(finished["pretrain"] / "adapter" / "adapter_model.safetensors")
    now = load_file(Path(updated["folder"]) / "adapter" / "adapter_model.safetensors")
    assert set(was) == set(now)
    assert any(not was[name].equal(now[name]) for name in was)
    changes = sum(float((now[name] - was[name]).norm()) for name in was)
    assert changes < sum(float(tensor.norm()) for tensor in was.values())


def test_a_second_run_is_kept(updated: dict[str, Any], newer: Path, infact: Infact) -> None:
    again = infact(newer, "update", "--json")
    assert again.returncode == 0
    assert json.loads(again.stdout) == updated
    assert "update  kept" in again.stderr


def test_what_was_taught_stays(updated: dict[str, Any], older: Path) -> None:
    assert existing_artifacts(load_project(older), ["pretrain", "fuse"])


def test_the_new_facts_are_asked_beside_what_was_true(
    updated: dict[str, Any], taught: list[dict[str, Any]]
) -> None:
    rows = pq.read_table(Path(updated["folder"]) / "facts" / "facts.parquet").to_pylist()
    were = {row["fact"]: row["answer"] for row in taught}
    for row in rows:
        if row["fact"] in were:
            assert row["options"][row["before"]] == were[row["fact"]]
            assert row["answer"].startswith("Aardburg")
        else:
            assert row["answer"] == "Birnin"
            assert row["before"] == -1
