"""What a rule finds: entities, and the statements that are the matter with them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ..graph import Int32, Int64
from .statement_rows import Flags, StatementRows


@dataclass(frozen=True)
class Found:
    """k findings of one rule; a null property or value is that of the statement.

    Shapes: all (k,). `statement` is the number of the one that shows the fault, or of one about the
    entity, so that its place is known; -1 where there is none.
    """

    entity: Int32
    statement: Int32
    property: pa.Array
    value: pa.Array

    def at(self, places: Int64) -> "Found":
        """Those at these places, in their order."""
        chosen = pa.array(places)
        return Found(
            self.entity[places],
            self.statement[places],
            self.property.take(chosen),
            self.value.take(chosen),
        )

    def part(self, start: int, end: int) -> "Found":
        """Some in a row."""
        return Found(
            self.entity[start:end],
            self.statement[start:end],
            self.property[start:end],
            self.value[start:end],
        )


def statements(graph: StatementRows, rows: Int64) -> Found:
    """Each of these statements is a fault of its subject."""
    return Found(graph.subject[rows], graph.number[rows], pa.nulls(len(rows)), pa.nulls(len(rows)))


def statements_under(graph: StatementRows, rows: Int64, property: str) -> Found:
    """Statements that are a fault under another property than their own."""
    return Found(
        graph.subject[rows],
        graph.number[rows],
        repeated(property, len(rows)),
        pa.nulls(len(rows)),
    )


def reversed_statements(graph: StatementRows, rows: Int64) -> Found:
    """Each of these triples is a fault of its object."""
    subjects = graph.iris.take(graph.subject[rows])
    return Found(graph.object[rows], graph.number[rows], pa.nulls(len(rows)), subjects)


def lacking(graph: StatementRows, entities: Flags, property: str) -> Found:
    """Flagged entities that have no statement with this property."""
    numbers = np.flatnonzero(entities).astype(np.int32)
    return Found(
        numbers,
        graph.first[numbers],
        repeated(property, len(numbers)),
        repeated("", len(numbers)),
    )


def repeated(text: str, count: int) -> pa.DictionaryArray:
    """The same text so many times, held once."""
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, np.int32)), pa.array([text]))


def together(parts: Sequence[Found]) -> Found:
    """The findings of several parts of one rule."""
    return Found(
        np.concatenate([part.entity for part in parts]),
        np.concatenate([part.statement for part in parts]),
        pa.concat_arrays([part.property.cast(pa.string()) for part in parts]),
        pa.concat_arrays([part.value.cast(pa.string()) for part in parts]),
    )


def occurrences(*keys: Int64 | Int32) -> Int64:
    """For each row, how many rows have the same keys."""
    order = np.lexsort(keys)
    fresh = np.ones(len(order), bool)
    fresh[1:] = False
    for key in keys:
        ordered = key[order]
        fresh[1:] |= ordered[1:] != ordered[:-1]
    sizes = np.diff(np.flatnonzero(fresh), append=len(order))
    found = np.empty(len(order), np.int64)
    found[order] = np.repeat(sizes, sizes)
    return found


def places_of_equals(left: Int32, right: Int32) -> tuple[Int64, Int64]:
    """All pairs of places at which two columns have the same number: shapes (pairs,), (pairs,)."""
    order = np.argsort(right, kind="stable")
    starts, ends = (np.searchsorted(right[order], left, side=side) for side in ("left", "right"))
    counts = ends - starts
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.repeat(np.arange(len(left)), counts), order[np.repeat(starts, counts) + within]
