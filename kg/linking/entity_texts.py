"""What a graph says of its entities in words: their names, and a text of what each is."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from ..definitions import definitions
from ..graph import KnowledgeGraph
from ..hierarchy import Hierarchy, hierarchy_relations
from .linker import name_rows

MOST_ABOVE = 4  # entities directly above that a description names


@dataclass(frozen=True)
class EntityTexts:
    """Texts by entity.

    Attributes:
        names: of each entity that has any, none twice, in the order of the names table.
        descriptions: of the same entities: label, definition, labels of what is directly above.
        defined: how many of them have a definition.
    """

    names: Mapping[int, Sequence[str]]
    descriptions: Mapping[int, str]
    defined: int

    def texts(self) -> list[str]:
        """All of them, sorted, none twice."""
        found = {name for names in self.names.values() for name in names}
        return sorted(found | set(self.descriptions.values()))


def entity_texts(graph: KnowledgeGraph, entities: Collection[int] | None = None) -> EntityTexts:
    """Read the texts of these entities, or of all that have names."""
    names: dict[int, list[str]] = {}
    for row in name_rows(graph, entities):
        known = names.setdefault(row.entity, [])
        if row.text not in known:
            known.append(row.text)
    hierarchy = Hierarchy(graph, hierarchy_relations(graph))
    defined = definitions(graph, list(names))
    descriptions = {
        entity: _description(graph, hierarchy, entity, definition)
        for entity, definition in zip(names, defined, strict=True)
    }
    return EntityTexts(names, descriptions, sum(map(bool, defined)))


def _description(graph: KnowledgeGraph, hierarchy: Hierarchy, entity: int, definition: str) -> str:
    above = sorted(graph.label(each) for each in hierarchy.directly_above(entity))[:MOST_ABOVE]
    parts = (graph.label(entity), " ".join(definition.split()), *above)
    return "; ".join(part for part in parts if part)
