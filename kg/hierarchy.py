"""What lies below and above an entity along the relations that say "is a kind of" or "is broader"."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from . import vocabulary as v

if TYPE_CHECKING:
    from .graph import KnowledgeGraph

# From the narrower to the broader: RDFS, SKOS, and Wikidata's subclass of.
HIERARCHY = (
    v.RDFS + "subClassOf",
    v.SKOS + "broader",
    v.SKOS + "broaderTransitive",
    "http://www.wikidata.org/prop/direct/P279",
)
MAX_KEPT = 200_000  # entities whose ancestors are kept


class Hierarchy:
    """The hierarchy of one graph, circles allowed; read where it is asked."""

    def __init__(self, graph: "KnowledgeGraph", relations: Collection[int]) -> None:
        """Keep what to read.

        Args:
            graph: its triples are read.
            relations: from the narrower to the broader entity.
        """
        self._graph = graph
        self._relations = tuple(relations)
        self._ancestors: dict[int, frozenset[int]] = {}

    def directly_above(self, entity: int) -> set[int]:
        """The other entities that one of the relations leads to."""
        return {
            int(broader)
            for relation in self._relations
            for broader in self._graph.objects(entity, relation)
            if broader != entity
        }

    def ancestors(self, entity: int) -> frozenset[int]:
        """All that lies above the entity; the entity itself only where it lies on a circle."""
        known = self._ancestors.get(entity)
        if known is not None:
            return known
        found: set[int] = set()
        left = [entity]
        while left:
            new = self.directly_above(left.pop()) - found
            found |= new
            left.extend(new)
        if len(self._ancestors) >= MAX_KEPT:
            self._ancestors.clear()
        self._ancestors[entity] = frozenset(found)
        return self._ancestors[entity]

    def unlike(self, inner: int, outer: int) -> bool:
        """True where both stand in one hierarchy and the first isn't above the second."""
        above_outer = self.ancestors(outer)
        return inner not in above_outer and not above_outer.isdisjoint(self.ancestors(inner))

    def below(self, root: int) -> frozenset[int]:
        """The root and all that lies below it."""
        found, left = {root}, [root]
        while left:
            new = [each for each in self._children.get(left.pop(), ()) if each not in found]
            found.update(new)
            left.extend(new)
        return frozenset(found)

    def is_top(self, entity: int) -> bool:
        """True for an entity that nothing lies above."""
        return not self.directly_above(entity)

    @cached_property
    def _children(self) -> Mapping[int, list[int]]:
        rows = np.isin(np.asarray(self._graph.triples[:, 1]), self._relations)
        children: defaultdict[int, list[int]] = defaultdict(list)
        for narrower, _, broader in np.asarray(self._graph.triples)[rows].tolist():
            children[broader].append(narrower)
        return children


def hierarchy_relations(graph: "KnowledgeGraph", iris: Iterable[str] = HIERARCHY) -> list[int]:
    """Those of the predicates that the graph has, as relation numbers."""
    wanted = frozenset(iris)
    return [number for number, relation in enumerate(graph.relations) if relation.iri in wanted]


def graph_hierarchy(graph: "KnowledgeGraph", relation: str = "") -> Hierarchy | None:
    """The hierarchy of one relation, by its IRI, or of all that the graph has; None if it has none.

    Raises:
        UserError: no triple of the graph has that relation.
    """
    relations = [graph.relation(relation)] if relation else hierarchy_relations(graph)
    return Hierarchy(graph, relations) if relations else None
