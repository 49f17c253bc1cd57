"""Triples of both directions in batches, side by side where they ask the same.

Each triple is asked twice, (h, r, ?) and (?, r, t). Triples that share a query can share its row of
scores and its normaliser: as many rows as there are distinct queries rather than triples (CoDEx-S: 11,867
rows in place of 65,776). So an epoch shuffles queries, and lays each query's triples side by side.

Shapes: n triples, B triples of a batch, Q distinct queries of a batch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, overload

import numpy as np
import torch
from torch import Tensor

from .embedding_base import with_reciprocals


class TripleBatch(NamedTuple):
    """Triples (reciprocals among them) grouped by query; all int64."""

    heads: Tensor  # (Q,)
    relations: Tensor  # (Q,), 0 … 2R - 1
    query_of_triple: Tensor  # (B,), rows of `heads`, ascending
    tails: Tensor  # (B,)
    step_triples: int  # B, or more where this is a part of a step's batch


@dataclass(frozen=True)
class GroupedEpoch(Sequence[TripleBatch]):
    """The batches of one epoch, each made when it is asked for.

    Attributes:
        both: (2n, 3) triples and reciprocals.
        query: (2n,) number of each one's query.
        batch_size: triples.
        draw: what the order depends on.
    """

    both: np.ndarray
    query: np.ndarray
    batch_size: int
    draw: tuple[int, int]

    def __len__(self) -> int:
        return -(-len(self.both) // self.batch_size)

    @overload
    def __getitem__(self, number: int) -> TripleBatch: ...
    @overload
    def __getitem__(self, number: slice) -> Sequence[TripleBatch]: ...
    def __getitem__(self, number: int | slice) -> TripleBatch | Sequence[TripleBatch]:
        if isinstance(number, slice):
            return [self[each] for each in range(*number.indices(len(self)))]
        if not 0 <= number < len(self):
            raise IndexError(number)
        place, order = self._order
        start = number * self.batch_size
        return _batch(self.both, place, order[start : start + self.batch_size])

    @cached_property
    def _order(self) -> tuple[np.ndarray, np.ndarray]:
        """Each triple's query's place (2n,), and the rows in their order (2n,)."""
        random = np.random.default_rng(self.draw)
        place = random.permutation(int(self.query.max(initial=-1)) + 1)[self.query]
        return place, np.lexsort((random.permutation(len(self.both)), place))


def triple_batches(
    triples: np.ndarray, relation_count: int, batch_size: int, seed: int
) -> Callable[[int], Sequence[TripleBatch]]:
    """The batches of an epoch, as a function of the epoch's number.

    Both directions of `triples` (n, 3) come once an epoch. The order depends on seed and epoch
    alone, so a resumed run sees what the unbroken run saw.
    """
    both = with_reciprocals(triples.astype(np.int64), relation_count)
    _, query = np.unique(both[:, 0] * 2 * relation_count + both[:, 1], return_inverse=True)
    return lambda epoch: GroupedEpoch(both, query, batch_size, (seed, epoch))


def _batch(both: np.ndarray, place: np.ndarray, rows: np.ndarray) -> TripleBatch:
    """Those rows of `both`; equal `place`, one after another, marks one query."""
    first = np.diff(place[rows], prepend=-1) != 0
    return TripleBatch(
        heads=torch.from_numpy(both[rows[first], 0]),
        relations=torch.from_numpy(both[rows[first], 1]),
        query_of_triple=torch.from_numpy(np.cumsum(first) - 1),
        tails=torch.from_numpy(both[rows, 2]),
        step_triples=len(rows),
    )


def triples_part(batch: TripleBatch, number: int, count: int) -> TripleBatch | None:
    """Every `count`-th query from `number` on, with its triples; None where there is none."""
    if number >= len(batch.heads):
        return None
    kept = batch.query_of_triple % count == number
    return TripleBatch(
        batch.heads[number::count],
        batch.relations[number::count],
        batch.query_of_triple[kept] // count,
        batch.tails[kept],
        batch.step_triples,
    )
