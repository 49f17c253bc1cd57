import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from infact.models.ranking import (
    KnownTails,
    rank_triples,
    ranking_metrics,
    tail_frequencies,
)


def by_table(table: np.ndarray):
    """A scorer that reads table[relation, entity]."""
    values = torch.tensor(table, dtype=torch.float32)
    return lambda entities, relations: values[relations, entities].clone()


def plain_rank(scores: list[float], true: int, others_known: set[int]) -> float:
    """Optimistic and pessimistic rank, counted one by one, and their mean."""
    optimistic, pessimistic = 1, 1
    for candidate, score in enumerate(scores):
        if candidate == true or candidate in others_known:
            continue
        optimistic += score > scores[true]
        pessimistic += score >= scores[true]
    return (optimistic + pessimistic) / 2


def plain_ranks(
    tail_table: np.ndarray, head_table: np.ndarray, triples: np.ndarray, known: np.ndarray
) -> tuple[list[float], list[float]]:
    facts = {tuple(row) for row in known.tolist()}
    heads, tails = [], []
    for h, r, t in triples.tolist():
        known_tails = {b for a, s, b in facts if (a, s) == (h, r)}
        known_heads = {a for a, s, b in facts if (s, b) == (r, t)}
        tails.append(plain_rank(tail_table[r, h].tolist(), t, known_tails))
        heads.append(plain_rank(head_table[r, t].tolist(), h, known_heads))
    return heads, tails


def ignore(count: int) -> None:
    pass


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    entities=st.integers(1, 9),
    relations=st.integers(1, 4),
    asked=st.integers(0, 12),
    known=st.integers(0, 30),
    levels=st.integers(1, 6),
    batch_size=st.integers(1, 5),
)
def test_ranks_are_those_of_a_plain_loop(
    seed, entities, relations, asked, known, levels, batch_size
) -> None:
    random = np.random.default_rng(seed)

    def triples(count: int) -> np.ndarray:
        of = [random.integers(0, high, count) for high in (entities, relations, entities)]
        return np.stack(of, axis=1).astype(np.int32)

    tail_table, head_table = random.integers(0, levels, (2, relations, entities, entities))
    to_rank, facts = triples(asked), triples(known)
    done: list[int] = []
    ranks = rank_triples(
        by_table(tail_table), by_table(head_table), to_rank, facts, batch_size, done.append
    )
    expected_heads, expected_tails = plain_ranks(tail_table, head_table, to_rank, facts)
    assert ranks.head.tolist() == expected_heads
    assert ranks.tail.tolist() == expected_tails
    assert sum(done) == 2 * asked


def test_equal_scores_give_the_rank_of_chance() -> None:
    flat = np.zeros((1, 11, 11))
    ranks = rank_triples(
        by_table(flat), by_table(flat), np.array([[0, 0, 3]]), np.empty((0, 3), int), 4, ignore
    )
    assert ranks.tail.tolist() == ranks.head.tolist() == [6.0]


def test_known_tails_don_t_compete_and_others_do() -> None:
    table = np.arange(5.0).reshape(1, 1, 5).repeat(5, axis=1)
    asked, known = np.array([[0, 0, 1]]), np.array([[0, 0, 1], [0, 0, 4], [2, 0, 3]])
    ranks = rank_triples(by_table(table), by_table(table), asked, known, 4, ignore)
    assert ranks.tail.tolist() == [3.0]  # after 2 and 3; 4 is also right


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_score_that_is_no_number_is_no_rank(bad: float) -> None:
    table = np.zeros((1, 3, 3))
    table[0, 0, 2] = bad
    with pytest.raises(ValueError, match="NaN or infinite"):
        rank_triples(
            by_table(table),
            by_table(table),
            np.array([[0, 0, 1]]),
            np.empty((0, 3), int),
            1,
            ignore,
        )


def test_known_tails_of_a_relation_that_was_never_seen() -> None:
    known = KnownTails.of(np.array([[0, 0, 1], [1, 0, 2]]))
    rows, tails = known.places(np.array([0, 1, 0]), np.array([1, 0, 0]))
    assert rows.tolist() == [1, 2]
    assert tails.tolist() == [2, 1]


def test_metrics_by_hand() -> None:
    metrics = ranking_metrics(np.array([1.0, 2.0, 4.0, 20.0]))
    assert metrics.mean_reciprocal_rank == pytest.approx((1 + 0.5 + 0.25 + 0.05) / 4)
    assert (metrics.hits_at_1, metrics.hits_at_3, metrics.hits_at_10) == (0.25, 0.5, 0.75)
    assert (metrics.mean_rank, metrics.count) == (6.75, 4)
    with pytest.raises(ValueError, match="no ranks"):
        ranking_metrics(np.empty(0))


def test_tail_frequencies_count_by_relation() -> None:
    triples = np.array([[0, 0, 2], [1, 0, 2], [0, 1, 1], [2, 0, 0]])
    scores = tail_frequencies(triples, entity_count=3, relation_count=2)
    assert scores(torch.tensor([0, 2]), torch.tensor([0, 1])).tolist() == [[1, 0, 2], [0, 1, 0]]
