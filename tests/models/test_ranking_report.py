from dataclasses import asdict

import numpy as np
import pytest
from infact.models.ranking import rank_triples
from infact.models.ranking_report import cardinalities, ranking_report, side_metrics

from .test_ranking import by_table, ignore


def test_cardinalities_are_those_counted_by_hand() -> None:
    one_to_one = [(k, 0, 10 + k) for k in range(4)]
    one_to_many = [(0, 1, k) for k in (10, 11, 12)]  # three tails of one head
    many_to_one = [(k, 2, 10) for k in (0, 1, 2)]
    many_to_many = [(h, 3, t) for h in (0, 1) for t in (10, 11)]
    # Two heads, three triples: 1.5 tails a head are several.
    edge = [(0, 4, 10), (0, 4, 11), (1, 4, 12)]
    below = [(0, 5, 10), (0, 5, 11), (1, 5, 12), (2, 5, 13)]  # 4 / 3 tails a head
    rows = [*one_to_one, *one_to_many, *many_to_one, *many_to_many, *edge, *below]
    found = cardinalities(np.array(rows), relation_count=7)
    assert found == ["1-1", "1-N", "N-1", "N-N", "1-N", "1-1", "1-1"]


def plain_ends(scores: list[int], true: int, known: set[int]) -> tuple[int, int]:
    """Optimistic and pessimistic rank, counted one by one."""
    others = [score for k, score in enumerate(scores) if k != true and k not in known]
    above = sum(score > scores[true] for score in others)
    return 1 + above, 1 + above + sum(score == scores[true] for score in others)


def test_parts_and_ends_of_ties_are_those_counted_one_by_one() -> None:
    random = np.random.default_rng(5)
    entities, relations = 9, 3
    tails, heads = random.integers(0, 4, (2, relations, entities, entities))
    triples = np.stack([random.integers(0, n, 40) for n in (entities, relations, entities)], axis=1)
    ranks = rank_triples(by_table(tails), by_table(heads), triples, triples, 7, ignore)
    facts = triples.tolist()
    ends = np.array(
        [
            (
                plain_ends(heads[r, t].tolist(), h, {a for a, s, b in facts if (s, b) == (r, t)}),
                plain_ends(tails[r, h].tolist(), t, {b for a, s, b in facts if (a, s) == (h, r)}),
            )
            for h, r, t in facts
        ],
        dtype=float,
    )  # (n, side, end)
    classes = cardinalities(np.unique(triples, axis=0), relations)
    report = ranking_report(ranks, triples[:, 1], classes)
    middle = ends.mean(axis=2)
    assert report.overall.head.mean_rank == pytest.approx(middle[:, 0].mean())
    assert report.overall.tail.mean_reciprocal_rank == pytest.approx((1 / middle[:, 1]).mean())
    assert report.overall.both.hits_at_3 == pytest.approx((middle <= 3).mean())
    for metrics, own in ((report.optimistic, ends[..., 0]), (report.pessimistic, ends[..., 1])):
        assert metrics.mean_rank == pytest.approx(own.mean())
        assert metrics.hits_at_1 == pytest.approx((own == 1).mean())
    assert report.optimistic.mean_rank < report.overall.both.mean_rank
    for relation, of in report.by_relation.items():
        own = middle[triples[:, 1] == relation]
        assert of.tail.mean_rank == pytest.approx(own[:, 1].mean())
        assert of.both.count == 2 * len(own)
    for name, of in report.by_cardinality.items():
        chosen = np.array([classes[relation] == name for relation in triples[:, 1]])
        assert asdict(of) == asdict(side_metrics(ranks, chosen))


def test_no_triple_is_no_result() -> None:
    empty = np.empty((0, 3), dtype=np.int32)
    flat = by_table(np.zeros((1, 2, 2)))
    ranks = rank_triples(flat, flat, empty, empty, 4, ignore)
    with pytest.raises(ValueError, match="no ranks"):
        ranking_report(ranks, empty[:, 1], ["1-1"])
