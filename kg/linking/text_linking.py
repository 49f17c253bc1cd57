"""A graph's linker as it is asked for: to which entities, and which mentions are kept."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...errors import UserError
from ..graph import KnowledgeGraph
from ..hierarchy import graph_hierarchy
from .linker import Linker, graph_linker
from .mentions import Mention
from .rescoring import Score

Find = Callable[[str], Sequence[Mention]]
# What scores mentions of these entities of a graph, or of all where None, in place of the linker.
MakeScore = Callable[[KnowledgeGraph, Collection[int] | None], Score]


@dataclass(frozen=True)
class LinkerSettings:
    """What the mentions depend on, beside the texts.

    Attributes:
        graph: its folder.
        roots: IRIs; entities below one of them are linked to alone; all where there are none.
        hierarchy: IRI of the relation that leads from an entity to the one above it; all of
            kg.hierarchy.HIERARCHY that the graph has if empty.
        longest: no mention within another.
        candidates: that each mention gets at least, where the graph has entities of near names.
        common_words: link synonyms too that are common words of the graph's texts.
    """

    graph: Path
    roots: tuple[str, ...] = ()
    hierarchy: str = ""
    longest: bool = False
    candidates: int = 0
    common_words: bool = False


@dataclass(frozen=True)
class TextLinking:
    """The graph, its linker, and the function that finds the mentions in a text as was asked for."""

    graph: KnowledgeGraph
    linker: Linker
    find: Find

    @property
    def common_words(self) -> Sequence[tuple[str, int]]:
        return self.linker.common_words


def open_linking(settings: LinkerSettings, make_score: MakeScore | None = None) -> TextLinking:
    """Open the graph and index its names.

    Args:
        settings: what the mentions depend on.
        make_score: of a re-ranker; without one the linker's own scores stand.

    Raises:
        UserError: there is no graph, no such relation, or no name to look for.
    """
    graph = KnowledgeGraph.open(settings.graph)
    entities = entities_below(graph, settings.roots, settings.hierarchy) if settings.roots else None
    named = graph.names_table["entity"].unique().to_pylist()
    if not (named if entities is None else entities.intersection(named)):
        what = "the graph has no names" if entities is None else "no entity below --root has a name"
        fix = "ingest it with its labels, or name other --root and --hierarchy"
        raise UserError(f"{what} to look for in texts", str(settings.graph), fix)
    linker = graph_linker(graph, entities)
    if settings.common_words:
        linker = linker.linking_common_words()
    if make_score is not None:
        linker = linker.rescored(make_score(graph, entities))
    return TextLinking(graph, linker, _find(linker, settings))


def entities_below(graph: KnowledgeGraph, roots: Collection[str], hierarchy: str) -> frozenset[int]:
    """The entities with those IRIs, and all below them.

    Raises:
        UserError: the graph has no such entity, no such relation, or none that makes a hierarchy.
    """
    tree = graph_hierarchy(graph, hierarchy)
    if tree is None:
        problem = "the graph has no relation that makes a hierarchy, so nothing lies below a root"
        fix = "name the relation from the narrower to the broader entity: --hierarchy IRI"
        raise UserError(problem, "--root", fix)
    return frozenset[int]().union(*(tree.below(graph.entity(root)) for root in roots))


def _find(linker: Linker, settings: LinkerSettings) -> Find:
    find: Find = linker.link if settings.longest else linker.link_all
    if not settings.candidates:
        return find
    linker.read_near_names()  # now, so that processes that are forked later share them
    return lambda text: [
        linker.with_candidates(mention, settings.candidates) for mention in find(text)
    ]
