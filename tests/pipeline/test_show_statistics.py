"""`infact statistics`, as a user runs it."""

import json
from pathlib import Path

import pytest
from infact.errors import UserError
from infact.kg.graph import KnowledgeGraph
from infact.kg.ingest import ingest
from infact.kg.prefixes import Prefixes
from infact.kg.readers.sources import Source
from infact.pipeline.chosen_graph import ChosenGraph
from infact.pipeline.console import Console
from infact.pipeline.show_statistics import show_statistics
from infact.pipeline.statistics_tables import percent

EX = "http://e.org/"
TURTLE = f"""@prefix e: <{EX}> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
e:near rdfs:range e:Place .
e:a a e:Place ; rdfs:label "A \\u202E beast"@en ; rdfs:subClassOf e:b .
""" + "".join(f"e:a{n} e:near e:b{n} . e:b{n} e:near e:a{n} .\n" for n in range(30))


@pytest.fixture(scope="module")
def chosen(tmp_path_factory: pytest.TempPathFactory) -> ChosenGraph:
    folder = tmp_path_factory.mktemp("graph")
    (folder / "a.ttl").write_text(TURTLE, encoding="utf-8")
    ingest([Source(folder / "a.ttl", "a.ttl")], folder / "out")
    return ChosenGraph(KnowledgeGraph.open(folder / "out"), Prefixes({"e": EX}))


def test_tables(chosen: ChosenGraph, capsys: pytest.CaptureFixture[str]) -> None:
    show_statistics(chosen, Console())
    printed = capsys.readouterr().out
    rows = [line.split() for line in printed.splitlines()]
    assert ["triples", "63"] in rows
    one = ["1.00", "1", "1"]
    assert ["e:near", "1:1", "60", "60", "60", *one, *one, "100.0", "%"] in rows
    assert ["symmetric", "e:near", "60", "100.0", "%"] in rows
    assert ["e:near", "untyped", "100.0", "%", "untyped", "100.0", "%", "–", "0.0", "%"] in rows
    assert ["en", "1", "1"] in rows
    assert "\u202e" not in printed


def test_json_is_the_file(chosen: ChosenGraph, capsys: pytest.CaptureFixture[str]) -> None:
    show_statistics(chosen, Console(json_wanted=True))
    file = chosen.graph.directory / "statistics.json"
    assert json.loads(capsys.readouterr().out) == json.loads(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("content", [None, '{"entities": 3}'])
def test_a_graph_of_an_older_infact(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "statistics.json").write_text(content)
    with pytest.raises(UserError, match="older infact"):
        show_statistics(ChosenGraph(KnowledgeGraph(tmp_path), Prefixes()), Console())


def test_rounding_never_makes_all_or_nothing() -> None:
    shares = (0, 0.00001, 0.5, 0.99999, 1)
    assert [percent(share) for share in shares] == [
        "0.0 %",
        "<0.1 %",
        "50.0 %",
        "99.9 %",
        "100.0 %",
    ]
