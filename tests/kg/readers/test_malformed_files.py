"""Bad input can't hurt: it is told with its place, or read around, and every statement is counted."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from infact.errors import UserError
from infact.kg.graph import KnowledgeGraph
from infact.kg.ingest import ingest
from infact.kg.readers.blocks import Block
from infact.kg.readers.sources import Source, TripleTemplate
from infact.kg.statistics import graph_statistics

from .malformed_files import FRAMES, MalformedFile, malformed_files, subject, valid

FILES = malformed_files()
PREFIXES = {"e": "http://e.org/"}
LABELLED = (TripleTemplate("{id}", "rdfs:label", literal="{label}"),)
TABLES = (".csv", ".tsv")
WITHOUT_LINES = (".jsonld",)


class NoStore:
    """Stands for the store, whose files cost more time than all else: `test_…_together` writes it."""

    def __init__(self, directory: Path) -> None:
        directory.parent.mkdir(exist_ok=True)

    def __enter__(self) -> "NoStore":
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def add(self, block: Block) -> None:
        pass

    def end(self) -> None:
        pass

    def finish(self) -> None:
        pass


COUNTED = ("entities", "relations", "triples", "literals", "names", "unlabelled")


def no_statistics(*_: object) -> dict[str, int]:
    """Stand for the statistics, which are made of the same texts there."""
    return dict.fromkeys(COUNTED, 0)


def source(folder: Path, file: MalformedFile) -> Source:
    """The file, written into the folder."""
    path = folder / file.name
    path.write_bytes(file.content)
    templates = LABELLED if file.name.endswith(TABLES) else ()
    return Source(path, file.name, triples=templates)


def ingested(folder: Path, file: MalformedFile) -> Path:
    """The graph directory made from the file."""
    ingest([source(folder, file)], folder / "graph", PREFIXES)
    return folder / "graph"


def check_refusal(file: MalformedFile, told: UserError) -> None:
    """A refusal says what, where and how to mend it, and no good statement could have been kept."""
    assert not file.kept, str(told)
    assert told.where.startswith(file.name)
    assert told.what
    assert told.fix
    assert len(str(told)) < 1000


def stored_subjects(graph: Path) -> set[str]:
    """Subjects of a literal."""
    entities = pq.read_table(graph / "entities.parquet", columns=["iri"])["iri"].to_pylist()
    literals = pq.read_table(graph / "literals.parquet", columns=["entity"])["entity"].to_pylist()
    return {entities[number] for number in literals}


def test_there_are_many_and_each_is_another() -> None:
    assert len({file.name for file in FILES}) == len(FILES) >= 200
    assert {file.name.rpartition(".")[2] for file in FILES} >= {*FRAMES, "gz", "bz2", "zst"}


@pytest.mark.parametrize("extension", FRAMES)
def test_a_valid_file_is_read_whole(extension: str, tmp_path: Path) -> None:
    graph = ingested(tmp_path, MalformedFile(f"a.{extension}", valid(extension)))
    assert stored_subjects(graph) >= set(map(subject, range(4)))
    assert pq.read_table(graph / "rejected.parquet").num_rows == 0


@pytest.mark.parametrize("file", FILES, ids=[file.name for file in FILES])
def test_a_malformed_file_is_told_or_read_around(
    file: MalformedFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infact.kg.ingest.StoreWriter", NoStore)
    monkeypatch.setattr(graph_statistics, "graph_statistics", no_statistics)
    monkeypatch.setattr("infact.kg.ingest.write_findings", lambda out: None)
    try:
        graph = ingested(tmp_path, file)
    except UserError as error:
        check_refusal(file, error)
        return
    (entry,) = json.loads((graph / "sources.json").read_text(encoding="utf-8"))
    counts = [entry[key] for key in ("stored", "duplicate", "rejected")]
    assert entry["read"] == sum(counts) > 0
    assert min(counts) >= 0
    rejected = pq.read_table(graph / "rejected.parquet").to_pylist()
    assert len(rejected) == entry["rejected"]
    for row in rejected:
        assert row["line"] > 0 or file.name.endswith(WITHOUT_LINES), row
        assert row["reason"], row
        assert len(row["reason"]) + len(row["text"]) < 1000
    assert stored_subjects(graph) >= set(map(subject, range(file.kept)))


def test_what_is_kept_is_stored_together(tmp_path: Path) -> None:
    sources = [source(tmp_path, file) for file in FILES if file.kept]
    summary = ingest(sources, tmp_path / "graph", PREFIXES)
    assert len(sources) > 100
    graph = KnowledgeGraph.open(tmp_path / "graph")
    assert len(graph.store()) == summary.read - summary.duplicate - summary.rejected > 20
