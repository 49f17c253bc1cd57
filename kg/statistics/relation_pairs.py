"""Relations that tell each other: symmetric, inverse, duplicate, Cartesian products, transitive.

A triple that another triple tells leaks from one side of a split to the other (Toutanova & Chen 2015,
"Observed versus latent features"; Akrami et al. 2020, "Realistic re-evaluation of knowledge graph
completion methods").
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ..row_buckets import RowBuckets

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]

THRESHOLD = 0.8  # of Akrami et al. 2020; Toutanova & Chen 2015 take 0.97
FEWEST = 5  # shared triples below which a coincidence is likely; our own choice
MOST_RELATIONS = 32  # between two entities; the work grows with the square
MOST_STEPS = 2_000_000  # paths of two edges that are looked up for one relation
GOLDEN = 0x9E3779B97F4A7C15  # 2^64 over the golden ratio; Knuth, TAOCP 3, section 6.4
BUCKET = 1 << 19  # triples that are compared in memory
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


def relation_pairs(
    triples: Iterable[Int32], entities: int, relations: int, file: IO[bytes]
) -> RelationPairs:
    """Compare all relations by the entities that they join; O(n log n) for n triples.

    The triples between two entities, in either direction, are brought together: in buckets on disk,
    then by sorting. The product of the incidence matrix (relation and direction by entity pair) with
    its transpose then counts for all relations at once. Pairs that a single triple joins tell nothing
    and are left out.

    Args:
        triples: (n, 3), unique, some at a time; gone through twice.
        entities, relations: how many there are.
        file: empty, for the buckets.
    """
    totals, loops = np.zeros((2, relations), np.int64)
    for some in triples:
        totals += np.bincount(some[:, 1], minlength=relations)
        loops += np.bincount(some[some[:, 0] == some[:, 2], 1], minlength=relations)
    symmetric = np.zeros(relations, np.int64)
    skipped = 0
    codes, counts = np.empty(0, np.int64), np.empty(0, np.int64)
    buckets = _by_entity_pair(triples, int(totals.sum()), file)
    for bucket in range(len(buckets)):
        group, signed, left_out = _joined(buckets.whole(bucket), entities)
        skipped += left_out
        for pair_codes, shared in _met(group, signed, relations):
            own = pair_codes // 2 % (relations + 1) == 0  # a relation with itself
            np.add.at(symmetric, pair_codes[own] // 2 // relations, shared[own])
            codes, counts = _added(
                np.concatenate([codes, pair_codes[~own]]), np.concatenate([counts, shared[~own]])
            )
    overlaps = _overlaps(codes, counts, (relations, totals, totals - loops))
    overlaps.sort(key=lambda item: (-item.shared, item.first, item.second, item.inverse))
    return RelationPairs(loops, symmetric, tuple(overlaps), skipped)


def _by_entity_pair(triples: Iterable[Int32], count: int, file: IO[bytes]) -> RowBuckets:
    """Triples in buckets; those between the same two entities are in one."""
    number = -(-count // BUCKET)
    sizes = np.zeros(number, np.int64)
    for some in triples:
        sizes += np.bincount(_bucket(some, number), minlength=number)
    buckets = RowBuckets(file, sizes, 3)
    for some in triples:
        buckets.add(_bucket(some, number), some)
    return buckets


def _bucket(triples: Int32, buckets: int) -> Int64:
    """A number of each triple that is spread evenly, and blind to its direction."""
    heads, _, tails = triples.T.astype(np.uint64) + 1
    return (heads * tails * GOLDEN >> 40).astype(np.int64) % buckets


def _met(group: Int64, signed: Int64, relations: int) -> Iterator[tuple[Int64, Int64]]:
    """Pairs of relations that meet between two entities, and how often; some at a time.

    A code is (first · relations + second) · 2 + inverse, where first ≤ second.
    """
    count = int(group[-1]) + 1 if len(group) else 0
    ones = np.ones(len(group), np.int32)
    incidence = sparse.csr_matrix((ones, (signed, group)), shape=(2 * relations, count))
    transposed = incidence.T.tocsr()
    for start in range(0, relations, ROWS_AT_ONCE):
        # With the first's pairs told forwards and backwards, each shared triple is counted once.
        rows = incidence[2 * start : 2 * (start + ROWS_AT_ONCE)]
        product = (rows @ transposed).tocoo()
        first, second = product.row // 2 + start, product.col // 2
        inverse = product.row % 2 != product.col % 2
        keep = (first < second) | (inverse & (first == second))
        codes = (first[keep].astype(np.int64) * relations + second[keep]) * 2 + inverse[keep]
        yield _added(codes, product.data[keep].astype(np.int64))


def _added(codes: Int64, counts: Int64) -> tuple[Int64, Int64]:
    """Each code once, with the sum of its counts."""
    distinct, places = np.unique(codes, return_inverse=True)
    sums = np.zeros(len(distinct), np.int64)
    np.add.at(sums, places, counts)
    return distinct, sums


def _joined(triples: Int32, entities: int) -> tuple[Int64, Int64, int]:
    """Triples whose two entities another triple joins as well: entity pair, 2·relation + direction.

    Also how many entity pairs have too many triples and were left out.
    """
    heads, relations, tails = triples.T
    key = np.minimum(heads, tails).astype(np.int64)
    key *= entities
    key += np.maximum(heads, tails)
    order = np.argsort(key, kind="stable")
    key = key[order]
    fresh = np.ones(len(key), bool)
    np.not_equal(key[1:], key[:-1], out=fresh[1:])
    sizes = np.diff(np.flatnonzero(fresh), append=len(order))
    kept = (sizes > 1) & (sizes <= MOST_RELATIONS)
    order = order[np.repeat(kept, sizes)]
    group = np.repeat(np.arange(np.count_nonzero(kept)), sizes[kept])
    signed = 2 * relations[order].astype(np.int64) + (heads[order] > tails[order])
    return group, signed, int(np.count_nonzero(sizes > MOST_RELATIONS))


def _overlaps(pairs: Int64, shared: Int64, of: tuple[int, Int64, Int64]) -> list[Overlap]:
    """The overlaps above the thresholds, of pairs that are codes as `_met` gives them."""
    relations, totals, without_loops = of
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
