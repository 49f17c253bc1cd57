"""Distractors: wrong answers of the right type, checked false against the whole graph."""

from collections import defaultdict
from functools import cached_property

import numpy as np

from ..graph import KnowledgeGraph
from ..hierarchy import Hierarchy
from ..linking.name_groups import NameGroups, fold_name
from .splits import AskableFact, relation_rows


class CandidatePool:
    """The objects of one relation, from which distractors are drawn.

    Args:
        graph: the whole graph, with nothing withheld, or a true answer could pass as wrong.
        relation: relation id.
        hierarchy: relation ids that lead from the narrower to the broader entity.
        groups: the same-name groups of the subjects.
    """

    def __init__(
        self,
        graph: KnowledgeGraph,
        relation: int,
        hierarchy: tuple[int, ...],
        groups: NameGroups,
    ) -> None:
        self.graph = graph
        self.relation = relation
        self.groups = groups
        self.broader = Hierarchy(graph, hierarchy).ancestors
        seen = np.unique(graph.triples[relation_rows(graph, relation), 2])
        self.objects: tuple[int, ...] = tuple(
            entity
            for entity in seen.tolist()
            if graph.has_label(entity) and not graph.deprecated(entity)
        )

    @cached_property
    def _by_type(self) -> dict[int, set[int]]:
        by_type: dict[int, set[int]] = defaultdict(set)
        for entity in self.objects:
            for entity_type in self.graph.types(entity):
                by_type[entity_type].add(entity)
        return by_type

    def true_objects(self, subject: int) -> set[int]:
        """Objects of the relation that hold for the subject or anything of the same name."""
        return {
            int(entity)
            for member in self.groups.members_of(subject)
            for entity in self.graph.objects(member, self.relation)
        }

    def of_type(self, answer: int) -> set[int]:
        """Objects that share a type with the answer; all objects when it has none."""
        types = self.graph.types(answer)
        if not types:
            return set(self.objects)
        return set().union(*(self._by_type.get(entity_type, set()) for entity_type in types))

    def distractors(self, fact: AskableFact, count: int, random: np.random.Generator) -> list[int]:
        """Draw up to `count` wrong answers, uniformly over the distinct objects that may be drawn.

        None is true of the subject or of anything of the same name; none is broader than a true
        object, so true as well, or narrower, so maybe true; and none is called like the subject, a
        true object or another distractor.
        """
        true = self.true_objects(fact.subject)
        names = {
            fold_name(name)
            for entity in (*true, fact.subject)
            for name in (
                self.graph.label(entity),
                *(name.text for name in self.graph.names_of(entity)),
            )
        }
        broader = set().union(*map(self.broader, true))
        allowed = self.of_type(fact.asked) - true - broader - {fact.subject}
        drawn: list[int] = []
        for entity in random.permutation(sorted(allowed)).tolist():
            if len(drawn) == count:
                break
            name = fold_name(self.graph.label(entity))
            if name not in names and not true & self.broader(entity):
                names.add(name)
                drawn.append(entity)
        return drawn
