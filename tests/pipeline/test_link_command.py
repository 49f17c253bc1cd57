"""The command line of `infact link`: what is asked of whom, and what is refused."""

import gzip
import json
import shlex
from pathlib import Path

import pytest
from infact.errors import UserError
from infact.pipeline import link_command
from infact.pipeline.cli import app
from typer.testing import CliRunner

from ..linked_graph import IRI, make_graph

README = Path(__file__).resolve().parents[2] / "README.md"


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(make_graph(tmp_path_factory.mktemp("linked") / "graph"))


def said(*arguments: str) -> str:
    found = CliRunner().invoke(app, ["link", *arguments], catch_exceptions=False)
    assert found.exit_code == 0
    return found.stdout


def test_a_text_is_shown(graph: str) -> None:
    assert said("--graph", graph, "--text", "Gout?") == f"[Gout → Gout {IRI}gout]?\n"
    told = json.loads(said("--graph", graph, "--text", "Gout?", "--json"))
    assert told["text"] == "Gout?"
    assert [mention["iri"] for mention in told["mentions"]] == [IRI + "gout"]


@pytest.mark.parametrize("root", ["Disease", IRI + "disease", "ex:disease"])
def test_a_root_by_name_iri_and_short_form(graph: str, root: str) -> None:
    options = ("--root", root, "--prefix", f"ex={IRI}", "--hierarchy", "rdfs:subClassOf")
    line = said("--graph", graph, "--text", "gout on a planet", *options)
    assert line == f"[gout → Gout {IRI}gout] on a planet\n"


def test_texts_with_fields_of_other_names(graph: str, tmp_path: Path) -> None:
    texts, out = tmp_path / "a.json", tmp_path / "m"
    texts.write_text('{"body": "gout", "key": 7}\n')
    fields = ("--text-field", "body", "--id-field", "key", "--read-as", "jsonl")
    said(str(texts), "--graph", graph, "--out", str(out), "--format", "jsonl", *fields)
    row = json.loads(out.read_text())
    assert (row["document"], row["mentions"][0]["iri"]) == ("7", IRI + "gout")


def test_the_commands_of_the_readme(
    graph: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    section = README.read_text(encoding="utf-8").split("## Linking alone")[1].split("```")[1]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "graph").symlink_to(graph)
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text("gout and long slender fingers")
    with gzip.open("notes.jsonl.gz", "wt") as file:
        file.write('{"id": "b", "text": "podagra"}')
    commands = [shlex.split(line, comments=True) for line in section.strip().splitlines()]
    assert len(commands) == 5
    (tmp_path / "new").symlink_to(graph)
    for name, link, *arguments in commands:
        assert (name, link) == (".venv/bin/infact", "link")
        # Of this graph's entities, not of another's.
        said(*(each.replace("Phenotypic abnormality", "Disease") for each in arguments))
    assert sorted(path.name for path in tmp_path.iterdir() if "." in path.name) == [
        *("mentions.html", "mentions.jsonl", "mentions.jsonl.documents.arrow"),
        *("mentions.parquet", "mentions.parquet.documents.arrow"),
        *("mentions.spacy", "mentions.spacy.documents.arrow", "notes.jsonl.gz"),
        *("now.parquet", "now.parquet.changes.jsonl", "now.parquet.documents.arrow"),
    ]


def test_without_texts_it_is_the_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(link_command, "run_targets", lambda *given: asked.append(given))
    said("-c", "my.toml", "--json")
    assert asked == [(["link"], Path("my.toml"), True)]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--graph", "GRAPH"], "--graph is given without texts"),
        (["--out", "m.jsonl"], "--out is given without texts"),
        (["a.txt", "--graph", "GRAPH"], "--out is missing"),
        (["a.txt", "--graph", "GRAPH", "--text", "x"], "--text is given with files"),
        (["--graph", "GRAPH", "--text", "x", "--out", "m.jsonl"], "--text is given with --out"),
        (["--graph", "GRAPH", "--text", "x", "--root", "Unheard"], "no entity 'Unheard'"),
        (["--graph", "GRAPH", "--text", "x", "--hierarchy", "no:prefix"], "prefix"),
        (["--graph", "nowhere", "--text", "x"], "holds no graph"),
        (["gone.txt", "--graph", "GRAPH", "--out", "m.jsonl"], "no such file"),
        (["--refresh", "m.parquet"], "--refresh is given without texts"),
        (
            ["--graph", "GRAPH", "--text", "x", "--refresh", "m.parquet"],
            "--text is given with --ref",
        ),
        (
            ["a.txt", "--graph", "GRAPH", "--out", "n.jsonl", "--refresh", "m.parquet"],
            "--refresh is given without --old-graph",
        ),
    ],
)
def test_what_is_refused(
    graph: str, arguments: list[str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    given = [graph if argument == "GRAPH" else argument for argument in arguments]
    with pytest.raises(UserError, match=words):
        CliRunner().invoke(app, ["link", *given], catch_exceptions=False)
    assert list(tmp_path.iterdir()) == []
