"""Relations that tell each other: symmetric, inverse, duplicate, Cartesian products, transitive.

A triple that another triple tells leaks from one side of a split to the other (Toutanova & Chen 2015,
"Observed versus latent features"; Akrami et al. 2020, "Realistic re-evaluation of knowledge graph
completion methods").
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]

THRESHOLD = 0.8  # of Akrami et al. 2020; Toutanova & Chen 2015 take 0.97
FEWEST = 5  # shared triples below which a coincidence is likely; our own choice
MOST_RELATIONS = 32  # between two entities; the work grows with the square
MOST_STEPS = 2_000_000  # paths of two edges that are looked up for one relation
AT_ONCE = 1 << 20  # keys that are looked up together
ROWS_AT_ONCE = 512  # relations; their products with all others are in memory together


@dataclass(frozen=True)
class Overlap:
    """Two relations that share triples; with the second turned round when `inverse`.

    Attributes:
        first, second: relation numbers, first < second.
        inverse: (h, first, t) and (t, second, h) are told both; else (h, first, t) and (h, second, t).
        shared: triples of the first that the second tells, and so the reverse.
        share_of_first, share_of_second: of their triples; loops (h, r, h) left out when inverse.
    """

    first: int
    second: int
    inverse: bool
    shared: int
    share_of_first: float
    share_of_second: float


@dataclass(frozen=True)
class RelationPairs:
    """What relations tell of each other.

    Attributes:
        loops: triples from an entity to itself by relation; shape (relations,).
        symmetric: triples (h, r, t), h ≠ t, whose (t, r, h) is there; shape (relations,).
        overlaps: those of at least `FEWEST` triples and `THRESHOLD` of either relation, the most
            shared first.
        skipped: entity pairs with more than `MOST_RELATIONS` triples, which were not compared.
    """

    loops: Int64
    symmetric: Int64
    overlaps: tuple[Overlap, ...]
    skipped: int


def relation_pairs(triples: Int32, entities: int, relations: int) -> RelationPairs:
    """Compare all relations by the entities that they join; O(n log n) for n triples.

    The triples between two entities, in either direction, are brought together by one sort. The
    product of the incidence matrix (relation and direction by entity pair) with its transpose then
    counts for all relations at once. Pairs that a single triple joins tell nothing and are left out.

    Args:
        triples: (n, 3), unique.
        entities, relations: how many there are.
    """
    loops = np.bincount(triples[triples[:, 0] == triples[:, 2], 1], minlength=relations)
    group, signed, skipped = _joined(triples, entities)
    count = int(group[-1]) + 1 if len(group) else 0
    ones = np.ones(len(group), np.int32)
    incidence = sparse.csr_matrix((ones, (signed, group)), shape=(2 * relations, count))
    transposed = incidence.T.tocsr()
    totals = np.bincount(triples[:, 1], minlength=relations)
    symmetric = np.zeros(relations, np.int64)
    overlaps: list[Overlap] = []
    for start in range(0, relations, ROWS_AT_ONCE):
        # With the first's pairs told forwards and backwards, each shared triple is counted once.
        rows = incidence[2 * start : 2 * (start + ROWS_AT_ONCE)]
        product = (rows @ transposed).tocoo()
        first, second = product.row // 2 + start, product.col // 2
        inverse = product.row % 2 != product.col % 2
        own = inverse & (first == second)
        np.add.at(symmetric, first[own], product.data[own])
        keep = first < second
        overlaps += _overlaps(
            (first[keep].astype(np.int64) * relations + second[keep]) * 2 + inverse[keep],
            product.data[keep],
            (relations, totals, totals - loops),
        )
    overlaps.sort(key=lambda item: (-item.shared, item.first, item.second, item.inverse))
    return RelationPairs(loops, symmetric, tuple(overlaps), skipped)


def _joined(triples: Int32, entities: int) -> tuple[Int64, Int64, int]:
    """Triples whose two entities another triple joins as well: entity pair, 2·relation + direction.

    Also how many entity pairs have too many triples and were left out.
    """
    heads, relations, tails = triples.T
    key = np.minimum(heads, tails).astype(np.int64)
    key *= entities
    key += np.maximum(heads, tails)
    ascending = np.sort(key)
    shared = np.unique(ascending[1:][ascending[1:] == ascending[:-1]])
    del ascending
    order = np.flatnonzero(_among(key, shared))
    order = order[np.argsort(key[order], kind="stable")]
    key = key[order]
    fresh = np.ones(len(key), bool)
    np.not_equal(key[1:], key[:-1], out=fresh[1:])
    del key
    starts = np.flatnonzero(fresh)
    sizes = np.diff(starts, append=len(order))
    kept = sizes <= MOST_RELATIONS
    order = order[np.repeat(kept, sizes)]
    group = np.repeat(np.arange(np.count_nonzero(kept)), sizes[kept])
    signed = 2 * relations[order].astype(np.int64) + (heads[order] > tails[order])
    return group, signed, int(np.count_nonzero(sizes > MOST_RELATIONS))


def _among(keys: Int64, some: Int64) -> NDArray[np.bool_]:
    """Which of the keys are among some, that are in ascending order."""
    found = np.zeros(len(keys), bool)
    for start in range(0, len(keys) if len(some) else 0, AT_ONCE):
        part = keys[start : start + AT_ONCE]
        places = np.minimum(np.searchsorted(some, part), len(some) - 1)
        found[start : start + AT_ONCE] = some[places] == part
    return found


def _overlaps(codes: Int64, counts: Int32, of: tuple[int, Int64, Int64]) -> list[Overlap]:
    """The overlaps above the thresholds; a code is (first · relations + second) · 2 + inverse."""
    relations, totals, without_loops = of
    pairs, places = np.unique(codes, return_inverse=True)
    shared = np.bincount(places, counts, minlength=len(pairs)).astype(np.int64)
    inverse = pairs % 2 == 1
    first, second = np.divmod(pairs // 2, relations)
    shares = [
        shared / np.maximum(np.where(inverse, without_loops[end], totals[end]), 1)
        for end in (first, second)
    ]
    told = (shared >= FEWEST) & (np.maximum(*shares) > THRESHOLD)
    columns = (first, second, inverse, shared, *shares)
    rows = zip(*(column[told].tolist() for column in columns), strict=True)
    return [Overlap(*row) for row in rows]


def cartesian_share(triples: Int64, subjects: Int64, objects: Int64) -> NDArray[np.float64]:
    """Share of all (subject, object) pairs of a relation that are stated (Akrami et al. 2020).

    Arrays have shape (relations,); none of them is 0 for a relation with triples.
    """
    return triples / np.maximum(subjects.astype(np.float64) * objects, 1)


def transitive_steps(edges: Int32) -> tuple[int, int | None]:
    """Paths a → b → c with a ≠ c, and how many of them have a → c; None where there are too many.

    Args:
        edges: (m, 2), unique, sorted by head then tail; loops are ignored.
    """
    edges = edges[edges[:, 0] != edges[:, 1]].astype(np.int64)
    starts, ends = (np.searchsorted(edges[:, 0], edges[:, 1], side) for side in ("left", "right"))
    lengths = ends - starts
    paths = int(lengths.sum())
    if paths > MOST_STEPS:
        return paths, None
    if not paths:
        return 0, 0
    offsets = np.arange(paths) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    ends_of_paths = edges[np.repeat(starts, lengths) + offsets, 1]
    starts_of_paths = np.repeat(edges[:, 0], lengths)
    apart = starts_of_paths != ends_of_paths
    span = int(edges.max()) + 1
    known = edges[:, 0] * span + edges[:, 1]
    asked = starts_of_paths[apart] * span + ends_of_paths[apart]
    places = np.minimum(np.searchsorted(known, asked), len(known) - 1)
    return int(np.count_nonzero(apart)), int(np.count_nonzero(known[places] == asked))
