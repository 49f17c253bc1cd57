"""A graph's triples split into training, validation and test, so that no side tells another.

Whole groups are drawn (triples that tell each other, see `kg/leaking_relations.py`), and none whose
entities or relations training would then lack: what was never trained can't be ranked honestly.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]

MOST_HELD_OUT = 20_000  # triples of a side; FB15k-237 asks 20,466


@dataclass(frozen=True)
class GraphSplit:
    """Rows of the triples on each side, ascending."""

    train: Int64
    valid: Int64
    test: Int64


def split_triples(triples: Int32, groups: Int64, share: float, seed: int) -> GraphSplit:
    """Draw a split.

    Args:
        triples: (n, 3), each once.
        groups: (n,) from 0; a group stays on one side.
        share: of the triples, for validation and for test each; both are at most `MOST_HELD_OUT`.
        seed: of the draw.

    Returns:
        The sides; validation and test are empty where training can spare nothing.
    """
    wanted = min(MOST_HELD_OUT, max(1, round(share * len(triples))))
    order = np.argsort(groups, kind="stable")
    bounds = np.searchsorted(groups[order], np.arange(groups.max(initial=-1) + 2))
    # Lists: a few numbers at a time are read and changed sooner than in arrays.
    ends = np.bincount(triples[:, [0, 2]].ravel()).tolist()
    of_relation = np.bincount(triples[:, 1]).tolist()
    sides: tuple[list[Int64], list[Int64]] = ([], [])
    counts = [0, 0]
    for group in np.random.default_rng([seed, 83]).permutation(len(bounds) - 1).tolist():
        side = int(counts[1] < counts[0])  # in turn, so that both are of one kind
        rows = order[bounds[group] : bounds[group + 1]]
        if counts[side] + len(rows) > wanted:
            if min(counts) >= wanted:
                break
            continue
        if _spare(triples[rows].tolist(), ends, of_relation):
            sides[side].append(rows)
            counts[side] += len(rows)
    valid, test = (np.sort(np.concatenate([np.empty(0, np.int64), *rows])) for rows in sides)
    held_out = np.concatenate((valid, test))
    return GraphSplit(np.setdiff1d(np.arange(len(triples)), held_out), valid, test)


def _spare(rows: list[list[int]], ends: list[int], of_relation: list[int]) -> bool:
    """Take the triples out of the counts, unless an entity or relation would have none left."""
    for head, relation, tail in rows:
        ends[head] -= 1
        ends[tail] -= 1
        of_relation[relation] -= 1
    if all(ends[h] and of_relation[r] and ends[t] for h, r, t in rows):
        return True
    for head, relation, tail in rows:
        ends[head] += 1
        ends[tail] += 1
        of_relation[relation] += 1
    return False
