"""Which blank node of one graph is which of another, told by what is said of it.

Blank nodes have no names that last, so two graphs are compared under a pairing of theirs. Any pairing
gives an exact difference; a good one gives a small one. This one pairs, from the nodes that no other
blank node points to downwards, first those whose whole neighbourhood is the same, then those whose
description is, then those that hang in the same place, at last those that share statements.

Neighbourhoods are told apart by colours that are refined round by round, as in Hogan 2017
("Canonical forms for isomorphic and equivalent RDF graphs") and rdflib's `to_isomorphic`; in cycles of
blank nodes one node after another is singled out, as there, but none is ever taken back. So graphs
that are the same but for names are paired without a rest, unless their blank nodes form cycles that
colours can't tell apart and that have no symmetry, or more of them than `MOST_LOOKS` allows. Then some
statements that didn't change are both added and removed.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Int64 = NDArray[np.int64]
UInt64 = NDArray[np.uint64]

MOST_ROUNDS = 32  # of refinement: how far from a node a difference is seen
MOST_LOOKS = 2_000_000  # at nodes in cycles, all of them once for each that is singled out


@dataclass(frozen=True)
class BlankNodes:
    """The blank nodes of two graphs, those of the old one first. Shapes: n nodes, e edges.

    Attributes:
        old_count: nodes of the old graph.
        described: (n,) sums of the hashes of their statements whose object is an IRI.
        valued: (n,) the same of their literal statements.
        pointed: (n,) the same of the statements with them as object and an IRI as subject.
        edges: (e, 3) head, relation, tail of statements between two of them.
    """

    old_count: int
    described: UInt64
    valued: UInt64
    pointed: UInt64
    edges: Int64

    @property
    def count(self) -> int:
        return len(self.described)


def matched_blank_nodes(nodes: BlankNodes) -> Int64:
    """For each node the one that it is in the other graph, -1 where it is none; shape (n,)."""
    matching = _Matching(nodes)
    ready = np.flatnonzero(matching.waiting == 0)
    looked = 0
    while True:
        while len(ready):
            ready = matching.settle(ready)
        left = np.flatnonzero(~matching.settled)
        if not len(left):
            break
        looked += len(left)
        ready = matching.settle_some(left) if looked <= MOST_LOOKS else left
    matching.pair_the_rest()
    return matching.partner


class _Matching:
    """The pairing as it grows: a node is settled once it is paired, or is known to stay alone."""

    def __init__(self, nodes: BlankNodes) -> None:
        self._nodes = nodes
        order = np.argsort(nodes.edges[:, 0], kind="stable")
        self._edges = nodes.edges[order]
        self._starts = np.searchsorted(self._edges[:, 0], np.arange(nodes.count + 1))
        self._whole = colours(nodes, upwards=True)
        self._below = colours(nodes, upwards=False)
        self._place = nodes.pointed.copy()  # what points to a node, settled nodes included
        self.waiting = np.bincount(nodes.edges[:, 2], minlength=nodes.count)
        self.partner = np.full(nodes.count, -1, np.int64)
        self.settled = np.zeros(nodes.count, bool)

    def settle(self, ready: Int64) -> Int64:
        """Pair the nodes among themselves; the nodes that now wait for no other are returned."""
        self._pair(ready, combined(self._whole, self._place))
        self._pair(ready, combined(self._below, self._place))
        self._pair(ready[self._place[ready] != 0], self._place)
        self._pair(ready, self._below)
        return self._told(ready)

    def pair_the_rest(self) -> None:
        """Pair nodes with the same description wherever they are, then with the same objects."""
        left = np.flatnonzero(self.partner < 0)
        self._pair(left, self._below)
        self._pair(left[self._nodes.described[left] != 0], self._nodes.described)

    def settle_some(self, left: Int64) -> Int64:
        """In cycles: pair the nodes that nothing else looks like, or one of the fewest lookalikes."""
        among = self._edges[~self.settled[self._edges[:, (0, 2)]].any(axis=1)]
        none = np.zeros(self._nodes.count, np.uint64)
        known = combined(self._whole, self._place)
        seen = BlankNodes(self._nodes.old_count, known, none, none, among)
        refined = colours(seen, upwards=True) if len(among) else known
        keys = refined[left]
        kinds, kind, size = np.unique(keys, return_inverse=True, return_counts=True)
        old = np.bincount(kind[left < self._nodes.old_count], minlength=len(kinds))
        shared = (old > 0) & (size > old)
        if not shared.any():
            return left
        alone = shared & (size == 2)
        if not alone.any():
            alone[np.flatnonzero(shared)[np.argmin(size[shared])]] = True
        chosen = left[alone[kind]]
        of_old = chosen[chosen < self._nodes.old_count]
        of_new = chosen[chosen >= self._nodes.old_count]
        if len(kinds[alone]) == 1:
            of_old, of_new = of_old[:1], of_new[:1]
        chosen = np.concatenate([of_old, of_new])
        self._pair(chosen, refined)
        return self._told(chosen)

    def _pair(self, among: Int64, keys: UInt64) -> None:
        """Pair unpaired nodes with equal keys: the first of the old graph with the first of the new."""
        among = among[self.partner[among] < 0]
        of_old = among[among < self._nodes.old_count]
        of_new = among[among >= self._nodes.old_count]
        if not len(of_old) or not len(of_new):
            return
        _, first, second = np.intersect1d(
            _told_apart(keys[of_old]),
            _told_apart(keys[of_new]),
            assume_unique=True,
            return_indices=True,
        )
        self.partner[of_old[first]] = of_new[second]
        self.partner[of_new[second]] = of_old[first]

    def _told(self, nodes: Int64) -> Int64:
        """Count the nodes as settled, and tell the nodes that they point to."""
        nodes = nodes[~self.settled[nodes]]
        self.settled[nodes] = True
        sizes = self._starts[nodes + 1] - self._starts[nodes]
        rows = np.repeat(self._starts[nodes + 1] - np.cumsum(sizes), sizes) + np.arange(sizes.sum())
        heads, relations, tails = self._edges[rows].T
        partner = self.partner[heads]
        # A pair goes by the number of its old node.
        identity = np.where(partner < 0, heads, np.minimum(heads, partner))
        np.add.at(self._place, tails, combined(hashed(identity), relations.astype(np.uint64)))
        np.subtract.at(self.waiting, tails, 1)
        tails = np.unique(tails)
        return tails[(self.waiting[tails] == 0) & ~self.settled[tails]]


def colours(nodes: BlankNodes, upwards: bool) -> UInt64:
    """Equal where the statements around two nodes are, up to `MOST_ROUNDS` steps; shape (n,).

    Args:
        nodes: of both graphs.
        upwards: also the statements that point to a node count, and what is said of their subjects.
    """
    heads, relations, tails = nodes.edges.T
    labels = relations.astype(np.uint64)
    colour = combined(hashed(nodes.described), nodes.valued)
    if upwards:
        colour = combined(colour, nodes.pointed)
    near = np.flatnonzero(np.bincount(nodes.edges[:, (0, 2)].ravel(), minlength=nodes.count))
    kinds = 0
    for _ in range(MOST_ROUNDS):
        before, kinds = kinds, _distinct(colour[near])
        if kinds == before:
            break
        total = hashed(colour)
        np.add.at(total, heads, combined(colour[tails], labels))
        if upwards:
            np.add.at(total, tails, combined(hashed(colour[heads]), labels))
        colour = hashed(total)
    return colour


def _distinct(values: UInt64) -> int:
    """How many; faster than numpy's `unique`, which hashes."""
    ascending = np.sort(values)
    return int(np.count_nonzero(ascending[1:] != ascending[:-1])) + 1


def _told_apart(keys: UInt64) -> UInt64:
    """Each key with how many equal ones stand before it."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    fresh = np.ones(len(keys), bool)
    fresh[1:] = ordered[1:] != ordered[:-1]
    place = np.arange(len(keys))
    nth = np.empty(len(keys), np.uint64)
    nth[order] = place - np.maximum.accumulate(np.where(fresh, place, 0))
    return combined(keys, nth)


def summed(count: int, at: Int64, hashes: UInt64) -> UInt64:
    """Sums of hashes by node number; shape (count,)."""
    total = np.zeros(count, np.uint64)
    np.add.at(total, at, hashes)
    return total


def combined(first: UInt64, *others: UInt64) -> UInt64:
    """A hash of rows of numbers; shape of each argument. Order counts."""
    total = first
    for other in others:
        total = hashed(total) + other
    return hashed(total)


def hashed(numbers: NDArray[np.integer]) -> UInt64:
    """SplitMix64 (Steele, Lea and Flood 2014): a permutation of the 64-bit numbers."""
    z = numbers.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
