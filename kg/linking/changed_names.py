"""Names by which two linkers may link differently, though a text is read the same.

A name is looked at anew where it was added, is gone, or is of another kind; and all names of an entity
are where its prior has changed, or what tells it from the entities that share a name with it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from ..graph import KnowledgeGraph
from .changes import Change, ChangeKind
from .coherence import neighbours
from .linker import Linker
from .linking_scores import NameRow, texts_about
from .name_index import NameIndex

GONE = -1  # number of an entity that the other graph lacks

ChangedRows = dict[NameRow, list[Change]]


class AmbiguousNames(NamedTuple):
    """Keys of names, and sums of their bags and variants; see `ambiguous_names`."""

    keys: set[int]
    sums: set[int]


def entity_numbers(old: KnowledgeGraph, new: KnowledgeGraph) -> NDArray[np.int64]:
    """The number in the new graph of each entity of the old one, GONE where it isn't there."""
    found = pc.index_in(old.entities_table["iri"], value_set=new.entities_table["iri"])
    numbers: NDArray[np.int64] = found.fill_null(GONE).to_numpy().astype(np.int64)
    return numbers


def changed_rows(
    old: Linker, new: Linker, numbers: NDArray[np.int64], ambiguous: AmbiguousNames
) -> tuple[ChangedRows, ChangedRows]:
    """The names of the old linker and those of the new one that are to be looked at anew, and why.

    Args:
        numbers: see `entity_numbers`.
        ambiguous: names of the new linker.
    """
    touched = _touched_entities(old, new, numbers, ambiguous)
    before, after = (
        {_identity(row, each): row for row in _rows(each.index)} for each in (old, new)
    )
    kinds = {each[:2] for each in before}, {each[:2] for each in after}
    gone, added = ChangedRows(), ChangedRows()
    for ours, theirs, others, found, kind in (
        (before, after, kinds[1], gone, ChangeKind.NAME_GONE),
        (after, before, kinds[0], added, ChangeKind.NAME_ADDED),
    ):
        for identity, row in ours.items():
            iri, text = identity[:2]
            changes = list(touched.get(iri, ()))
            if identity not in theirs:
                kept = identity[:2] in others
                changes.insert(0, Change(ChangeKind.NAME_CHANGED if kept else kind, text, iri))
            if changes:
                found[row] = changes
    return gone, added


def _rows(index: NameIndex) -> Iterator[NameRow]:
    for rows in index.names:
        yield from rows


def _identity(row: NameRow, linker: Linker) -> tuple[str, str, str, bool]:
    """A name as it is called whatever the numbers of entities."""
    return linker.scorer.graph.iri(row.entity), row.text, row.kind, row.deprecated


def ambiguous_names(index: NameIndex) -> AmbiguousNames:
    """Keys, and sums of bags, that names of several entities share: a mention may be of either."""
    entities = [{row.entity for row in rows} for rows in index.names]
    keys = {key for key, found in enumerate(entities) if len(found) > 1}
    sums = {
        total
        for total in index.unordered.keys
        if len(set[int]().union(*(entities[key] for key in index.unordered.keys_of(total)))) > 1
    }
    return AmbiguousNames(keys, sums)


def _touched_entities(
    old: Linker, new: Linker, numbers: NDArray[np.int64], names: AmbiguousNames
) -> dict[str, list[Change]]:
    """IRI → why names of the entity are looked at anew; entities of both graphs."""
    graph = new.scorer.graph
    old_numbers = {int(after): before for before, after in enumerate(numbers) if after != GONE}
    ambiguous = _entities_of(names, new.index)
    found: defaultdict[str, list[Change]] = defaultdict(list)
    for entity in {row.entity for row in _rows(new.index)} & old_numbers.keys():
        before = old_numbers[entity]
        iri, label = graph.iri(entity), graph.label(entity)
        if old.scorer.magnitude(before) != new.scorer.magnitude(entity):
            found[iri].append(Change(ChangeKind.DEGREE, label, iri))
        if entity in ambiguous and _context_differs(
            old.scorer.graph, graph, before, entity, numbers
        ):
            found[iri].append(Change(ChangeKind.CONTEXT, label, iri))
    return found


def _entities_of(names: AmbiguousNames, index: NameIndex) -> set[int]:
    """Entities with a name that is ambiguous."""
    keys = names.keys.union(*map(index.unordered.keys_of, names.sums))
    return {row.entity for key in keys for row in index.names[key]}


def _context_differs(
    old: KnowledgeGraph,
    new: KnowledgeGraph,
    before: int,
    after: int,
    numbers: NDArray[np.int64],
) -> bool:
    if frozenset(texts_about(old, before)) != frozenset(texts_about(new, after)):
        return True
    joined: Iterable[int] = numbers[list(neighbours(old, before))].tolist()
    return set(joined) != neighbours(new, after)
