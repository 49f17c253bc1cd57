"""Linking to a part of a graph, and graphs in which there is nothing to look for."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from infact.errors import UserError
from infact.kg.graph import KnowledgeGraph
from infact.kg.ingest import ingest
from infact.kg.linking.entities_below import SUBCLASS_OF, entities_below
from infact.kg.linking.text_linking import LinkerSettings, open_linking
from infact.kg.readers.sources import Source

from ...linked_graph import IRI, make_graph


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_graph(tmp_path_factory.mktemp("linked") / "graph")


def iris(folder: Path, text: str, *roots: str) -> list[str]:
    linking = open_linking(LinkerSettings(folder, tuple(IRI + root for root in roots)))
    return [
        linking.graph.iri(mention.entity).removeprefix(IRI)
        for mention in linking.find(text)
        if mention.entity is not None
    ]


def test_entities_below_a_root_alone(folder: Path) -> None:
    text = "gout on Mercury, a planet, in joint disease with long slender fingers"
    assert iris(folder, text) == ["gout", "mercury", "planet", "joint", "fingers"]
    assert iris(folder, text, "disease") == ["gout", "joint", "fingers"]
    assert iris(folder, text, "joint", "planet") == ["gout", "mercury", "planet", "joint"]


def test_a_relation_that_is_not_there_is_told(folder: Path) -> None:
    with pytest.raises(UserError, match="no triple of the graph has the predicate"):
        open_linking(LinkerSettings(folder, (IRI + "gout",), IRI + "partOf"))


def test_a_graph_without_names_is_told(tmp_path: Path) -> None:
    source = tmp_path / "a.nt"
    source.write_text("<http://e/a> <http://e/p> <http://e/b> .\n")
    (tmp_path / "graph").mkdir()
    ingest([Source(source, "a.nt")], tmp_path / "graph")
    with pytest.raises(UserError, match="no names to look for"):
        open_linking(LinkerSettings(tmp_path / "graph"))


class Edges(KnowledgeGraph):
    """A graph of one relation, in memory."""

    def __init__(self, edges: set[tuple[int, int]]) -> None:
        self.edges = edges

    def relation(self, iri: str) -> int:
        assert iri == SUBCLASS_OF
        return 0

    def subjects(self, relation: int, object: int):  # type: ignore[no-untyped-def]
        import numpy as np

        return np.array([head for head, tail in self.edges if tail == object], dtype=np.int32)


@given(
    edges=st.sets(st.tuples(st.integers(0, 7), st.integers(0, 7))),
    roots=st.sets(st.integers(0, 7)),
)
def test_what_is_below_is_what_paths_lead_from(
    edges: set[tuple[int, int]], roots: set[int]
) -> None:
    closure = {(node, node) for node in range(8)} | edges
    for _ in range(8):
        closure |= {(a, d) for a, b in closure for c, d in closure if b == c}
    expected = {head for head, tail in closure if tail in roots}
    assert entities_below(Edges(edges), roots) == expected
