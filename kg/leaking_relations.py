"""Relations that tell each other's triples, and what of a split they would tell.

Where (h, r, t) is asked and (t, r, h), (t, inverse of r, h) or (h, duplicate of r, t) was trained, a
model answers by looking up (Toutanova and Chen 2015; Kinships is symmetric or inverse by half, WN18
by nearly all). What counts as telling is said in `statistics/relation_pairs.py`.
"""

import tempfile
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from .statistics.relation_pairs import FEWEST, THRESHOLD, relation_pairs

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]


@dataclass(frozen=True)
class Leak:
    """A relation that tells of itself, or two that tell of each other.

    Attributes:
        kind: "symmetric" (first is second), "inverse" or "duplicate".
        first, second: numbers of relations.
        shared: triples of the first that the second tells.
        jaccard: shared pairs of entities over all of either, 0 … 1.
    """

    kind: Literal["symmetric", "inverse", "duplicate"]
    first: int
    second: int
    shared: int
    jaccard: float


def leaking_relations(triples: Int32, entities: int, relations: int) -> tuple[Leak, ...]:
    """All leaks, those that share the most triples first.

    Args:
        triples: (n, 3), unique.
        entities, relations: how many there are.
    """
    with tempfile.TemporaryFile() as file:
        pairs = relation_pairs([triples], entities, relations, file)
    totals = np.bincount(triples[:, 1], minlength=relations)
    found = []
    for relation in range(relations):
        told, of = int(pairs.symmetric[relation]), int(totals[relation] - pairs.loops[relation])
        if told >= FEWEST and told > THRESHOLD * of:
            found.append(Leak("symmetric", relation, relation, told, told / (2 * of - told)))
    for each in pairs.overlaps:
        sizes = totals[[each.first, each.second]]
        if each.inverse:
            sizes = sizes - pairs.loops[[each.first, each.second]]
        jaccard = each.shared / float(sizes.sum() - each.shared)
        kind: Literal["inverse", "duplicate"] = "inverse" if each.inverse else "duplicate"
        found.append(Leak(kind, each.first, each.second, each.shared, jaccard))
    return tuple(sorted(found, key=lambda leak: (-leak.shared, leak.first, leak.second, leak.kind)))


def told_by(asked: Int32, training: Int32, leaks: tuple[Leak, ...]) -> NDArray[np.bool_]:
    """(m,) whether a trained triple tells the asked one, by one of the leaks.

    Args:
        asked: (m, 3).
        training: (n, 3).
        leaks: of `leaking_relations`.
    """
    width = 1 + max(int(each.max(initial=0)) for each in (asked, training))
    told = np.zeros(len(asked), dtype=bool)
    for leak in leaks:
        for own, other in {(leak.first, leak.second), (leak.second, leak.first)}:
            rows = np.flatnonzero(asked[:, 1] == own)
            heads, tails = asked[rows][:, [0, 2]].T.astype(np.int64)
            there = training[training[:, 1] == other][:, [0, 2]].astype(np.int64)
            pair = heads * width + tails if leak.kind == "duplicate" else tails * width + heads
            told[rows] |= np.isin(pair, there @ [width, 1])
    return told


def kept_together(triples: Int32, relations: int, leaks: tuple[Leak, ...]) -> Int64:
    """(n,) number of the group of each triple, from 0; a split keeps a group on one side.

    Triples between the same two entities, in either direction, are one group where their relations
    tell each other, also by way of a third.
    """
    ends = np.array([(leak.first, leak.second) for leak in leaks], dtype=np.int64).reshape(-1, 2)
    links = coo_array((np.ones(len(ends)), ends.T), shape=(relations, relations))
    _, family = connected_components(links, directed=False)
    low, high = (extreme(triples[:, 0], triples[:, 2]) for extreme in (np.minimum, np.maximum))
    keys = np.column_stack((family[triples[:, 1]], low, high))
    order = np.lexsort(keys.T)
    fresh = np.any(np.diff(keys[order], axis=0, prepend=-1) != 0, axis=1)
    groups = np.empty(len(triples), dtype=np.int64)
    groups[order] = np.cumsum(fresh) - 1
    return groups
