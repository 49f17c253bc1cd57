"""How many objects a subject has under each predicate, and how many subjects an object."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]

PERCENTILE = 95


@dataclass(frozen=True)
class FanOut:
    """Statements grouped by predicate and one end, in that order.

    Shapes: g groups.

    Attributes:
        predicate, end, size: of each group, and how many statements it has; shape (g,).
        groups, maximum, percentile: by predicate, 0 where it has no statement; the percentile is
            the least size that 95 % of its groups don't exceed (nearest rank).
    """

    predicate: Int64
    end: Int64
    size: Int64
    groups: Int64
    maximum: Int64
    percentile: Int64

    def rows(self, predicate: int) -> slice:
        """The groups of one predicate."""
        return slice(*np.searchsorted(self.predicate, [predicate, predicate + 1]).tolist())

    def described(self, predicate: int, statements: int) -> dict[str, Any]:
        """The sizes of one predicate's groups, for statistics.json."""
        return {
            "mean": round(statements / int(self.groups[predicate]), 4),
            "percentile_95": int(self.percentile[predicate]),
            "maximum": int(self.maximum[predicate]),
        }


def fan_out(ends: Int32, predicates: Int32, entities: int, predicate_count: int) -> FanOut:
    """Group statements by predicate and end.

    Args:
        ends: subjects, or objects; shape (n,).
        predicates: shape (n,).
        entities, predicate_count: how many numbers there are of each.
    """
    key = predicates.astype(np.int64)
    key *= entities
    key += ends
    key.sort()
    starts = run_starts(key)
    size = np.diff(starts, append=len(key))
    end = key[starts]
    del key
    bounds = np.searchsorted(end, np.arange(predicate_count + 1) * entities)
    groups = np.diff(bounds)
    predicate = np.repeat(np.arange(predicate_count), groups)
    end -= predicate * entities
    span = int(size.max(initial=0)) + 1
    ordered = predicate * span + size
    ordered.sort()  # by predicate, then by size
    rank = bounds[:-1] + -(-groups * PERCENTILE // 100) - 1
    there = groups > 0
    maximum, percentile = np.zeros((2, predicate_count), np.int64)
    maximum[there] = ordered[bounds[1:][there] - 1] % span
    percentile[there] = ordered[rank[there]] % span
    return FanOut(predicate, end, size, groups, maximum, percentile)


def run_starts(ordered: Int64) -> Int64:
    """Where a new value begins in a sorted column."""
    fresh = np.empty(len(ordered), bool)
    fresh[:1] = True
    np.not_equal(ordered[1:], ordered[:-1], out=fresh[1:])
    return np.flatnonzero(fresh)
