"""How many objects a subject has under each predicate, and how many subjects an object."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]

PERCENTILE = 95


@dataclass(frozen=True)
class FanOut:
    """Sizes of the groups of statements that share a predicate and one end.

    Attributes:
        mean: statements a group.
        percentile_95: the least size that 95 % of the groups don't exceed (nearest rank).
        maximum: of the largest group.
    """

    mean: float
    percentile_95: int
    maximum: int


def group_sizes(
    ends: Int32, predicates: Int32, entities: int, predicate_count: int
) -> sparse.csr_matrix:
    """Statements of each predicate at each end, in linear time.

    Args:
        ends: subjects, or objects; shape (n,).
        predicates: shape (n,).
        entities, predicate_count: how many numbers there are of each.

    Returns:
        Shape (predicates, entities); a row's indices ascend.
    """
    ones = np.ones(len(ends), np.int32)
    # By way of columns: their few entries are sorted faster than the long rows would be.
    by_end = sparse.csc_matrix((ones, (predicates, ends)), shape=(predicate_count, entities))
    return by_end.tocsr()


def row_of(sizes: sparse.csr_matrix, predicate: int) -> tuple[Int32, Int32]:
    """Distinct ends of one predicate, and the statements at each; shapes (g,), (g,)."""
    rows = slice(*sizes.indptr[predicate : predicate + 2].tolist())
    return sizes.indices[rows], sizes.data[rows]


def fan_out(sizes: Int32) -> FanOut:
    """Mean, 95th percentile and maximum of at least one group size; shape (g,)."""
    place = -(-len(sizes) * PERCENTILE // 100) - 1
    return FanOut(
        mean=round(float(sizes.mean()), 4),
        percentile_95=int(np.partition(sizes, place)[place]),
        maximum=int(sizes.max()),
    )
