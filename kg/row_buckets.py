"""Rows of numbers too many for memory: read in slices, and brought together by a key on disk."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
Numbers = NDArray[np.integer]

AT_ONCE = 1 << 17  # rows that are in memory together


class RowSlices:
    """The rows of an array file, some at a time, as often as asked.

    They are read into memory of their own: pages of a mapped file would all stay in it.
    """

    def __init__(self, path: Path) -> None:
        mapped = np.load(path, mmap_mode="r", allow_pickle=False)
        self._path = path
        self._start = mapped.offset
        self._count, self._width = mapped.shape

    def __len__(self) -> int:
        """How many rows."""
        return self._count

    def __iter__(self) -> Iterator[Int32]:
        for first in range(0, self._count, AT_ONCE):
            yield self._slice(first)

    def take(self, rows: Numbers) -> Int32:
        """These rows; shape (k, width). -1 where a row is -1."""
        found = np.full((len(rows), self._width), -1, np.int32)
        slices = rows // AT_ONCE
        for number in np.unique(slices[rows >= 0]).tolist():
            here = np.flatnonzero(slices == number)
            found[here] = self._slice(number * AT_ONCE)[rows[here] - number * AT_ONCE]
        return found

    def _slice(self, first: int) -> Int32:
        count = min(AT_ONCE, self._count - first) * self._width
        with self._path.open("rb") as file:
            file.seek(self._start + first * self._width * 4)
            return np.fromfile(file, "<i4", count).reshape(-1, self._width)


class RowBuckets:
    """Rows of numbers in a file, in an order of their own within each bucket: that of `add`."""

    def __init__(self, file: IO[bytes], sizes: Int64, width: int) -> None:
        """Args:
        file: empty, to write and read.
        sizes: how many rows each bucket will have.
        width: numbers in a row.
        """
        self._file = file
        self._width = width
        self._ends = np.cumsum(sizes)
        self._starts = self._ends - sizes
        self._next = self._starts.copy()
        # Numbers of 16 bits or less are sorted in linear time.
        self._smallest = np.min_scalar_type(len(sizes))

    def __len__(self) -> int:
        """How many buckets."""
        return len(self._starts)

    def add(self, buckets: Numbers, rows: Int32) -> None:
        """Put each of k rows into its bucket; shapes (k,), (k, width)."""
        order = np.argsort(buckets.astype(self._smallest), kind="stable")
        numbers, firsts = np.unique(buckets[order], return_index=True)
        parts = np.split(rows[order], firsts[1:])
        for number, part in zip(numbers.tolist(), parts, strict=False):  # no number: an empty part
            os.pwrite(self._file.fileno(), part.tobytes(), self._place(self._next[number]))
            self._next[number] += len(part)

    def read(self, bucket: int) -> Iterator[Int32]:
        """The rows of a bucket, some at a time."""
        for first in range(self._starts[bucket], self._ends[bucket], AT_ONCE):
            rows = min(AT_ONCE, self._ends[bucket] - first)
            data = os.pread(self._file.fileno(), self._place(rows), self._place(first))
            yield np.frombuffer(data, np.int32).reshape(rows, self._width)

    def whole(self, bucket: int) -> Int32:
        """All rows of a bucket."""
        return np.concatenate([np.empty((0, self._width), np.int32), *self.read(bucket)])

    def _place(self, row: int) -> int:
        return int(row) * self._width * 4
