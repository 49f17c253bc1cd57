"""Numbers that mean the same in two graphs, for terms and for whole rows; all without loops."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Int64 = NDArray[np.int64]
LARGEST = 2**63 - 1


@dataclass(frozen=True)
class SharedNumbers:
    """A column of two graphs as numbers below `count`, equal where the values are."""

    old: Int64
    new: Int64
    count: int


def merged(old: pa.Array, new: pa.Array, apart: NDArray[np.bool_] | None = None) -> SharedNumbers:
    """The numbers of two ascending columns of distinct texts; they ascend as the columns do.

    Args:
        old: texts of the old graph.
        new: those of the new one.
        apart: those of the new one that are none of the old graph's, whatever their text.
    """
    place = pc.index_in(new, value_set=old).fill_null(-1).to_numpy().astype(np.int64)
    if apart is not None:
        place[apart] = -1
    unknown = place < 0
    # An unknown text goes directly behind the last known one before it.
    behind = np.maximum.accumulate(place)[unknown]
    numbers = np.arange(len(old)) + np.searchsorted(behind, np.arange(len(old)))
    of_new = np.empty(len(new), np.int64)
    of_new[~unknown] = numbers[place[~unknown]]
    of_new[unknown] = behind + 1 + np.arange(len(behind))
    return SharedNumbers(numbers, of_new, len(old) + len(behind))


def encoded(old: pa.ChunkedArray, new: pa.ChunkedArray) -> SharedNumbers:
    """The numbers of two columns of texts in any order."""
    both = pa.chunked_array([*old.chunks, *new.chunks], old.type)
    if pa.types.is_dictionary(old.type):
        both = both.unify_dictionaries()
    else:
        both = both.dictionary_encode()
    parts = [chunk.indices.to_numpy() for chunk in both.chunks]
    numbers = np.concatenate([*parts, np.zeros(0, np.int64)]).astype(np.int64)
    count = max((len(chunk.dictionary) for chunk in both.chunks), default=0)
    return SharedNumbers(numbers[: len(old)], numbers[len(old) :], count)


def different_rows(columns: Sequence[SharedNumbers]) -> tuple[Int64, Int64]:
    """Row numbers of the new graph that aren't in the old one, and of the old not in the new."""
    split = len(columns[0].old)
    keys, size = np.zeros(split + len(columns[0].new), np.int64), 1
    for column in columns:
        if size * column.count > LARGEST:
            distinct, keys = np.unique(keys, return_inverse=True)
            size = len(distinct)
        keys = keys * column.count + np.concatenate([column.old, column.new])
        size *= column.count
    old, new = keys[:split], keys[split:]
    return absent(new, np.sort(old)), absent(old, np.sort(new))


def absent(values: Int64, ascending: Int64) -> Int64:
    """Places of the values that aren't in the other array."""
    if not len(ascending):
        return np.arange(len(values))
    found = np.searchsorted(ascending, values)
    found[found == len(ascending)] = 0
    return np.flatnonzero(ascending[found] != values)
