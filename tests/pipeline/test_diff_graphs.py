"""`infact diff`, as a user runs it."""

import json
import subprocess
from pathlib import Path

import pytest
from infact.errors import UserError
from infact.pipeline.console import Console
from infact.pipeline.diff_graphs import diff_graphs
from infact.pipeline.ingest_files import FilesToIngest, ingest_files

from ..conftest import COMMAND

OLD = """@prefix ex: <http://e.org/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
ex:a rdfs:label "Alpha" ; ex:part [ ex:of ex:c ] .
ex:b rdfs:label "Beta" .
ex:c rdfs:label "Gamma" .
"""
NEW = (
    OLD.replace('"Alpha"', '"Al\\u202Efa"')
    .replace("ex:of ex:c", "ex:of ex:b")
    .replace('"Gamma" .', '"Gamma" ; owl:deprecated true ; ex:note "x" . ex:d ex:q ex:a .')
)
TABLE = """\
old  {old}
new  {new}
triples     +2 −1
literals    +3 −1
entities    +1 −0
relations   +1 −0
names       +1 −1
relabelled  1
deprecated  1
statements by predicate
  +1 −1  http://e.org/of
  +1 −1  rdfs:label
  +1 −0  http://e.org/note
  +1 −0  http://e.org/q
  +1 −0  owl:deprecated
triples
  + _:s0b0 → of → Beta
  + http://e.org/d → q → Alfa
  − _:s0b0 → of → Gamma
literals
  + Alfa  rdfs:label: Al fa
  + Gamma  http://e.org/note: x
  + Gamma  owl:deprecated: true
  − Alpha  rdfs:label: Alpha
entities
  + http://e.org/d  http://e.org/d
relations
  + q  http://e.org/q
names
  + http://e.org/a  label: Alfa
  − http://e.org/a  label: Alpha
relabelled
  · Alpha → Alfa  http://e.org/a
deprecated
  · Gamma  http://e.org/c
"""


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two snapshots."""
    folder = tmp_path_factory.mktemp("diff")
    for content in (OLD, NEW):
        (folder / "a.ttl").write_text(content, encoding="utf-8")
        files = (str(folder / "a.ttl"),)
        ingest_files(FilesToIngest(files, folder / "graph", "", {}, False), Console())
    return folder / "graph"


def infact(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [*COMMAND, "diff", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_a_folder_alone_is_compared_with_its_last_snapshot(graph: Path) -> None:
    diff, lines = diff_graphs(graph, None, "table")
    folders = {"old": diff.old.directory, "new": diff.new.directory}
    assert "".join(f"{line}\n" for line in lines) == TABLE.format(**folders)
    assert (graph / "current").read_text().strip() == diff.new.directory.name
    again, _ = diff_graphs(diff.old.directory, graph, "table")
    assert again.added_triples.tolist() == diff.added_triples.tolist()


def test_json_has_every_count_and_the_rows(graph: Path) -> None:
    done = infact(graph.parent, "graph", "--json")
    found = json.loads(done.stdout)
    assert done.returncode == 0
    assert found["same"] is False
    assert found["counts"]["literals"] == {"added": 3, "removed": 1}
    assert found["triples"][1] == {
        "change": "added",
        "head": "http://e.org/d",
        "head_label": None,
        "relation": "http://e.org/q",
        "relation_label": "q",
        "tail": "http://e.org/a",
        "tail_label": "Alfa",
    }
    assert found["deprecated"] == [{"iri": "http://e.org/c", "label": "Gamma", "replaced_by": None}]


def test_exit_code_and_out_are_as_in_git(graph: Path) -> None:
    folder = graph.parent
    assert infact(folder, "graph", "graph", "--exit-code").returncode == 0
    done = infact(folder, "graph", "--exit-code", "--format", "patch", "--out", "a.rdfp")
    assert (done.returncode, done.stdout) == (1, "")
    lines = (folder / "a.rdfp").read_text(encoding="utf-8").splitlines()
    assert (lines[0], lines[-1], len(lines)) == ("TX .", "TC .", 9)


def test_what_can_not_be_compared(graph: Path, tmp_path: Path) -> None:
    for folder in (tmp_path, next((graph / "ingest").iterdir())):
        with pytest.raises(UserError, match="no earlier snapshot"):
            diff_graphs(folder, None, "table")
    with pytest.raises(UserError, match="holds no graph"):
        diff_graphs(graph, tmp_path, "table")
    with pytest.raises(UserError, match="table, json, patch"):
        diff_graphs(graph, None, "csv")
    done = infact(graph.parent, "graph", "--json", "--format", "patch")
    assert (done.returncode, done.stdout) == (2, "")
    done = infact(graph.parent, "graph", "--out", "nowhere/a")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 3)
