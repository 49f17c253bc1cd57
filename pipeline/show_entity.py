"""`infact show`: an entity's card for the terminal, or as JSON."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from ..kg.prefixes import Prefixes
from ..kg.views.entity_card import Edges, EntityCard, entity_card, find_entity
from .chosen_graph import ChosenGraph
from .console import Console

if TYPE_CHECKING:
    from .embedding.similar_entities import Similar

SHOWN = 8  # neighbours of a relation
SHOWN_IN_JSON = 1000
LONGEST = 300  # characters of a literal


def show_entity(
    chosen: ChosenGraph,
    asked: str,
    console: Console,
    similar: int = 0,
    vectors: Path | None = None,
) -> None:
    """Print the card.

    Args:
        chosen: the graph.
        asked: IRI, short form or name.
        console: where it is printed.
        similar: how many entities with the nearest vectors are told beside it.
        vectors: where they are; None for the project's.

    Raises:
        UserError: no entity, or several, are called so; or there are no vectors for the similar ones.
    """
    graph, prefixes = chosen.graph, chosen.prefixes
    found = find_entity(graph, asked, prefixes)
    most = SHOWN_IN_JSON if console.json_wanted else SHOWN
    card = entity_card(graph, found.entity, most, prefixes)
    nearest = _similar(chosen, found.entity, similar, vectors, console) if similar else []
    told = {"similar": [asdict(each) for each in nearest]} if similar else {}
    console.result({**asdict(card), "found_by": found.by, **told})
    if not console.json_wanted:
        if found.by == "alternative id":
            console.line(f"{asked} is an alternative id of {prefixes.compress(card.iri)}:")
        for line in card_lines(card, prefixes):
            console.line(line)
        for line in _similar_lines(nearest):
            console.line(line)


def _similar(
    chosen: ChosenGraph, entity: int, count: int, vectors: Path | None, console: Console
) -> "list[Similar]":
    from .embedding.similar_entities import similar_in_graph  # torch, which the card does without

    return similar_in_graph(chosen, entity, count, vectors, console)


def _similar_lines(nearest: "list[Similar]") -> Iterator[str]:
    if nearest:
        from .embedding.similar_entities import similar_lines

        yield from similar_lines(nearest)


def card_lines(card: EntityCard, prefixes: Prefixes) -> Iterator[str]:
    """The card in lines; the place where a statement was read stands in brackets behind it."""
    short = prefixes.compress(card.iri)
    yield card.label + ("  (deprecated)" if card.deprecated else "")
    yield f"  {card.iri}" + (f"  {short}" if short != card.iri else "")
    if card.replaced_by:
        yield f"  replaced by: {card.replaced_by.label}  {card.replaced_by.iri}"
    for other in card.consider:
        yield f"  consider: {other.label}  {other.iri}"
    if card.types:
        yield f"  a {', '.join(card.types)}"
    for name in card.names:
        if name.text != card.label or name.kind != "label":
            language = f" @{name.language}" if name.language else ""
            yield f"  {name.kind}: {name.text}{language}"
    named = {name.text for name in card.names}
    for literal in card.literals:
        if literal.value not in named:
            text = literal.value.replace("\n", " ")
            cut = text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
            yield f"  {prefixes.compress(literal.predicate)}: {cut}  [{literal.origin.place}]"
    for edges in card.outgoing:
        yield from _edge_lines(edges, f"→ {edges.label}")
    for edges in card.incoming:
        yield from _edge_lines(edges, f"← {edges.label}")


def _edge_lines(edges: Edges, head: str) -> Iterator[str]:
    yield f"{head} ({edges.count:,})"
    for neighbour in edges.neighbours:
        yield f"    {neighbour.label}  {neighbour.iri}  [{neighbour.origin.place}]"
    if edges.count > len(edges.neighbours):
        yield f"    … and {edges.count - len(edges.neighbours):,} more"
