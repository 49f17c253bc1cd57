"""The entities below some others in a hierarchy, to link to them alone."""

from collections.abc import Iterable

from .. import vocabulary as v
from ..graph import KnowledgeGraph

SUBCLASS_OF = v.RDFS + "subClassOf"


def entities_below(
    graph: KnowledgeGraph, roots: Iterable[int], hierarchy: str = SUBCLASS_OF
) -> frozenset[int]:
    """The roots, and all from which a path of this relation leads to one of them.

    Args:
        graph: cycles in it do no harm.
        roots: entities.
        hierarchy: IRI of the relation from the narrower entity to the broader one.

    Raises:
        UserError: no triple of the graph has this relation.
    """
    relation = graph.relation(hierarchy)
    found = set(roots)
    waiting = list(found)
    while waiting:
        for entity in graph.subjects(relation, waiting.pop()).tolist():
            if entity not in found:
                found.add(entity)
                waiting.append(entity)
    return frozenset(found)
