"""A graph's linker as it is asked for: to which entities, and which mentions are kept."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...errors import UserError
from ..graph import KnowledgeGraph
from .entities_below import SUBCLASS_OF, entities_below
from .linker import Linker
from .mentions import Mention

Find = Callable[[str], Sequence[Mention]]


@dataclass(frozen=True)
class LinkerSettings:
    """What the mentions depend on, beside the texts.

    Attributes:
        graph: its folder.
        roots: IRIs; entities below one of them are linked to alone; all where there are none.
        hierarchy: IRI of the relation that leads from an entity to the one above it.
        longest: no mention within another.
    """

    graph: Path
    roots: tuple[str, ...] = ()
    hierarchy: str = SUBCLASS_OF
    longest: bool = False


@dataclass(frozen=True)
class TextLinking:
    """The graph, and the function that finds the mentions in a text."""

    graph: KnowledgeGraph
    find: Find


def open_linking(settings: LinkerSettings) -> TextLinking:
    """Open the graph and index its names.

    Raises:
        UserError: there is no graph, no such relation, or no name to look for.
    """
    graph = KnowledgeGraph.open(settings.graph)
    entities = None
    if settings.roots:
        roots = [graph.entity(iri) for iri in settings.roots]
        entities = entities_below(graph, roots, settings.hierarchy)
    named = graph.names_table["entity"].unique().to_pylist()
    if not (named if entities is None else entities.intersection(named)):
        what = "the graph has no names" if entities is None else "no entity below --root has a name"
        fix = "ingest it with its labels, or name other --root and --hierarchy"
        raise UserError(f"{what} to look for in texts", str(settings.graph), fix)
    linker = Linker.build(graph, entities)
    return TextLinking(graph, linker.link if settings.longest else _every_mention(linker))


def _every_mention(linker: Linker) -> Find:
    """The function that keeps nested and overlapping mentions too, where the linker has one."""
    every: Find = getattr(linker, "link_all", linker.link)
    return every
