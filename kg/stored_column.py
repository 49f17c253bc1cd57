"""A column of a table that stays on disk: gone through piece by piece, or looked into."""

import bisect
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

Numbers = NDArray[np.integer]

HELD = 8 << 20  # bytes of a column


class Texts(Protocol):
    """A column in memory or on disk."""

    def __len__(self) -> int: ...

    def __getitem__(self, row: int) -> pa.Scalar: ...

    def take(self, rows: Numbers) -> pa.Array: ...


def row_groups(path: Path, columns: Sequence[str]) -> Iterator[pa.Table]:
    """Columns of a parquet file, a row group at a time."""
    file = pq.ParquetFile(path)
    for number in range(file.num_row_groups):
        yield file.read_row_group(number, list(columns), use_threads=False)


class StoredColumn:
    """A parquet file's column; some row groups that were asked for, and the last one, are in memory."""

    def __init__(self, path: Path, name: str) -> None:
        self._file = pq.ParquetFile(path)
        self._name = name
        meta = self._file.metadata
        sizes = [meta.row_group(number).num_rows for number in range(meta.num_row_groups)]
        self._numbers = [number for number, size in enumerate(sizes) if size]
        self._starts = np.cumsum([0, *(sizes[number] for number in self._numbers)])
        self._type = self._file.schema_arrow.field(name).type
        self._held: dict[int, pa.Array] = {}

    def __len__(self) -> int:
        return int(self._starts[-1])

    def __getitem__(self, row: int) -> pa.Scalar:
        group = int(np.searchsorted(self._starts, row, "right")) - 1
        return self._group(group)[row - int(self._starts[group])]

    def pieces(self) -> Iterator[pa.Array]:
        """All values in order, a row group at a time."""
        for group in range(len(self._numbers)):
            yield self._group(group)

    def present(self) -> NDArray[np.bool_]:
        """Which rows aren't null."""
        return np.concatenate([piece.is_valid().to_numpy(False) for piece in self.pieces()])

    def take(self, rows: Numbers) -> pa.Array:
        """The values of these rows; null where a row is −1."""
        order = np.argsort(rows, kind="stable")
        ends = np.searchsorted(rows[order], self._starts)
        found = [pa.nulls(int(ends[0]), self._type)]
        for group in np.flatnonzero(np.diff(ends)).tolist():
            places = rows[order[ends[group] : ends[group + 1]]] - self._starts[group]
            found.append(self._group(group).take(pa.array(places)))
        back = np.empty(len(order), np.int64)
        back[order] = np.arange(len(order))
        return pa.concat_arrays(found).take(pa.array(back))

    def find(self, text: str) -> int | None:
        """The row of a text, in a column of texts that ascends by code points; None if it isn't there."""
        group = bisect.bisect_right(self._firsts, text) - 1
        if group < 0:
            return None
        texts = self._group(group)
        place = bisect.bisect_left(range(len(texts)), text, key=lambda row: texts[row].as_py())
        there = place < len(texts) and texts[place].as_py() == text
        return int(self._starts[group]) + place if there else None

    @cached_property
    def _firsts(self) -> list[str]:
        """The first text of each row group."""
        return [self[row].as_py() for row in self._starts[:-1].tolist()]

    def _group(self, group: int) -> pa.Array:
        if group not in self._held:
            if sum(values.nbytes for values in self._held.values()) > HELD:
                self._held.popitem()  # the last one: to go through all again finds the first ones
            number = self._numbers[group]
            read = self._file.read_row_group(number, [self._name], use_threads=False)
            self._held[group] = read.column(0).combine_chunks()
        return self._held[group]
