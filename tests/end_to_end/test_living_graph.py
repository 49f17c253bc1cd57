"""A graph that is edited after training: what reads it answers from it as it is now, untrained."""

import json
from pathlib import Path
from typing import Any

import pytest

from .conftest import Infact

READ_THE_GRAPH = ("base + prompt", "fused", "fused + prompt")
UNTOUCHED = "What is the capital of Albania?"
EDITED, DELETED = "What is the capital of Estonia?", "What is the capital of Mongolia?"


@pytest.fixture(scope="module")
def edited(project: Path, finished: dict[str, Path], infact: Infact) -> Path:
    """Another capital of Estonia, nothing of Mongolia, and a predicate before all others; ingested."""
    turtle = project.with_name("countries.ttl").read_text(encoding="utf-8")
    turtle = turtle.replace("ex:capital ex:Tallinn", "ex:capital ex:Aardburg")
    parts = turtle.split("\n\n")
    kept = [part for part in parts if "ex:Mongolia a " not in part]
    assert len(kept) == len(parts) - 1
    turtle = "\n\n".join(kept).replace("ex:Mongolia", "ex:Estonia")
    turtle += '\nex:Aardburg a ex:City ; rdfs:label "Aardburg"@en ; ex:adjoins ex:Tallinn .\n'
    project.with_name("edited.ttl").write_text(turtle, encoding="utf-8")
    file = project.with_name("edited.toml")
    text = project.read_text(encoding="utf-8").replace('"countries.ttl"', '"edited.ttl"')
    file.write_text(text, encoding="utf-8")
    before = infact(file, "ask", EDITED)
    assert before.returncode == 2
    assert "ingest hasn't been run" in before.stderr
    done = infact(file, "ingest", "--json")
    assert done.returncode == 0, done.stderr
    return file


def answers(infact: Infact, file: Path, *words: str) -> dict[str, Any]:
    done = infact(file, "ask", *words, "--json")
    assert done.returncode == 0, done.stderr
    return {item["arm"]: item for item in json.loads(done.stdout)["answers"]}


def test_an_edited_fact_is_read_as_it_is_now(project: Path, edited: Path, infact: Infact) -> None:
    was, now = answers(infact, project, EDITED), answers(infact, edited, EDITED)
    for arm in READ_THE_GRAPH:
        assert any("Tallinn" in line for line in was[arm]["cited"])
        (capital,) = (line for line in now[arm]["cited"] if "Aardburg" in line)
        assert "edited.ttl:" in capital
        assert not any(": Tallinn" in line for line in now[arm]["cited"])
    for arm in set(was) - set(READ_THE_GRAPH):
        assert was[arm] == now[arm]


def test_an_edited_fact_is_explained_as_it_is_now(
    project: Path, edited: Path, infact: Infact
) -> None:
    done = infact(edited, "explain", EDITED, "--answer", "Aardburg", "--json")
    assert done.returncode == 0, done.stderr
    arms = {arm["arm"]: arm for arm in json.loads(done.stdout)["arms"]}
    for name in ("fused", "base + prompt"):
        told = [line for fact in arms[name]["facts"] for line in fact["cited"]]
        assert any("Aardburg" in line and "edited.ttl:" in line for line in told)
        assert not any(": Tallinn" in line for line in told)


def test_what_was_not_edited_is_answered_as_before(
    project: Path, edited: Path, infact: Infact
) -> None:
    """Though every number of an entity and of a relation is another."""
    was, now = answers(infact, project, UNTOUCHED), answers(infact, edited, UNTOUCHED)
    assert {arm: item["text"] for arm, item in was.items()} == {
        arm: item["text"] for arm, item in now.items()
    }
    assert any("Tirana" in line for line in now["fused"]["cited"])


def test_without_its_facts_the_base_answers(edited: Path, infact: Infact) -> None:
    now = answers(infact, edited, DELETED)
    assert now["fused"]["cited"] == []
    assert now["fused"]["text"] == now["base"]["text"] == now["base + prompt"]["text"]


def test_a_graph_can_be_named(project: Path, edited: Path, infact: Infact) -> None:
    out = project.with_name("another")
    # Without a project: the command takes files alone.
    done = infact.alone("ingest", str(edited.with_name("edited.ttl")), "--out", str(out))
    assert done.returncode == 0, done.stderr
    named = answers(infact, project, EDITED, "--graph", str(out))
    assert any("Aardburg" in line for line in named["fused"]["cited"])
    wrong = infact(project, "ask", EDITED, "--graph", str(project.with_name("nowhere")))
    assert wrong.returncode == 2
    assert "holds no graph" in wrong.stderr
