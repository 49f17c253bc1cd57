"""Same-name groups: entities that share a name stand or fall together in every split."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field

from ..graph import KnowledgeGraph

GROUPING_KINDS = ("label", "exact")
NOT_WORD = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class NameGroups:
    """A partition of the subjects; an entity outside it is a group of its own.

    Attributes:
        group_of: entity id to group, which is named by its smallest entity id.
        members: group to its entities, ascending.
    """

    group_of: dict[int, int] = field(repr=False)
    members: dict[int, tuple[int, ...]] = field(repr=False)

    def of(self, entity: int) -> int:
        return self.group_of.get(entity, entity)

    def members_of(self, entity: int) -> tuple[int, ...]:
        """All entities with the same name as this one, itself included."""
        return self.members.get(self.of(entity), (entity,))


def fold_name(name: str) -> str:
    """A name without case, compatibility forms, punctuation and repeated spaces.

    >>> fold_name("Nail–Patella  Syndrome") == fold_name("nail patella syndrome")
    True
    """
    folded = unicodedata.normalize("NFKC", name).casefold()
    # A name of nothing but punctuation ("+") keeps it, or all such names would be one.
    return NOT_WORD.sub(" ", folded).strip() or folded.strip()


def name_groups(graph: KnowledgeGraph, subjects: Iterable[int]) -> NameGroups:
    """Group the subjects by shared folded names (union-find over labels and exact synonyms).

    The same disease recorded by two databases has one name and two IRIs: were one of them taught
    and the other kept back, the second would be no test. Broad, narrow and related names don't
    group, nor do names of entities that are never asked about: both chain unlike things together.
    """
    parent = {int(entity): int(entity) for entity in subjects}

    def root(entity: int) -> int:
        while parent[entity] != entity:
            parent[entity] = parent[parent[entity]]
            entity = parent[entity]
        return entity

    first_with: dict[str, int] = {}
    for entity in sorted(parent):
        for name in graph.names_of(entity):
            if name.kind not in GROUPING_KINDS:
                continue
            other = root(first_with.setdefault(fold_name(name.text), entity))
            own = root(entity)
            parent[max(own, other)] = min(own, other)
    gathered: dict[int, list[int]] = {}
    for entity in sorted(parent):
        gathered.setdefault(root(entity), []).append(entity)
    group_of = {entity: group for group, members in gathered.items() for entity in members}
    return NameGroups(group_of, {group: tuple(members) for group, members in gathered.items()})
