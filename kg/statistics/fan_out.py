"""How many objects a subject has under each predicate, and how many subjects an object."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Int32 = NDArray[np.int32]

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


def group_sizes(ends: Iterable[Int32], entities: int) -> tuple[Int32, Int32]:
    """Distinct ends of one predicate, ascending, and the statements at each; shapes (g,), (g,).

    Args:
        ends: its subjects, or objects, some at a time.
        entities: how many there are.
    """
    counts = np.zeros(entities, np.int32)
    for some in ends:
        np.add.at(counts, some, np.int32(1))  # of the same type: that is twenty times as fast
    at = np.flatnonzero(counts)
    return at.astype(np.int32), counts[at]


def fan_out(sizes: Int32) -> FanOut:
    """Mean, 95th percentile and maximum of at least one group size; shape (g,)."""
    place = -(-len(sizes) * PERCENTILE // 100) - 1
    return FanOut(
        mean=round(float(sizes.mean()), 4),
        percentile_95=int(np.partition(sizes, place)[place]),
        maximum=int(sizes.max()),
    )
