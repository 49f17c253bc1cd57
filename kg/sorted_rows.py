"""The rows of one entity in a column or table that is sorted by entity."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]


def bounds(ascending: Sequence[int] | Int32, count: int) -> Int64:
    """Where each number 0 … count−1 begins in an ascending column; shape (count + 1,)."""
    return np.searchsorted(np.asarray(ascending), np.arange(count + 1))


def rows_of(starts: Int64, table: pa.Table, entity: int) -> pa.Table:
    """The rows of one entity in a table sorted by entity."""
    start, end = int(starts[entity]), int(starts[entity + 1])
    return table.slice(start, end - start)
