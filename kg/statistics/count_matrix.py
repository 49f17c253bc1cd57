"""How often each pair of numbers occurs, counted in linear time by sparse matrices."""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Numbers = NDArray[np.integer]


def count_matrix(rows: Numbers, columns: Numbers, shape: tuple[int, int]) -> sparse.csr_matrix:
    """Entry (i, j): how often `rows` is i where `columns` is j."""
    ones = np.ones(len(rows), np.int32)
    return sparse.csr_matrix((ones, (rows, columns)), shape=shape)


def frequent(counts: sparse.csr_matrix, row: int, most: int) -> list[tuple[int, int]]:
    """Columns and counts of one row, the greatest counts first, ties by column."""
    start, end = counts.indptr[row : row + 2]
    columns, found = counts.indices[start:end], counts.data[start:end]
    order = np.lexsort((columns, -found))[:most]
    return list(zip(columns[order].tolist(), found[order].tolist(), strict=True))
