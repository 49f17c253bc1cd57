"""Relations that tell each other, against sets of pairs (Akrami et al. 2020, section 4)."""

import tempfile
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from infact.kg.statistics import relation_pairs as module
from infact.kg.statistics.relation_pairs import (
    FEWEST,
    THRESHOLD,
    Overlap,
    RelationPairs,
    cartesian_share,
    relation_pairs,
    transitive_steps,
)

Triple = tuple[int, int, int]
ENTITIES, RELATIONS = 6, 5
graphs = st.sets(
    st.tuples(
        st.integers(0, ENTITIES - 1), st.integers(0, RELATIONS - 1), st.integers(0, ENTITIES - 1)
    ),
    max_size=120,
)


def array(triples: set[Triple]) -> np.ndarray:
    return np.array(sorted(triples), np.int32).reshape(-1, 3)


def compared(triples: set[Triple], entities: int, relations: int) -> RelationPairs:
    with tempfile.TemporaryFile() as file:
        return relation_pairs(np.array_split(array(triples), 3), entities, relations, file)


def pairs_of(triples: set[Triple], relation: int) -> set[tuple[int, int]]:
    return {(h, t) for h, r, t in triples if r == relation}


def plain_overlaps(triples: set[Triple], fewest: int, threshold: float) -> list[Overlap]:
    found = []
    for first, second in combinations(range(RELATIONS), 2):
        one, two = pairs_of(triples, first), pairs_of(triples, second)
        turned = {(t, h) for h, t in two if h != t}
        straight = {(h, t) for h, t in one if h != t}
        for inverse, a, b in ((False, one, two), (True, straight, turned)):
            shared = len(a & b)
            shares = [shared / max(len(each), 1) for each in (a, b)]
            if shared >= fewest and max(shares) > threshold:
                found.append(Overlap(first, second, inverse, shared, *shares))
    return sorted(found, key=lambda item: (-item.shared, item.first, item.second, item.inverse))


@settings(deadline=None)
@given(graphs, st.sampled_from([1, 3]), st.sampled_from([1, 2, 4096]), st.sampled_from([7, 4096]))
def test_against_sets(triples: set[Triple], fewest: int, rows_at_once: int, bucket: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "FEWEST", fewest)
        patch.setattr(module, "THRESHOLD", 0.4)
        patch.setattr(module, "ROWS_AT_ONCE", rows_at_once)
        patch.setattr(module, "BUCKET", bucket)
        found = compared(triples, ENTITIES, RELATIONS)
    assert list(found.overlaps) == plain_overlaps(triples, fewest, 0.4)
    for relation in range(RELATIONS):
        pairs = pairs_of(triples, relation)
        assert found.loops[relation] == sum(h == t for h, t in pairs)
        assert found.symmetric[relation] == sum(h != t and (t, h) in pairs for h, t in pairs)
    assert found.skipped == 0


@settings(deadline=None)
@given(graphs, st.integers(1, 4))
def test_entity_pairs_with_many_triples_are_counted_and_not_compared(
    triples: set[Triple], most: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "MOST_RELATIONS", most)
        found = compared(triples, ENTITIES, RELATIONS)
    joined: dict[tuple[int, int], set[Triple]] = {}
    for h, r, t in triples:
        joined.setdefault((min(h, t), max(h, t)), set()).add((h, r, t))
    many = [each for each in joined.values() if len(each) > most]
    rest = triples.difference(*many)
    others = compared(rest, ENTITIES, RELATIONS)
    assert found.skipped == len(many)
    assert found.symmetric.tolist() == others.symmetric.tolist()


def test_thresholds() -> None:
    parent = {(n, 0, n + 10) for n in range(10)}
    child = {(n + 10, 1, n) for n in range(9)}  # 90 % of parent's
    friend = {(n, 2, n + 10) for n in range(8)} | {(n, 2, n) for n in range(2)}  # not above 80 %
    found = compared(parent | child | friend, 20, 3).overlaps
    assert (THRESHOLD, FEWEST) == (0.8, 5)
    assert found == (
        Overlap(0, 1, True, 9, 0.9, 1.0),
        Overlap(1, 2, True, 8, 8 / 9, 1.0),
    )


def test_numbers_beyond_32_bits() -> None:
    high = 2**31 - 2
    triples = {(high - n, 0, n) for n in range(6)} | {(n, 1, high - n) for n in range(6)}
    found = compared(triples, high + 1, 2).overlaps
    assert found == (Overlap(0, 1, True, 6, 1.0, 1.0),)


def test_cartesian_share() -> None:
    shares = cartesian_share(np.array([6, 5]), np.array([2, 5]), np.array([3, 4]))
    assert shares.tolist() == [1.0, 0.25]


@settings(deadline=None, max_examples=200)
@given(st.sets(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=30))
def test_transitive_steps(edges: set[tuple[int, int]]) -> None:
    rows = np.array(sorted(edges), np.int32).reshape(-1, 2)
    steps = [
        (a, c)
        for (a, b), (d, c) in product(edges, edges)
        if a != b and b == d and d != c and a != c
    ]
    assert transitive_steps(rows) == (len(steps), sum(step in edges for step in steps))


def test_too_many_steps_are_counted_and_not_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_STEPS", 3)
    chain = np.array([(n, n + 1) for n in range(5)], np.int32)
    assert transitive_steps(chain) == (4, None)
    assert transitive_steps(chain[:4]) == (3, 0)
