"""The facts that a question calls for: link its entities, then take their triples.

Used by prompt augmentation, by the fusion memory and by the distillation teacher alike, so that
every route reads the graph through the same door.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice, zip_longest
from types import MappingProxyType

import numpy as np

from ..graph import KnowledgeGraph
from ..linking.linker import Linker
from ..vocabulary import RDF_TYPE

# Candidates at least this likely, relative to the best one, count as meant as well: two databases
# often carry the same disease, place or person under one name.
ALSO_MEANT = 0.5
# An entity that is no triple's subject is told by the triples that lead to it, if so few lead there:
# a gene by its disease, a capital by its country; but not a continent by all of its countries.
FEW_SUBJECTS = 3


@dataclass(frozen=True)
class RetrievedFact:
    """One triple about a linked entity, with its row in the graph's triples."""

    row: int
    subject: int
    relation: int
    object: int


class FactRetriever:
    """Finds the facts for a question.

    Args:
        graph: where facts come from.
        linker: finds the question's entities.
        withheld: rows of triples that must not be seen.
        replaced: rows of triples whose object is to be read as another, and that other.
    """

    def __init__(
        self,
        graph: KnowledgeGraph,
        linker: Linker,
        withheld: np.ndarray,
        replaced: Mapping[int, int] = MappingProxyType({}),
    ) -> None:
        self._graph = graph
        self._linker = linker
        self._withheld = frozenset(withheld.tolist())
        self._replaced = replaced
        self._untold = {
            number for number, relation in enumerate(graph.relations) if relation.iri == RDF_TYPE
        }

    @property
    def linker(self) -> Linker:
        return self._linker

    def edited(self, removed: np.ndarray, replaced: Mapping[int, int]) -> "FactRetriever":
        """The same over an edited graph: rows taken out, and objects of rows replaced."""
        withheld = np.fromiter(self._withheld, dtype=np.int64)
        return FactRetriever(
            self._graph, self._linker, np.concatenate([withheld, removed]), replaced
        )

    def entities(self, text: str) -> dict[int, int]:
        """The entities that `text` mentions, those of longer mentions first.

        Each with the character after the mention by which it was found.
        """
        mentions = [mention for mention in self._linker.link(text) if mention.entity is not None]
        mentions.sort(key=lambda mention: (mention.start - mention.end, mention.start))
        found: dict[int, int] = {}
        for mention in mentions:
            for candidate in mention.candidates:
                if candidate.score >= ALSO_MEANT * mention.candidates[0].score:
                    found.setdefault(candidate.entity, mention.end)
        return found

    def facts(self, text: str, limit: int) -> tuple[RetrievedFact, ...]:
        """At most `limit` facts about the entities that `text` mentions; see `mentioned_facts`."""
        return tuple(islice(self.mentioned_facts(text), limit))

    def mentioned_facts(self, text: str) -> dict[RetrievedFact, int]:
        """Facts about the entities that `text` mentions, each with the character after the mention.

        Entity by entity, each one's relations take turns, so that one with many objects doesn't
        crowd out the others.
        """
        found: dict[tuple[int, int, int], tuple[RetrievedFact, int]] = {}
        for entity, end in self.entities(text).items():
            for fact in self.about(entity) or self.around(entity):
                found.setdefault((fact.subject, fact.relation, fact.object), (fact, end))
        return dict(found.values())

    def about(self, entity: int) -> list[RetrievedFact]:
        """The facts whose subject is `entity`, relations taking turns."""
        by_relation: dict[int, list[RetrievedFact]] = {}
        for row in self._graph.outgoing(entity).tolist():
            head, relation, tail = self._graph.triples[row].tolist()
            if self._is_told(row, relation):
                fact = RetrievedFact(row, head, relation, self._replaced.get(row, tail))
                by_relation.setdefault(relation, []).append(fact)
        rarest_first = sorted(by_relation.values(), key=len)
        return [fact for turn in zip_longest(*rarest_first) for fact in turn if fact is not None]

    def around(self, entity: int) -> list[RetrievedFact]:
        """The facts of the few subjects whose object `entity` is; none where there are many."""
        leading = [
            row for row in self._graph.incoming(entity).tolist() if row not in self._replaced
        ]
        leading += [row for row, tail in self._replaced.items() if tail == entity]
        heads = dict.fromkeys(
            head
            for row in leading
            for head, relation, _ in [self._graph.triples[row].tolist()]
            if self._is_told(row, relation)
        )
        if len(heads) > FEW_SUBJECTS:
            return []
        return [fact for head in heads for fact in self.about(head)]

    def _is_told(self, row: int, relation: int) -> bool:
        return row not in self._withheld and relation not in self._untold


def relation_words(
    graph: KnowledgeGraph, relation_labels: Mapping[int, str], facts: Iterable[RetrievedFact]
) -> dict[int, str]:
    """The name of each relation in `facts`: the project's where it gives one, else the graph's."""
    used = {fact.relation for fact in facts}
    return {
        relation: relation_labels.get(relation) or graph.relation_label(relation)
        for relation in sorted(used)
    }
