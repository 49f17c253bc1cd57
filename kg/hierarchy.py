"""What lies below and above an entity along the relations that say "is a kind of" or "is broader"."""

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

import numpy as np

from .linking.broader_entities import HIERARCHY

if TYPE_CHECKING:
    from .graph import KnowledgeGraph


class Hierarchy:
    """The hierarchy of one graph, circles allowed; what was asked once is kept."""

    def __init__(self, graph: "KnowledgeGraph", relations: Collection[int]) -> None:
        """Read the edges.

        Args:
            graph: its triples are read.
            relations: from the narrower to the broader entity.
        """
        rows = np.isin(np.asarray(graph.triples[:, 1]), list(relations))
        self._parents: dict[int, list[int]] = {}
        self._children: dict[int, list[int]] = {}
        for narrower, _, broader in np.asarray(graph.triples)[rows].tolist():
            if narrower != broader:
                self._parents.setdefault(narrower, []).append(broader)
                self._children.setdefault(broader, []).append(narrower)
        self._ancestors: dict[int, frozenset[int]] = {}

    def ancestors(self, entity: int) -> frozenset[int]:
        """All that lies above the entity; the entity itself only where it lies on a circle."""
        known = self._ancestors.get(entity)
        if known is None:
            known = _reached(self._parents.get(entity, ()), self._parents)
            self._ancestors[entity] = known
        return known

    def below(self, root: int) -> frozenset[int]:
        """The root and all that lies below it."""
        return _reached([root], self._children)

    def is_top(self, entity: int) -> bool:
        """True for an entity that nothing lies above."""
        return entity not in self._parents


def hierarchy_relations(graph: "KnowledgeGraph", iris: Iterable[str] = HIERARCHY) -> list[int]:
    """Those of the predicates that the graph has, as relation numbers."""
    wanted = frozenset(iris)
    return [number for number, relation in enumerate(graph.relations) if relation.iri in wanted]


def _reached(start: Iterable[int], edges: dict[int, list[int]]) -> frozenset[int]:
    found = set(start)
    left = list(found)
    while left:
        for following in edges.get(left.pop(), ()):
            if following not in found:
                found.add(following)
                left.append(following)
    return frozenset(found)
