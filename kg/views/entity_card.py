"""Everything that a graph holds about an entity, as one record."""

from collections.abc import Iterable
from dataclasses import dataclass

from ...errors import UserError
from ..graph import KnowledgeGraph
from ..graph_records import Literal, Name, Origin
from ..identifiers import Resolved, expanded_or_same
from ..prefixes import ExpansionError, Prefixes


@dataclass(frozen=True)
class Neighbour:
    """An entity at the other end of a triple, and where the triple was read first."""

    entity: int
    iri: str
    label: str
    origin: Origin


@dataclass(frozen=True)
class Edges:
    """The triples of one relation at an entity; `neighbours` are the first of `count`."""

    relation: str
    label: str
    count: int
    neighbours: tuple[Neighbour, ...]


@dataclass(frozen=True)
class Successor:
    """An entity to take instead of one that is out of use."""

    iri: str
    label: str


@dataclass(frozen=True)
class EntityCard:
    """An entity: `outgoing` are the triples that it is the head of, `incoming` the tail.

    `replaced_by` stands for it now (None where nothing single does); `consider` may.
    """

    iri: str
    label: str
    types: tuple[str, ...]
    deprecated: bool
    degree: int
    names: tuple[Name, ...]
    literals: tuple[Literal, ...]
    outgoing: tuple[Edges, ...]
    incoming: tuple[Edges, ...]
    replaced_by: Successor | None
    consider: tuple[Successor, ...]


def entity_card(graph: KnowledgeGraph, entity: int, most: int, prefixes: Prefixes) -> EntityCard:
    """The card, with at most so many neighbours of each relation and direction."""
    now = graph.resolve(graph.iri(entity), prefixes) or Resolved(entity, "itself")
    return EntityCard(
        iri=graph.iri(entity),
        label=graph.label(entity),
        types=tuple(graph.label(kind) for kind in graph.types(entity)),
        deprecated=graph.deprecated(entity),
        degree=graph.degree(entity),
        names=graph.names_of(entity),
        literals=tuple(graph.literals(entity)),
        outgoing=_edges(graph, graph.outgoing(entity).tolist(), 2, most),
        incoming=_edges(graph, graph.incoming(entity).tolist(), 0, most),
        replaced_by=None if now.entity == entity else _successor(graph, graph.iri(now.entity)),
        consider=tuple(_successor(graph, iri) for iri in now.consider),
    )


def _successor(graph: KnowledgeGraph, iri: str) -> Successor:
    entity = graph.find(iri)
    return Successor(iri, iri if entity is None else graph.label(entity))


def _edges(graph: KnowledgeGraph, rows: Iterable[int], end: int, most: int) -> tuple[Edges, ...]:
    """Triples by relation; `end` is the column in which their other entity stands."""
    by_relation: dict[int, list[int]] = {}
    for row in rows:
        by_relation.setdefault(int(graph.triples[row, 1]), []).append(row)
    return tuple(
        Edges(
            relation=graph.relation_iri(relation),
            label=graph.relation_label(relation),
            count=len(of_relation),
            neighbours=tuple(
                _neighbour(graph, int(graph.triples[row, end]), row) for row in of_relation[:most]
            ),
        )
        for relation, of_relation in sorted(by_relation.items())
    )


def _neighbour(graph: KnowledgeGraph, entity: int, row: int) -> Neighbour:
    return Neighbour(entity, graph.iri(entity), graph.label(entity), graph.origin(row))


def find_entity(graph: KnowledgeGraph, asked: str, prefixes: Prefixes) -> Resolved:
    """The entity that is meant by an IRI, a short form, an alternative id or one of its names.

    Case is set aside in names. An entity that is out of use is still found itself.

    Raises:
        UserError: no entity, or several, are called so; both name what may be meant.
    """
    try:
        iri = prefixes.expand(asked)
    except ExpansionError:
        iri = asked
    for text in dict.fromkeys((iri, expanded_or_same(asked, prefixes))):
        found = graph.resolve(text, prefixes)
        if found is not None and found.by == "alternative id":
            return found
        entity = graph.find(text)
        if entity is not None:
            return Resolved(entity, "itself")
    named = _named(graph, asked) if iri == asked else []
    if len(named) > 1:
        choices = ", ".join(f"{prefixes.compress(graph.iri(e))} ({graph.label(e)})" for e in named)
        raise UserError(f"{len(named)} entities are called {asked!r}", choices, "name one by IRI")
    return Resolved(named[0] if named else graph.entity(iri), "itself")


def _named(graph: KnowledgeGraph, asked: str) -> list[int]:
    """Entities with this label, or where there is none with this name; at most a handful matter."""
    folded = asked.casefold()
    names = graph.names_table
    found: dict[str, set[int]] = {}
    for entity, name, kind in zip(
        names["entity"].to_pylist(),
        names["name"].to_pylist(),
        names["kind"].to_pylist(),
        strict=True,
    ):
        if name.casefold() == folded:
            found.setdefault("label" if kind == "label" else "other", set()).add(entity)
    return sorted(found.get("label") or found.get("other") or ())
