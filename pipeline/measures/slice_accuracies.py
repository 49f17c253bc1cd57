"""Accuracy by relation, by the subject's degree, by language and by what the base knew before."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .answered_pools import AnsweredPool
from .arm_roles import REPEAT
from .numbers import interval_entry
from .statistics import accuracy_interval

MOST_RELATIONS = 20  # of a pool; the rest, fewer questions each, make one slice
BANDS = 4
KNOWLEDGE = ("known", "maybe", "unknown")  # before the facts were taught

Json = dict[str, Any]
Mask = NDArray[np.bool_]


def slice_accuracies(pools: Mapping[str, AnsweredPool], names: Sequence[str]) -> list[Json]:
    """Every arm's accuracy in every slice.

    Degrees are cut into quartiles of all questions whose subject's degree is known, alike in every
    pool. Languages are told apart where there are at least two.
    """
    edges = _band_edges(pools)
    languages = {str(word) for pool in pools.values() for word in pool.languages} - {""}
    return [
        _entry(by, value, pool, mask, names)
        for pool in pools.values()
        for by, value, mask in (
            *_relations(pool),
            *_degrees(pool, edges),
            *(_languages(pool) if len(languages) > 1 else ()),
            *_knowledge(pool),
        )
    ]


def _entry(by: str, value: str, pool: AnsweredPool, mask: Mask, names: Sequence[str]) -> Json:
    return {
        "by": by,
        "value": value,
        "pool": pool.pool,
        "n": int(mask.sum()),
        "arms": {
            name: interval_entry(accuracy_interval(pool.right(name)[mask], pool.clusters[mask]))
            for name in names
            if name in pool.arms and name != REPEAT
        },
    }


def _relations(pool: AnsweredPool) -> Iterator[tuple[str, str, Mask]]:
    labels, counts = np.unique(pool.relations, return_counts=True)
    ordered = sorted(zip(-counts, labels, strict=True))
    kept = ordered if len(ordered) <= MOST_RELATIONS else ordered[: MOST_RELATIONS - 1]
    for _, label in kept:
        yield "relation", str(label) or "without a relation", pool.relations == label
    rest = [label for _, label in ordered[len(kept) :]]
    if rest:
        yield "relation", f"{len(rest)} other relations", np.isin(pool.relations, rest)


def _band_edges(pools: Mapping[str, AnsweredPool]) -> list[int]:
    """Highest degree of each quartile band; none where degrees aren't known or all alike."""
    degrees = np.concatenate([pool.degrees for pool in pools.values()])
    known = degrees[degrees > 0]
    if len(known) == 0:
        return []
    shares = np.arange(1, BANDS + 1) / BANDS
    edges = np.unique(np.quantile(known, shares, method="inverted_cdf").astype(int))
    return edges.tolist() if len(edges) > 1 else []


def _degrees(pool: AnsweredPool, edges: Sequence[int]) -> Iterator[tuple[str, str, Mask]]:
    low = 1
    for high in edges:
        mask = (pool.degrees >= low) & (pool.degrees <= high)
        if mask.any():
            yield "degree", str(low) if low == high else f"{low}–{high}", mask
        low = high + 1


def _languages(pool: AnsweredPool) -> Iterator[tuple[str, str, Mask]]:
    labels, counts = np.unique(pool.languages, return_counts=True)
    for _, label in sorted(zip(-counts, labels, strict=True)):
        yield "language", str(label) or "not told", pool.languages == label


def _knowledge(pool: AnsweredPool) -> Iterator[tuple[str, str, Mask]]:
    for value in KNOWLEDGE:
        mask = pool.knowledge == value
        if mask.any():
            yield "knowledge", value, mask
