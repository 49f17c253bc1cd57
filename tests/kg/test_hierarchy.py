"""What lies above and below, against the transitive closure; circles allowed."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from infact.kg.hierarchy import Hierarchy

NODES = 7
EDGES = st.sets(st.tuples(st.integers(0, NODES - 1), st.integers(0, 1), st.integers(0, NODES - 1)))


class Triples:
    """What a hierarchy reads of a graph."""

    def __init__(self, edges: set[tuple[int, int, int]]) -> None:
        self.triples = np.array(sorted(edges), np.int32).reshape(-1, 3)

    def objects(self, subject: int, relation: int) -> np.ndarray:
        rows = self.triples
        return rows[(rows[:, 0] == subject) & (rows[:, 1] == relation), 2]


@given(EDGES, st.sampled_from([[0], [1], [0, 1], []]))
def test_above_and_below_are_what_paths_lead_to(
    edges: set[tuple[int, int, int]], relations: list[int]
) -> None:
    steps = {(head, tail) for head, relation, tail in edges if relation in relations}
    steps = {(head, tail) for head, tail in steps if head != tail}
    paths = set(steps)
    for _ in range(NODES):
        paths |= {(a, d) for a, b in paths for c, d in paths if b == c}
    hierarchy = Hierarchy(Triples(edges), relations)
    for node in range(NODES):
        above = {tail for head, tail in paths if head == node}
        assert hierarchy.ancestors(node) == above
        assert hierarchy.below(node) == {node} | {head for head, tail in paths if tail == node}
        assert hierarchy.directly_above(node) == {tail for head, tail in steps if head == node}
        assert hierarchy.is_top(node) == (not above)
    for one in range(NODES):
        for other in range(NODES):
            shared = hierarchy.ancestors(one) & hierarchy.ancestors(other)
            unlike = bool(shared) and one not in hierarchy.ancestors(other)
            assert hierarchy.unlike(one, other) == unlike
