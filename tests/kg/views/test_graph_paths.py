"""Paths against networkx, which lists all of them."""

from pathlib import Path

import networkx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from infact.errors import UserError
from infact.kg.graph import KnowledgeGraph
from infact.kg.views import graph_paths
from infact.kg.views.graph_paths import Step


class Triples:
    """What paths need of a graph."""

    def __init__(self, rows: set[tuple[int, int, int]], entity_count: int) -> None:
        self.triples = np.array(sorted(rows), np.int32).reshape(-1, 3)
        self.entity_count = entity_count


def found(graph: Triples, *asked: object, **limits: int) -> list[tuple[Step, ...]]:
    return list(graph_paths.paths(graph, *asked, **limits))  # type: ignore[arg-type]


def expected(
    graph: Triples, start: int, end: int, most: int, relations: list[int] | None, both: bool
) -> set[tuple[Step, ...]]:
    other = networkx.MultiGraph() if both else networkx.MultiDiGraph()
    other.add_nodes_from(range(graph.entity_count))
    for row, (head, relation, tail) in enumerate(graph.triples.tolist()):
        if relations is None or relation in relations:
            other.add_edge(head, tail, key=row)
    return {
        tuple(Step(row, int(graph.triples[row, 0]) == begin) for begin, _, row in path)
        for path in networkx.all_simple_edge_paths(other, start, end, cutoff=most)
    }


entity = st.integers(0, 5)
triples = st.sets(st.tuples(entity, st.integers(0, 2), entity), max_size=16)


@settings(max_examples=300, deadline=None)
@given(
    triples,
    entity,
    entity,
    st.integers(1, 5),
    st.none() | st.lists(st.integers(0, 2)),
    st.booleans(),
)
def test_paths_are_those_of_networkx_the_shortest_first(
    rows: set[tuple[int, int, int]],
    start: int,
    end: int,
    most: int,
    relations: list[int] | None,
    both: bool,
) -> None:
    graph = Triples(rows, 6)
    paths = found(graph, start, end, most, relations, both)
    if start == end:
        assert paths == []
        return
    assert len(paths) == len(set(paths))
    assert set(paths) == expected(graph, start, end, most, relations, both)
    order = [(len(path), [(not step.forward, step.row) for step in path]) for path in paths]
    assert order == sorted(order)


def hub() -> Triples:
    """0 and 1 are joined over 2; 100,000 others hang on 2 alone."""
    rows = {(0, 0, 2), (2, 0, 1), *((2, 0, other) for other in range(3, 100_003))}
    return Triples(rows, 100_003)


def test_a_hub_costs_only_what_leads_on() -> None:
    assert len(found(hub(), 0, 1, 4, None, True, most_moves=30)) == 1


def test_a_search_that_is_too_large_says_so_after_the_short_paths() -> None:
    complete = Triples({(h, 0, t) for h in range(12) for t in range(12) if h != t}, 12)
    paths = graph_paths.paths(complete, 0, 1, 11, None, both_ways=False, most_moves=1000)  # type: ignore[arg-type]
    assert [len(next(paths)) for _ in range(11)] == [1] + [2] * 10
    with pytest.raises(UserError, match="given up after 1,000 steps"):
        list(paths)


def test_of_an_opened_graph(tmp_path: Path) -> None:
    from ..test_graph import EX, NT, opened

    graph: KnowledgeGraph = opened(tmp_path, NT)
    a, b, c = (graph.entity(EX + letter) for letter in "abc")
    (path,) = graph.paths(a, c, most_steps=3, both_ways=True)
    assert [(step.forward, graph.triples[step.row].tolist()) for step in path] == [
        (True, [a, graph.relation(EX + "nextOf_it"), b]),
        (False, [c, graph.relation(EX + "nextOf_it"), b]),
    ]
    assert list(graph.paths(a, c, most_steps=3)) == []
