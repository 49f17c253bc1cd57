"""The ingest and link stages on a small project, through the runner."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from infact.errors import UserError
from infact.kg.graph import KnowledgeGraph
from infact.pipeline.console import Console
from infact.pipeline.link_stage import text_documents
from infact.pipeline.project import Project, load_project
from infact.pipeline.run import run_stages

TURTLE = """\
@prefix ex: <http://example.org/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
ex:paris rdfs:label "Paris"@en ; ex:capitalOf ex:france ; skos:note "not read" ;
    rdfs:comment "Paris is the capital of the French Republic, 🗼 of France." .
ex:france rdfs:label "France"@en ; skos:altLabel "French Republic"@en ;
    rdfs:comment "A country.", "Its capital is Paris." .
"""
TABLE = "# made by hand\nid,capital,status\nitaly,rome,yes\nspain,madrid,no\n"
PROJECT = """\
[prefixes]
ex = "http://example.org/"
[[source]]
path = "graph.ttl"
licence = "CC0-1.0"
[[source]]
path = "capitals.csv"
comment = "#"
[[source.triples]]
subject = "ex:{capital}"
predicate = "ex:capitalOf"
object = "ex:{id}"
where = { status = "yes" }
"""


def project_in(folder: Path, text: str = PROJECT) -> Project:
    (folder / "graph.ttl").write_text(TURTLE, encoding="utf-8")
    (folder / "capitals.csv").write_text(TABLE, encoding="utf-8")
    (folder / "infact.toml").write_text(text, encoding="utf-8")
    return load_project(folder / "infact.toml")


def test_sources_become_a_graph_and_are_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = run_stages(project_in(tmp_path), ["ingest"], Console())
    graph = KnowledgeGraph.open(folders["ingest"])
    capital_of = graph.relation("http://example.org/capitalOf")
    pairs = {
        (graph.iri(head), graph.iri(tail))
        for head, relation, tail in graph.triples.tolist()
        if relation == capital_of
    }
    assert pairs == {
        ("http://example.org/paris", "http://example.org/france"),
        ("http://example.org/rome", "http://example.org/italy"),
    }
    said = capsys.readouterr().out
    assert "4 entities" in said
    assert "0 rejected" in said


def test_links_the_texts_that_the_settings_name(tmp_path: Path) -> None:
    folders = run_stages(project_in(tmp_path), ["link"], Console())
    graph = KnowledgeGraph.open(folders["ingest"])
    documents = pq.read_table(folders["link"] / "documents.parquet").to_pylist()
    mentions = pq.read_table(folders["link"] / "mentions.parquet").to_pylist()
    texts = {row["document"]: row["text"] for row in documents}
    assert len(texts) == len(documents) == 3
    assert "not read" not in texts.values()
    found = set()
    for row in mentions:
        text = texts[row["document"]]
        assert text[row["start"] : row["end"]] == row["surface"]
        found.add((row["surface"], graph.label(row["entity"])))
    assert found == {("Paris", "Paris"), ("French Republic", "France"), ("France", "France")}


def test_documents_are_ordered_numbered_and_limited(tmp_path: Path) -> None:
    folders = run_stages(project_in(tmp_path), ["ingest"], Console())
    graph = KnowledgeGraph.open(folders["ingest"])
    comment = "http://www.w3.org/2000/01/rdf-schema#comment"
    rows = text_documents(graph, [comment], None).to_pylist()
    france = f"http://example.org/france {comment}"
    assert [row["document"] for row in rows[:2]] == [f"{france} 0", f"{france} 1"]
    assert [row["text"] for row in rows[:2]] == ["A country.", "Its capital is Paris."]
    assert text_documents(graph, [comment], 2).to_pylist() == rows[:2]
    assert text_documents(graph, [], None).num_rows == 0


def test_a_graph_without_texts_is_said_and_no_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = project_in(tmp_path, PROJECT + '[link]\ntext_predicates = ["ex:nothing"]\n')
    folders = run_stages(project, ["link"], Console())
    assert "no text" in capsys.readouterr().out
    assert pq.read_table(folders["link"] / "mentions.parquet").num_rows == 0


def test_undeclared_prefix_names_the_setting(tmp_path: Path) -> None:
    project = project_in(tmp_path, PROJECT + '[link]\ntext_predicates = ["nope:text"]\n')
    with pytest.raises(UserError, match="nope") as caught:
        run_stages(project, ["link"], Console())
    assert caught.value.where == "link.text_predicates"


def test_absolute_paths_stay_out_of_artifacts(tmp_path: Path) -> None:
    project_in(tmp_path)
    text = PROJECT.replace('path = "graph.ttl"', f'path = "{tmp_path}/graph.ttl"')
    folders = run_stages(project_in(tmp_path, text), ["ingest"], Console())
    for name in ("manifest.json", "sources.json"):
        assert str(tmp_path) not in (folders["ingest"] / name).read_text(encoding="utf-8")


def test_a_source_is_read_in_the_languages_that_it_names(tmp_path: Path) -> None:
    project = PROJECT.replace('licence = "CC0-1.0"', 'languages = ["de"]')
    graph = KnowledgeGraph.open(
        run_stages(project_in(tmp_path, project), ["ingest"], Console())["ingest"]
    )
    paris = graph.entity("http://example.org/paris")
    assert graph.label(paris) != "Paris"
    with pytest.raises(UserError, match="languages"):
        project_in(tmp_path, PROJECT.replace('licence = "CC0-1.0"', 'languages = ["en_GB"]'))
