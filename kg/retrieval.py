"""The facts that a question calls for: link its entities, then take their triples.

Used by prompt augmentation, by the fusion memory and by the distillation teacher alike, so that
every route reads the graph through the same door.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np

from .graph import KnowledgeGraph
from .linker import Linker

RDF_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"

# Candidates at least this likely, relative to the best one, count as meant as well: two databases
# often carry the same disease, place or person under one name.
ALSO_MEANT = 0.5


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
    """

    def __init__(self, graph: KnowledgeGraph, linker: Linker, withheld: np.ndarray) -> None:
        self._graph = graph
        self._linker = linker
        self._withheld = frozenset(withheld.tolist())
        self._untold = {
            number for number, relation in enumerate(graph.relations) if relation.iri == RDF_TYPE
        }

    def entities(self, text: str) -> tuple[int, ...]:
        """The entities that `text` mentions, those of longer mentions first."""
        mentions = [mention for mention in self._linker.link(text) if mention.entity is not None]
        mentions.sort(key=lambda mention: (mention.start - mention.end, mention.start))
        return tuple(
            dict.fromkeys(
                candidate.entity
                for mention in mentions
                for candidate in mention.candidates
                if candidate.score >= ALSO_MEANT * mention.candidates[0].score
            )
        )

    def facts(self, text: str, limit: int) -> tuple[RetrievedFact, ...]:
        """At most `limit` facts about the entities that `text` mentions.

        Entity by entity, each one's relations take turns, so that one with many objects doesn't
        crowd out the others.
        """
        found = [fact for entity in self.entities(text) for fact in self.about(entity)]
        return tuple({(f.subject, f.relation, f.object): f for f in found}.values())[:limit]

    def about(self, entity: int) -> list[RetrievedFact]:
        """The facts whose subject is `entity`, relations taking turns."""
        by_relation: dict[int, list[RetrievedFact]] = {}
        for row in self._graph.outgoing(entity).tolist():
            head, relation, tail = self._graph.triples[row].tolist()
            if row not in self._withheld and relation not in self._untold:
                fact = RetrievedFact(row, head, relation, tail)
                by_relation.setdefault(relation, []).append(fact)
        rarest_first = sorted(by_relation.values(), key=len)
        return [fact for turn in zip_longest(*rarest_first) for fact in turn if fact is not None]


def relation_words(
    graph: KnowledgeGraph, relation_labels: Mapping[int, str], facts: Iterable[RetrievedFact]
) -> dict[int, str]:
    """The name of each relation in `facts`: the project's where it gives one, else the graph's."""
    used = {fact.relation for fact in facts}
    return {
        relation: relation_labels.get(relation) or graph.relation_label(relation)
        for relation in sorted(used)
    }
