import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from infact.kg.leaking_relations import Leak, kept_together, leaking_relations, told_by

PARENT, CHILD, SPOUSE, KIN, LIVES = range(5)


def family() -> np.ndarray:
    """Twelve couples: child is the inverse of parent, spouse is symmetric, kin a duplicate of parent."""
    rows = []
    for k in range(12):
        rows += [(k, PARENT, k + 20), (k + 20, CHILD, k), (k, KIN, k + 20)]
        rows += [(k, SPOUSE, k + 40), (k + 40, SPOUSE, k), (k, LIVES, 60 + k % 3)]
    return np.array(rows, dtype=np.int32)


def test_each_kind_is_found_with_its_jaccard() -> None:
    triples = np.concatenate((family(), [[99, PARENT, 98]])).astype(np.int32)
    found = {
        (leak.kind, leak.first, leak.second): leak for leak in leaking_relations(triples, 100, 5)
    }
    assert set(found) == {
        ("inverse", PARENT, CHILD),
        ("duplicate", PARENT, KIN),
        ("inverse", CHILD, KIN),
        ("symmetric", SPOUSE, SPOUSE),
    }
    assert found["inverse", PARENT, CHILD].jaccard == 12 / 13
    assert found["inverse", CHILD, KIN].jaccard == 1.0
    assert found["symmetric", SPOUSE, SPOUSE].jaccard == 1.0


def plainly_told(triple: tuple[int, int, int], training: set, leaks: list[Leak]) -> bool:
    h, r, t = triple
    for leak in leaks:
        for own, other in ((leak.first, leak.second), (leak.second, leak.first)):
            if own == r:
                told = (h, other, t) if leak.kind == "duplicate" else (t, other, h)
                if told in training:
                    return True
    return False


LEAKS = st.lists(
    st.builds(
        lambda kind, first, second: Leak(
            kind, first, first if kind == "symmetric" else second, 0, 0
        ),
        st.sampled_from(["symmetric", "inverse", "duplicate"]),
        st.integers(0, 3),
        st.integers(0, 3),
    ),
    max_size=4,
)
TRIPLES = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 3), st.integers(0, 4)), max_size=30, unique=True
).map(lambda rows: np.array(rows, dtype=np.int32).reshape(-1, 3))


@settings(max_examples=100, deadline=None)
@given(asked=TRIPLES, training=TRIPLES, leaks=LEAKS)
def test_what_is_told_is_what_a_plain_look_finds(asked, training, leaks) -> None:
    there = set(map(tuple, training.tolist()))
    expected = [plainly_told(tuple(row), there, leaks) for row in asked.tolist()]
    assert told_by(asked, training, tuple(leaks)).tolist() == expected


@settings(max_examples=100, deadline=None)
@given(triples=TRIPLES, leaks=LEAKS)
def test_no_group_tells_another(triples, leaks) -> None:
    groups = kept_together(triples, 4, tuple(leaks))
    assert set(groups.tolist()) == set(range(len(set(groups.tolist()))))
    for group in set(groups.tolist()):
        inside, outside = triples[groups == group], triples[groups != group]
        assert not told_by(inside, outside, tuple(leaks)).any()


def test_relations_that_tell_nothing_stay_apart() -> None:
    triples = np.array([[0, 0, 1], [0, 1, 1], [1, 0, 0], [2, 0, 1]], dtype=np.int32)
    assert len(set(kept_together(triples, 2, ()).tolist())) == 3  # both directions are one
    linked = (Leak("duplicate", 0, 1, 0, 0.0),)
    assert len(set(kept_together(triples, 2, linked).tolist())) == 2
