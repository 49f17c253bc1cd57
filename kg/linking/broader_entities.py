"""Which entities stand above another one in the graph's hierarchy."""

from collections.abc import Sequence

from .. import vocabulary as v
from ..graph import KnowledgeGraph

# From the narrower to the broader: RDFS, SKOS, and Wikidata's subclass of.
HIERARCHY = (
    v.RDFS + "subClassOf",
    v.SKOS + "broader",
    v.SKOS + "broaderTransitive",
    "http://www.wikidata.org/prop/direct/P279",
)


class BroaderEntities:
    """Looks up what is above an entity; keeps what it found, bounded in number."""

    MAX_KEPT = 200_000

    def __init__(self, graph: KnowledgeGraph, hierarchy: Sequence[str] = HIERARCHY) -> None:
        self._graph = graph
        iris = [relation.iri for relation in graph.relations]
        self._relations = [iris.index(iri) for iri in hierarchy if iri in iris]
        self._above: dict[int, frozenset[int]] = {}

    def above(self, entity: int) -> frozenset[int]:
        """Every entity that a chain of the hierarchy's relations leads to, itself left out."""
        known = self._above.get(entity)
        if known is not None:
            return known
        found: set[int] = set()
        left = [entity]
        while left:
            broader = self.directly_above(left.pop()) - found
            found |= broader
            left.extend(broader)
        if len(self._above) >= self.MAX_KEPT:
            self._above.clear()
        self._above[entity] = frozenset(found - {entity})
        return self._above[entity]

    def directly_above(self, entity: int) -> set[int]:
        """The entities that one of the hierarchy's relations leads to."""
        return {
            int(tail)
            for relation in self._relations
            for tail in self._graph.objects(entity, relation)
        }

    def unlike(self, inner: int, outer: int) -> bool:
        """True where both stand in one hierarchy and the first isn't above the second."""
        above_outer = self.above(outer)
        return inner not in above_outer and not above_outer.isdisjoint(self.above(inner))
