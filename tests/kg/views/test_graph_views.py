"""Views of a graph against the statements that it was read from, and rdflib's own reading."""

from pathlib import Path

import networkx
import pytest
import rdflib
from hypothesis import given, settings
from hypothesis import strategies as st
from infact.kg.graph import KnowledgeGraph
from rdflib.compare import isomorphic

from ..test_graph import EX, NT, opened

TYPED = """<http://e.org/a> <http://e.org/size> "1"^^<http://www.w3.org/2001/XMLSchema#integer> .
<http://e.org/a> <http://e.org/says> "a \\"quoted\\"\\nline" .
<http://e.org/a> <http://e.org/share> "1.50"^^<http://www.w3.org/2001/XMLSchema#decimal> .
<http://e.org/a> <http://e.org/has> _:one .
_:one <http://e.org/has> _:two .
_:two <http://e.org/says> "deep"@en-gb .
_:two <http://e.org/has> _:one .
"""


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> KnowledgeGraph:
    return opened(tmp_path_factory.mktemp("graph"), NT + TYPED)


def test_rdflib_holds_what_rdflib_reads(graph: KnowledgeGraph) -> None:
    own = rdflib.Graph().parse(data=NT + TYPED, format="nt")
    made = graph.to_rdflib(prefixes={"ex": EX})
    assert isomorphic(made, own)
    assert ("ex", rdflib.URIRef(EX)) in list(made.namespaces())
    assert "ex:nextOf_it" in made.serialize(format="turtle")


def test_rdflib_of_some_entities_takes_blank_nodes_along(graph: KnowledgeGraph) -> None:
    own = rdflib.Graph().parse(data=NT + TYPED, format="nt")
    a, x = rdflib.URIRef(EX + "a"), rdflib.URIRef(EX + "has")
    (blank,) = own.objects(a, x)
    wanted = {a, blank, *own.objects(blank, x)}
    expected = rdflib.Graph()
    for statement in own:
        if statement[0] in wanted:
            expected.add(statement)
    assert isomorphic(graph.to_rdflib([graph.entity(EX + "a")]), expected)


def test_a_string_has_no_datatype_and_numbers_are_normalized_as_rdflib_does(tmp_path: Path) -> None:
    xsd = "http://www.w3.org/2001/XMLSchema#"
    lines = f'<{EX}a> <{EX}p> "x"^^<{xsd}string> .\n<{EX}a> <{EX}p> "01"^^<{xsd}integer> .\n'
    values = set(opened(tmp_path, lines).to_rdflib().objects())
    assert values == {rdflib.Literal("x"), rdflib.Literal(1)}


def test_triples_table(graph: KnowledgeGraph) -> None:
    table = graph.triples_table()
    assert [tuple(row.values()) for row in table.to_pylist()] == [
        (
            graph.iri(head),
            graph.label(head) if graph.has_label(head) else None,
            graph.relation_iri(relation),
            graph.relation_label(relation),
            graph.iri(tail),
            graph.label(tail) if graph.has_label(tail) else None,
        )
        for head, relation, tail in graph.triples.tolist()
    ]
    assert sum(batch.num_rows for batch in table.to_reader(max_chunksize=2)) == len(graph.triples)


def test_neighbours(graph: KnowledgeGraph) -> None:
    next_of = graph.relation(EX + "nextOf_it")
    for entity in range(graph.entity_count):
        for relation in (None, next_of):
            expected = {
                way: [
                    {"relation": r, "entity": other, "direction": way, "row": row}
                    for row, (h, r, t) in enumerate(graph.triples.tolist())
                    for own, other in [(h, t) if way == "out" else (t, h)]
                    if own == entity and relation in (None, r)
                ]
                for way in ("out", "in")
            }
            expected["in"].sort(key=lambda row: (row["relation"], row["entity"]))
            expected["both"] = expected["out"] + expected["in"]
            for way, rows in expected.items():
                assert graph.neighbours(entity, relation, way).to_pylist() == rows  # type: ignore[arg-type]


small = st.integers(0, 7)


@settings(max_examples=30, deadline=None)
@given(
    st.sets(st.tuples(small, st.integers(0, 1), small), min_size=1, max_size=12),
    st.sets(small, max_size=3),
    st.integers(0, 3),
)
def test_networkx_of_the_surroundings(
    tmp_path_factory: pytest.TempPathFactory,
    statements: set[tuple[int, int, int]],
    chosen: set[int],
    steps: int,
) -> None:
    nt = "".join(f"<{EX}{h}> <{EX}p{r}> <{EX}{t}> .\n" for h, r, t in statements)
    graph = opened(tmp_path_factory.mktemp("graph"), nt)
    whole = networkx.MultiDiGraph()
    whole.add_nodes_from(range(graph.entity_count))
    whole.add_edges_from((h, t, r) for h, r, t in graph.triples.tolist())
    entities = {entity for entity in chosen if entity < graph.entity_count}
    near = {
        other
        for entity in entities
        for other in networkx.ego_graph(whole, entity, steps, undirected=True)
    }
    made = graph.to_networkx(entities, steps)
    expected = whole.subgraph(near)
    assert set(made.nodes) == set(expected.nodes)
    assert set(made.edges(keys=True)) == set(expected.edges(keys=True))
    assert all(made.nodes[n] == {"iri": graph.iri(n), "label": graph.label(n)} for n in made)
