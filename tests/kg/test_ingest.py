"""A whole graph directory from small sources: what is in it, what is refused, what is counted."""

import json
import random
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from duckdb import DuckDBPyConnection, OutOfMemoryException
from hypothesis import given, settings
from hypothesis import strategies as st
from infact.errors import UserError
from infact.kg.graph import KnowledgeGraph
from infact.kg.ingest import GraphSettings, IngestSummary, ingest
from infact.kg.prefixes import UnknownPrefix
from infact.kg.readers.sources import Source, TripleTemplate
from infact.kg.statistics.graph_statistics import shape
from infact.kg.storage import statement_database
from infact.kg.storage.statement_database import StatementDatabase
from infact.kg.vocabulary import RDFS_LABEL as LABEL

TURTLE = """@prefix e: <http://e.org/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
e:rome a e:City ; rdfs:label "Rome"@en, "Roma"@it, "Roma"@it ; e:capitalOf e:italy .
e:paris a e:City ; rdfs:label "Pa\\u202Eris" ; e:capitalOf e:france ; e:twin e:rome .
e:italy rdfs:label "Italy" .
e:capitalOf rdfs:label "capital of" .
"""
OBO = (
    '[Term]\nid: CITY:1\nname: Lyon\nsynonym: "Lugdunum" RELATED []\nbad line\nis_obsolete: true\n'
)
TABLE = "id,in\ne:lyon,e:france\ne:lyon,e:france\ne:lyon,\ne:rome\n"
PREFIXES = {"e": "http://e.org/"}


def write(folder: Path, **files: str) -> list[Source]:
    """One source a file; a double underscore in the name is its dot."""
    sources = []
    for name, content in files.items():
        path = folder / name.replace("__", ".")
        path.write_bytes(content.encode())
        templates = (TripleTemplate("{id}", "e:in", object="{in}"),) if "csv" in name else ()
        sources.append(Source(path, path.name, triples=templates, version="7"))
    return sources


def balanced(entries: list[dict[str, int]]) -> bool:
    """read = stored + duplicate + rejected, none of them negative."""
    return all(
        entry["read"] == entry["stored"] + entry["duplicate"] + entry["rejected"]
        and min(entry["stored"], entry["duplicate"], entry["rejected"]) >= 0
        for entry in entries
    )


def test_the_directory_of_three_sources(tmp_path: Path) -> None:
    sources = write(tmp_path, a__ttl=TURTLE, b__obo=OBO, c__csv=TABLE)
    out = tmp_path / "graph"
    steps: list[int] = []
    summary = ingest(sources, out, PREFIXES, advance=steps.append)
    assert sum(steps) == sum(source.path.stat().st_size for source in sources)
    entries = json.loads((out / "sources.json").read_text())
    assert [
        tuple(entry[key] for key in ("name", "format", "read", "stored", "duplicate", "rejected"))
        for entry in entries
    ] == [
        ("a.ttl", "ttl", 11, 10, 1, 0),
        ("b.obo", "obo", 5, 4, 0, 1),
        ("c.csv", "csv", 4, 1, 1, 2),
    ]
    assert [set(entry) for entry in entries] == [
        {
            "name",
            "digest",
            "format",
            "bytes",
            "read",
            "stored",
            "duplicate",
            "rejected",
            "version",
            "licence",
            "url",
        }
    ] * 3
    graph = KnowledgeGraph.open(out)
    assert summary == IngestSummary(
        entities=graph.entity_count,
        relations=graph.relation_count,
        triples=len(graph.triples),
        literals=graph.literals_table.num_rows,
        names=graph.names_table.num_rows,
        unlabelled=sum(not graph.has_label(entity) for entity in range(graph.entity_count)),
        read=20,
        duplicate=2,
        rejected=3,
    )
    assert len(graph.store()) == summary.triples + summary.literals == 15
    rejected = pq.read_table(out / "rejected.parquet").to_pylist()
    assert [(row["source"], row["line"], row["text"]) for row in rejected] == [
        (1, 5, "bad line"),
        (2, 4, "e:lyon\t"),
        (2, 5, "e:rome"),
    ]
    statistics = json.loads((out / "statistics.json").read_text())
    assert statistics["entities"] == summary.entities
    assert statistics["deprecated"] == 1
    assert statistics["types"]["http://e.org/City"] == 2


def test_permuted_input_gives_the_same_bytes(tmp_path: Path) -> None:
    lines = [
        f"<http://e.org/{i % 7}> <http://e.org/p{i % 3}> {f'<http://e.org/{i % 5}>' if i % 2 else chr(34) + str(i % 11) + chr(34)} ."
        for i in range(60)
    ] + [
        f'<http://e.org/{i % 4}> <http://www.w3.org/2000/01/rdf-schema#label> "name {i}" .'
        for i in range(9)
    ]
    written = []
    for seed in range(3):
        random.Random(seed).shuffle(lines)
        (source,) = write(tmp_path, a__nt="\n".join(lines))
        ingest([source], tmp_path / str(seed))
        names = (
            "entities.parquet",
            "names.parquet",
            "relations.parquet",
            "triples.npy",
            "statistics.json",
        )
        written.append([(tmp_path / str(seed) / name).read_bytes() for name in names])
    assert written[0] == written[1] == written[2]


def test_more_memory_is_taken_where_it_is_too_little(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = (
        f'<http://e.org/{n}> <{LABEL}> "name {n}" .\n<http://e.org/{n}> <http://e.org/p> '
        f"<http://e.org/{7 * n % 40_009}> ."
        for n in range(40_000)
    )
    (source,) = write(tmp_path, a__nt="\n".join(lines))
    ingest([source], tmp_path / "enough")
    allowed = []
    allow = StatementDatabase._allow

    def counted(self: StatementDatabase, connection: DuckDBPyConnection, memory: float) -> None:
        allow(self, connection, memory)
        allowed.append(self._memory)

    monkeypatch.setattr(StatementDatabase, "_allow", counted)
    monkeypatch.setattr(statement_database, "LEAST", 4_000_000)
    monkeypatch.setattr(statement_database, "BYTES_PER_ROOT", 1)
    ingest([source], tmp_path / "scarce")
    assert allowed[0] < max(allowed)
    for path in (tmp_path / "enough").glob("*.*"):
        assert (tmp_path / "scarce" / path.name).read_bytes() == path.read_bytes(), path.name
    monkeypatch.setattr(statement_database, "MOST", 4_000_000)
    with pytest.raises(OutOfMemoryException):
        ingest([source], tmp_path / "none")


def test_source_order_changes_origins_only(tmp_path: Path) -> None:
    sources = write(
        tmp_path,
        a__ttl=TURTLE,
        b__nt="<http://e.org/rome> <http://e.org/capitalOf> <http://e.org/italy> .\n",
    )
    ingest(sources, tmp_path / "one")
    ingest(sources[::-1], tmp_path / "two")
    one, two = KnowledgeGraph.open(tmp_path / "one"), KnowledgeGraph.open(tmp_path / "two")
    assert np.array_equal(one.triples, two.triples)
    (row,) = one.outgoing(one.entity("http://e.org/rome"))[:1]
    assert one.origin(row).source == "a.ttl"
    assert (two.origin(row).source, two.origin(row).line) == ("b.nt", 1)


@pytest.mark.parametrize("name", ["b__obo", "c__csv"])
def test_strict_stops_at_the_first_rejection(tmp_path: Path, name: str) -> None:
    content = {"b__obo": OBO, "c__csv": TABLE}[name]
    sources = write(tmp_path, **{name: content})
    with pytest.raises(UserError) as raised:
        ingest(sources, tmp_path / "graph", PREFIXES, GraphSettings(strict=True))
    line = {"b__obo": 5, "c__csv": 4}[name]
    assert raised.value.where.startswith(f"{sources[0].name}:{line}")


def test_a_missing_file_names_the_nearest(tmp_path: Path) -> None:
    write(tmp_path, cities__ttl=TURTLE)
    with pytest.raises(UserError, match=r"cities\.ttl"):
        ingest([Source(tmp_path / "citis.ttl", "citis")], tmp_path / "graph")


def test_the_first_byte_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.nt"
    path.write_bytes(b"# " + b"x" * (1 << 20) + b"\n# \xc3\xa9 caf\xe9\n")
    with pytest.raises(UserError, match="0xe9") as raised:
        ingest([Source(path, "a.nt")], tmp_path / "graph")
    assert raised.value.where == "a.nt:2"
    assert str(path.read_bytes().index(b"\xe9\n")) in raised.value.what


@pytest.mark.parametrize("content", ["", "# nothing\n", "nonsense\n"])
def test_an_empty_graph_is_a_mistake(tmp_path: Path, content: str) -> None:
    with pytest.raises(UserError, match="empty"):
        ingest(write(tmp_path, a__nt=content), tmp_path / "graph")


def test_an_unknown_format_lists_the_known(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="jsonld"):
        ingest(write(tmp_path, a__docx="x"), tmp_path / "graph")


def test_label_predicates_choose_the_label(tmp_path: Path) -> None:
    nt = '<http://e.org/a> <http://e.org/title> "Title" .\n<http://e.org/a> <http://www.w3.org/2000/01/rdf-schema#label> "Label" .\n'
    ingest(
        write(tmp_path, a__nt=nt),
        tmp_path / "graph",
        PREFIXES,
        GraphSettings(label_predicates=("e:title", "rdfs:label")),
    )
    graph = KnowledgeGraph.open(tmp_path / "graph")
    assert graph.label(0) == "Title"
    assert {(name.text, name.kind) for name in graph.names_of(0)} == {
        ("Title", "label"),
        ("Label", "label"),
    }
    with pytest.raises(UserError, match="nope"):
        ingest([], tmp_path / "other", settings=GraphSettings(label_predicates=("nope:x",)))


@pytest.mark.parametrize(
    ("edges", "depth", "cyclic"), [("ab bc cd ad", 3, 0), ("ab bc ca dc", 0, 4), ("ab cd", 1, 0)]
)
def test_shape_of_a_hierarchy(edges: str, depth: int, cyclic: int) -> None:
    rows = np.array([(ord(child), ord(parent)) for child, parent in edges.split()], np.int32)
    found = shape(rows, 128)
    assert (found["edges"], found["depth"], found["in_or_below_cycles"]) == (
        len(edges.split()),
        depth,
        cyclic,
    )


SOUND = {
    "a__nt": "",
    "b__obo": OBO,
    "c__csv": TABLE,
    "d__tsv": TABLE.replace(",", "\t"),
    "e__nq": "",
}
LINE = '<http://e.org/{}> <http://e.org/p> "{}" .\n'


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(sorted(SOUND)),
    st.lists(
        st.tuples(st.integers(0, 400), st.sampled_from('!"\\{}[]: \n\t,\x00é\x85\r\u2028<>.')),
        max_size=8,
    ),
)
def test_no_line_of_a_malformed_file_is_lost(
    tmp_path_factory: pytest.TempPathFactory, name: str, spoilt: list[tuple[int, str]]
) -> None:
    content = SOUND[name] or "".join(LINE.format(i % 4, i % 3) for i in range(15))
    letters = list(content)
    for place, letter in spoilt:
        letters[place % len(letters)] = letter
    folder = tmp_path_factory.mktemp("spoilt")
    sources = write(folder, **{name: "".join(letters)})
    if name == "d__tsv":
        sources = [
            Source(sources[0].path, "d", triples=(TripleTemplate("{id}", "e:in", object="{in}"),))
        ]
    try:
        summary = ingest(sources, folder / "graph", PREFIXES)
    except UserError:  # the header is spoilt, or no statement is left: said, not lost
        return
    entries = json.loads((folder / "graph" / "sources.json").read_text())
    assert balanced(entries)
    assert summary.rejected == pq.read_table(folder / "graph" / "rejected.parquet").num_rows
    if not spoilt:
        assert (name in ("a__nt", "e__nq")) == (summary.rejected == 0)


UNKNOWN = "id,in\nUMLS:C1,e:france\nUMLS:C2,e:france\nUMLS:C1,MESH:3\ne:rome,e:italy\n"


@pytest.mark.parametrize(
    ("policy", "triples", "rejected", "counts"),
    [("drop", 1, 3, {"UMLS": 2}), ("keep", 4, 0, {"UMLS": 2, "MESH": 1})],
)
def test_unknown_prefixes_are_dropped_or_kept_and_counted(
    tmp_path: Path, policy: UnknownPrefix, triples: int, rejected: int, counts: dict[str, int]
) -> None:
    sources = write(tmp_path, a__csv=UNKNOWN, b__ttl=TURTLE)
    settings = GraphSettings(unknown_prefix=policy)
    summary = ingest(sources[:1], tmp_path / "graph", PREFIXES, settings)
    assert (summary.triples, summary.rejected) == (triples, rejected)
    assert summary.unknown_prefixes == counts
    entries = json.loads((tmp_path / "graph" / "sources.json").read_text())
    assert balanced(entries)
    assert entries[0]["unknown_prefixes"] == counts
    ingest(sources[1:], tmp_path / "known", PREFIXES, settings)
    assert "unknown_prefixes" not in (tmp_path / "known" / "sources.json").read_text()


def test_the_first_unknown_prefix_fails_with_its_place_and_how_to_declare_it(
    tmp_path: Path,
) -> None:
    (source,) = write(tmp_path, a__csv=UNKNOWN.replace("id,in\n", "id,in\n,e:x\n"))
    with pytest.raises(UserError) as caught:
        ingest([source], tmp_path / "g", PREFIXES, GraphSettings(unknown_prefix="fail"))
    assert "the prefix 'UMLS' of 'UMLS:C1' is not declared" in caught.value.what
    assert caught.value.where.startswith("a.csv:3")
    assert "--prefix UMLS=" in caught.value.fix


def test_a_setting_with_an_unknown_prefix_is_never_kept(tmp_path: Path) -> None:
    settings = GraphSettings(hierarchy=("nope:broader",), unknown_prefix="keep")
    with pytest.raises(UserError, match="'nope'"):
        ingest(write(tmp_path, a__ttl=TURTLE), tmp_path / "g", PREFIXES, settings)


def test_what_a_source_says_in_other_words_stands_under_its_name(tmp_path: Path) -> None:
    ontology = """@prefix e: <http://e.org/> . @prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix xl: <http://www.w3.org/2008/05/skos-xl#> .
e:heart a owl:Class ; xl:prefLabel e:l ; rdfs:subClassOf
    [ a owl:Restriction ; owl:onProperty e:part_of ; owl:someValuesFrom e:body ] .
e:l xl:literalForm "heart"@en .
"""
    sources = write(tmp_path, a__ttl=ontology, b__nt="<x:a> <x:b> <x:c> .\n")
    summary = ingest(sources, tmp_path / "graph")
    graph = KnowledgeGraph.open(tmp_path / "graph")
    heart, body = graph.entity("http://e.org/heart"), graph.entity("http://e.org/body")
    part_of = graph.relation("http://e.org/part_of")
    assert graph.objects(heart, part_of).tolist() == [body]
    assert graph.label(heart) == "heart"
    (row,) = [row for row in graph.outgoing(heart).tolist() if graph.triples[row, 1] == part_of]
    assert graph.origin(row).source == "a.ttl (derived)"
    assert balanced(graph.sources)  # type: ignore[arg-type]
    assert [(entry["name"], entry["read"]) for entry in graph.sources] == [
        ("a.ttl", 7),
        ("b.nt", 1),
        ("a.ttl (derived)", 2),
    ]
    assert len(graph.store()) == summary.triples + summary.literals == 10
