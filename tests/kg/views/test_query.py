"""Queries read this graph and nothing else: checked with a server that would hear them."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from infact.errors import UserError
from infact.kg.graph import KnowledgeGraph
from infact.kg.ingest import ingest
from infact.kg.readers.sources import Source
from infact.kg.views.query import asks_elsewhere, run_query
from pyoxigraph import QueryBoolean, QuerySolutions, QueryTriples

TURTLE = '@prefix e: <http://e/> .\ne:a e:b e:c, "SERVICE" . e:c e:b e:a .\n'
ELSEWHERE = (
    "SELECT * { SERVICE <{server}> { ?s ?p ?o } }",
    "select*{service silent<{server}>{?s ?p ?o}}",
    'SELECT * { # "\n SERVICE <{server}> { ?s ?p ?o } }',
    "SELECT * { # it's\r SERVICE <{server}> { ?s ?p ?o } }",
    "SELECT * { \\u0053ERVICE <{server}> { ?s ?p ?o } }",
    "SELECT * { ?s ?p '''it's''' . SERVICE <{server}> { ?s ?p ?o } }",
    "SELECT * { ?s e:b\\#c ?o . SERVICE <{server}> { ?s ?p ?o } }",
    "SELECT * { FILTER(1<2)SERVICE<{server}>{?s ?p ?o} }",
    "SELECT * { BIND(5 AS ?x) ?s ?p 5e3SERVICE <{server}> { ?s ?p ?o } }",
    "SELECT * { ?s ?p e:a.SERVICE <{server}> { ?s ?p ?o } }",
    "SELECT * { BIND(<{server}> AS ?x) SERVICE ?x { ?s ?p ?o } }",
    "ASK { { SELECT * { SERVICE <{server}> { ?s ?p ?o } } } }",
    "CONSTRUCT { ?s ?p ?o } { SERVICE <{server}> { ?s ?p ?o } }",
)


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> KnowledgeGraph:
    folder = tmp_path_factory.mktemp("query")
    (folder / "a.ttl").write_text(TURTLE)
    ingest([Source(folder / "a.ttl", "a.ttl")], folder / "graph")
    return KnowledgeGraph.open(folder / "graph")


def test_named_graphs_are_found_with_and_without_their_name(tmp_path: Path) -> None:
    trig = "@prefix e: <http://e/> .\ne:a e:b e:c .\ne:g { e:a e:b e:c, e:d . e:g e:b _:x }\n"
    (tmp_path / "a.trig").write_text(trig)
    summary = ingest([Source(tmp_path / "a.trig", "a.trig")], tmp_path / "graph")
    graph = KnowledgeGraph.open(tmp_path / "graph")
    assert graph.graphs == {"": 1, "http://e/g": 3}
    assert (summary.read, summary.duplicate, summary.triples) == (4, 0, 3)

    def count(pattern: str) -> int:
        found = run_query(graph, f"SELECT * {{ {pattern} }}", {"e": "http://e/"})
        assert isinstance(found, QuerySolutions)
        return len(list(found))

    assert count("?s ?p ?o") == 4  # once for each graph that it is in
    assert count("GRAPH ?g { ?s ?p ?o }") == 3
    assert count("GRAPH e:g { e:a e:b e:c }") == 1
    (tmp_path / "graph" / "graphs.parquet").unlink()  # as in graphs of the first version
    assert KnowledgeGraph.open(tmp_path / "graph").graphs == {"": 3}


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        listening.settimeout(0.05)
        yield listening


@pytest.mark.parametrize("query", ELSEWHERE)
def test_no_query_reaches_another_server(
    graph: KnowledgeGraph, server: socket.socket, query: str
) -> None:
    text = query.replace("{server}", f"http://127.0.0.1:{server.getsockname()[1]}/")
    with pytest.raises(UserError, match="SERVICE would ask another server"):
        run_query(graph, text, {"e": "http://e/"})
    with pytest.raises(TimeoutError):
        server.accept()


@pytest.mark.parametrize(
    "query",
    [
        'SELECT * { ?s ?p "SERVICE" }',
        "SELECT ?service { ?service ?p <http://x/SERVICE> }",
        "SELECT $service { # SERVICE\n $service ?p ?o }",
        "SELECT * { ?s e:service ?o ; e:my-service ?o }",
        'SELECT * { ?s ?p """a "SERVICE" b""" }',
        "SELECT ?services { ?services ?p ?o }",
    ],
)
def test_the_word_alone_is_no_reason_to_refuse(graph: KnowledgeGraph, query: str) -> None:
    assert not asks_elsewhere(query)
    run_query(graph, query, {"e": "http://e/"})


def test_every_kind_of_query_is_answered(graph: KnowledgeGraph) -> None:
    prefixes = {"e": "http://e/"}
    solutions = run_query(graph, "SELECT ?o { e:a e:b ?o }", prefixes)
    assert isinstance(solutions, QuerySolutions)
    assert len(list(solutions)) == 2
    assert isinstance(run_query(graph, "ASK { e:a e:b e:c }", prefixes), QueryBoolean)
    triples = run_query(graph, "CONSTRUCT WHERE { e:c e:b ?o }", prefixes)
    assert isinstance(triples, QueryTriples)
    assert len(list(triples)) == 1


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("INSERT DATA { e:a e:b e:c }", "can't be read"),
        ("LOAD <http://127.0.0.1/>", "can't be read"),
        ("DELETE WHERE { ?s ?p ?o }", "can't be read"),
        ("DROP ALL", "can't be read"),
        ("SELECT * { ?s ?p ?o", "can't be read"),
        ("SELECT * { f:a ?p ?o }", "the prefix 'f', which isn't declared"),
        ("", "can't be read"),
    ],
)
def test_what_is_no_reading_query_is_refused(graph: KnowledgeGraph, query: str, told: str) -> None:
    with pytest.raises(UserError, match=told):
        run_query(graph, query, {"e": "http://e/"})
    assert bool(run_query(graph, "ASK { ?s ?p ?o }", {}))
