"""Paths between two entities, the shortest first."""

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...errors import UserError

if TYPE_CHECKING:
    from ..graph import KnowledgeGraph

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]

MOST_MOVES = (
    5_000_000  # that one search looks at; a few seconds, or half a minute at small entities
)


class Step(NamedTuple):
    """A triple that a path goes along: its row in `triples`, and whether from head to tail."""

    row: int
    forward: bool


Path = tuple[Step, ...]


def paths(
    graph: "KnowledgeGraph",
    start: int,
    end: int,
    most_steps: int,
    relations: Collection[int] | None,
    both_ways: bool,
    most_moves: int = MOST_MOVES,
) -> Iterator[Path]:
    """Every path from one entity to another that comes to no entity twice, the shortest first.

    Paths of one length are in the order of their first steps that differ: those from head to tail
    first, then by row. An entity has no path to itself. Steps from which the end can't be reached in
    time, told by breadth-first search from both ends, are never looked at; so a hub costs only its
    triples that lead on.

    Args:
        graph: what is searched.
        start: an entity.
        end: another.
        most_steps: length of the longest path.
        relations: along these alone; None for all.
        both_ways: triples may also be gone from tail to head.
        most_moves: how many steps are tried before the search gives up.

    Raises:
        UserError: from the iterator, when `most_moves` were tried; the paths before are right and
            there may be more.
    """
    if start == end:
        return
    moves = _moves(graph, start, end, most_steps, relations, both_ways)
    search = _Search(moves, start, end, most_moves)
    for length in range(1, most_steps + 1):
        yield from search.along(start, length, [], {start})


class _Moves(NamedTuple):
    """Steps that may be part of a path, sorted by where they begin and `left`; shapes (m,)."""

    begins: Int32
    ends: Int32
    rows: Int64
    forward: NDArray[np.bool_]
    left: Int64  # how many steps there are from `ends` to the end of the path, at least


def _moves(
    graph: "KnowledgeGraph",
    start: int,
    end: int,
    most_steps: int,
    relations: Collection[int] | None,
    both_ways: bool,
) -> _Moves:
    heads, labels, tails = graph.triples.T
    usable = heads != tails
    if relations is not None:
        usable &= np.isin(labels, list(relations))
    rows = np.flatnonzero(usable)
    begins, ends, forward = heads[rows], tails[rows], np.ones(len(rows), bool)
    if both_ways:
        begins, ends = np.concatenate([begins, ends]), np.concatenate([ends, begins])
        forward = np.concatenate([forward, ~forward])
        rows = np.concatenate([rows, rows])
    from_start = _distances(begins, ends, start, graph.entity_count, most_steps)
    to_end = _distances(ends, begins, end, graph.entity_count, most_steps)
    kept = np.flatnonzero(from_start[begins] + 1 + to_end[ends] <= most_steps)
    kept = _without_dead_ends(begins, ends, kept, (start, end), graph.entity_count)
    left = to_end[ends]
    kept = kept[np.lexsort((rows[kept], ~forward[kept], left[kept], begins[kept]))]
    return _Moves(begins[kept], ends[kept], rows[kept], forward[kept], left[kept])


def _without_dead_ends(
    begins: Int32, ends: Int32, kept: Int64, terminals: tuple[int, int], count: int
) -> Int64:
    """The moves without those at entities that have one neighbour, and so can't be passed through."""
    while True:
        pairs = np.stack([begins[kept], ends[kept]], axis=1).astype(np.int64)
        both = np.concatenate([pairs, pairs[:, ::-1]])
        distinct = np.unique(both[:, 0] * count + both[:, 1])
        passable = np.bincount(distinct // count, minlength=count) > 1
        passable[list(terminals)] = True
        fewer = kept[passable[begins[kept]] & passable[ends[kept]]]
        if len(fewer) == len(kept):
            return kept
        kept = fewer


def _distances(begins: Int32, ends: Int32, source: int, count: int, most: int) -> Int64:
    """Steps from an entity to each; most + 1 where it takes more. Breadth-first, all at once."""
    distance = np.full(count, most + 1)
    distance[source] = 0
    for steps in range(1, most + 1):
        reached = ends[distance[begins] == steps - 1]
        fresh = reached[distance[reached] > steps]
        if not len(fresh):
            break
        distance[fresh] = steps
    return distance


class _Search:
    """Depth-first along the moves; counts what it tries."""

    def __init__(self, moves: _Moves, start: int, end: int, most_moves: int) -> None:
        self._moves = moves
        self._ends = start, end
        self._most = most_moves
        self._tried = 0

    def along(
        self, entity: int, length: int, path: list[Step], visited: set[int]
    ) -> Iterator[Path]:
        """The paths that go on from an entity and have just so many more steps."""
        moves = self._moves
        first, last = np.searchsorted(moves.begins, [entity, entity + 1])
        left = moves.left[first:last]
        # The end has none left, and only the last step may go there.
        low, high = np.searchsorted(left, [0, 1] if length == 1 else [1, length])
        leading = np.arange(first + low, first + high)
        self._count(1 + len(leading))
        order = np.lexsort((moves.rows[leading], ~moves.forward[leading]))
        for move in leading[order].tolist():
            reached = int(moves.ends[move])
            if reached in visited:
                continue
            path.append(Step(int(moves.rows[move]), bool(moves.forward[move])))
            if length == 1:
                yield tuple(path)
            else:
                visited.add(reached)
                yield from self.along(reached, length - 1, path, visited)
                visited.remove(reached)
            path.pop()

    def _count(self, moves: int) -> None:
        self._tried += moves
        if self._tried > self._most:
            raise UserError(
                f"the search for paths was given up after {self._most:,} steps",
                "from entity {} to {}".format(*self._ends),
                "ask for shorter paths, or name the relations that they may go along",
            )
