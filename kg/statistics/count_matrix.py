"""How often each pair of numbers occurs, counted in linear time by sparse matrices."""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Numbers = NDArray[np.integer]


def count_matrix(rows: Numbers, columns: Numbers, shape: tuple[int, int]) -> sparse.csr_matrix:
    """Entry (i, j): how often `rows` is i where `columns` is j."""
    ones = np.ones(len(rows), np.int32)
    return sparse.csr_matrix((ones, (rows, columns)), shape=shape)


def frequent(counts: Numbers, most: int) -> list[tuple[int, int]]:
    """Places and counts of what occurs, the greatest counts first, ties by place."""
    places = np.flatnonzero(counts)
    order = np.lexsort((places, -counts[places]))[:most]
    return list(zip(places[order].tolist(), counts[places[order]].tolist(), strict=True))
