"""An opened graph answers as a plain loop over its statements does."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from infact.errors import UserError
from infact.kg.graph import KnowledgeGraph
from infact.kg.graph_records import Name, Origin
from infact.kg.ingest import ingest
from infact.kg.readers.sources import Source

EX = "http://e.org/"
NT = """<http://e.org/a> <http://www.w3.org/2000/01/rdf-schema#label> "Alpha\\u202E beast"@en .
<http://e.org/a> <http://www.w3.org/2000/01/rdf-schema#label> "Alpha"@de .
<http://e.org/a> <http://www.geneontology.org/formats/oboInOwl#hasBroadSynonym> "first" .
<http://e.org/a> <http://www.geneontology.org/formats/oboInOwl#hasExactSynonym> "first" .
<http://e.org/a> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <http://e.org/Letter> .
<http://e.org/a> <http://e.org/nextOf_it> <http://e.org/b> .
<http://e.org/c> <http://e.org/nextOf_it> <http://e.org/b> .
<http://e.org/b> <http://e.org/nextOf_it> <http://e.org/b> .
<http://e.org/c> <http://www.w3.org/2002/07/owl#deprecated> "true"^^<http://www.w3.org/2001/XMLSchema#boolean> .
_:x <http://e.org/nextOf_it> <http://e.org/a> .
"""


def opened(folder: Path, content: str) -> KnowledgeGraph:
    (folder / "a.nt").write_text(content, encoding="utf-8")
    ingest([Source(folder / "a.nt", "letters")], folder / "graph")
    return KnowledgeGraph.open(folder / "graph")


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> KnowledgeGraph:
    return opened(tmp_path_factory.mktemp("graph"), NT)


def test_entities(graph: KnowledgeGraph) -> None:
    iris = [graph.iri(entity) for entity in range(graph.entity_count)]
    assert iris == sorted([EX + "a", EX + "b", EX + "c", EX + "Letter", "_:s0b0"])
    a, b, c = (graph.entity(EX + letter) for letter in "abc")
    assert (graph.label(a), graph.has_label(a)) == ("Alpha beast", True)
    assert (graph.label(b), graph.has_label(b)) == ("b", False)
    assert graph.types(a) == (graph.entity(EX + "Letter"),)
    assert (graph.deprecated(a), graph.deprecated(c)) == (False, True)
    assert [graph.degree(entity) for entity in (a, b, c)] == [3, 4, 1]
    assert graph.names_of(a) == (
        Name("Alpha", "label", "de"),
        Name("Alpha beast", "label", "en"),
        Name("first", "exact", ""),
    )
    assert graph.names_of(b) == ()


def test_relations(graph: KnowledgeGraph) -> None:
    number = graph.relation(EX + "nextOf_it")
    assert graph.relation_iri(number) == EX + "nextOf_it"
    assert graph.relation_label(number) == "next of it"
    found = graph.relations[number]
    assert (found.triples, found.subjects, found.objects, found.cardinality) == (4, 4, 2, "N:1")
    assert graph.relation_count == 2


def test_literals_carry_their_line(graph: KnowledgeGraph) -> None:
    (literal,) = graph.literals(graph.entity(EX + "c"))
    assert (literal.value, literal.datatype.split("#")[1]) == ("true", "boolean")
    assert literal.origin == Origin("letters", 9)
    assert [item.value for item in graph.literals(graph.entity(EX + "a"))][
        -1
    ] == "Alpha\u202e beast"


def test_unknown_entities_and_relations_name_the_nearest(graph: KnowledgeGraph) -> None:
    for asked in (EX + "aa", "ALPHA BEAST", "Alpha beest"):
        with pytest.raises(UserError) as raised:
            graph.entity(asked)
        assert "Alpha beast" in raised.value.fix
    with pytest.raises(UserError, match="nextOf_it"):
        graph.relation(EX + "nextof")


def test_a_folder_without_a_graph(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="infact ingest"):
        KnowledgeGraph.open(tmp_path)


def test_store_and_networkx_hold_the_same_triples(graph: KnowledgeGraph) -> None:
    assert len(graph.store()) == len(NT.splitlines())
    answers = graph.store().query(f"SELECT ?s WHERE {{ ?s <{EX}nextOf_it> <{EX}b> }}")
    assert sorted(row["s"].value for row in answers) == [EX + letter for letter in "abc"]  # type: ignore[union-attr]
    whole = graph.to_networkx(range(graph.entity_count))
    assert sorted((h, r, t) for h, t, r in whole.edges(keys=True)) == [
        tuple(row) for row in graph.triples.tolist()
    ]
    b = graph.entity(EX + "b")
    assert set(graph.to_networkx([b]).edges()) == {(b, b)}
    assert whole.nodes[b] == {"iri": EX + "b", "label": "b"}


def test_arrays_are_mapped_and_cannot_be_written(graph: KnowledgeGraph) -> None:
    assert isinstance(graph.triples, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        graph.triples[0, 0] = 1


def test_id_space_depends_on_the_entities_alone(graph: KnowledgeGraph, tmp_path: Path) -> None:
    fewer = opened(tmp_path, "".join(NT.splitlines(keepends=True)[4:]))
    assert fewer.id_space == graph.id_space
    (tmp_path / "other").mkdir()
    other = opened(tmp_path / "other", NT.replace("e.org/c", "e.org/d"))
    assert other.id_space != graph.id_space


small = st.integers(0, 5)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(small, st.integers(0, 2), small), min_size=1, max_size=40))
def test_lookups_against_a_plain_loop(
    tmp_path_factory: pytest.TempPathFactory, statements: list[tuple[int, int, int]]
) -> None:
    nt = "".join(f"<{EX}{h}> <{EX}p{r}> <{EX}{t}> .\n" for h, r, t in statements)
    graph = opened(tmp_path_factory.mktemp("graph"), nt)
    rows = [tuple(row) for row in graph.triples.tolist()]
    said = {(EX + str(h), f"{EX}p{r}", EX + str(t)) for h, r, t in statements}
    assert {(graph.iri(h), graph.relation_iri(r), graph.iri(t)) for h, r, t in rows} == said
    assert rows == sorted(set(rows))
    for entity in range(graph.entity_count):
        assert graph.outgoing(entity).tolist() == [
            i for i, row in enumerate(rows) if row[0] == entity
        ]
        assert sorted(graph.incoming(entity)) == [
            i for i, row in enumerate(rows) if row[2] == entity
        ]
        assert graph.degree(entity) == sum((row[0] == entity) + (row[2] == entity) for row in rows)
        for relation in range(graph.relation_count):
            assert graph.objects(entity, relation).tolist() == [
                t for h, r, t in rows if (h, r) == (entity, relation)
            ]
            assert graph.subjects(relation, entity).tolist() == [
                h for h, r, t in rows if (r, t) == (relation, entity)
            ]
    for number, (h, r, t) in enumerate(rows):
        spoken = (graph.iri(h), graph.relation_iri(r), graph.iri(t))
        first = next(
            line
            for line, (a, b, c) in enumerate(statements, start=1)
            if (EX + str(a), f"{EX}p{b}", EX + str(c)) == spoken
        )
        assert graph.origin(number) == Origin("letters", first)
