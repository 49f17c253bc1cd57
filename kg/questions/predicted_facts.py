"""Facts that a graph doesn't state and that are predicted of it, each with its probability."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ..graph import KnowledgeGraph


@dataclass(frozen=True)
class PredictedFact:
    """One predicted triple."""

    subject: int
    relation: int
    object: int
    probability: float


@dataclass(frozen=True)
class PredictedFacts:
    """n predictions, by subject and relation, the likeliest object first.

    Attributes:
        subject, relation, object: (n,) numbers in the graph; subjects ascend.
        probability: (n,) each one's to be true.
        most: objects of a subject's relation that are told.
    """

    subject: np.ndarray
    relation: np.ndarray
    object: np.ndarray
    probability: np.ndarray
    most: int

    @classmethod
    def of_table(cls, table: pa.Table, most: int) -> PredictedFacts:
        """Of a table with these columns, in this order of rows."""
        return cls(
            subject=table["subject"].to_numpy(),
            relation=table["relation"].to_numpy(),
            object=table["object"].to_numpy(),
            probability=table["probability"].to_numpy(),
            most=most,
        )

    @classmethod
    def none(cls) -> PredictedFacts:
        """No prediction."""
        number = np.empty(0, dtype=np.int32)
        return cls(number, number, number, np.empty(0, dtype=np.float32), 0)

    def about(self, subject: int, told: Collection[int]) -> list[PredictedFact]:
        """What is predicted of a subject, relations in turn, but for those that are `told` of it."""
        start, end = np.searchsorted(self.subject, [subject, subject + 1]).tolist()
        rows: dict[int, list[int]] = {}
        for row in range(start, end):
            relation = int(self.relation[row])
            if relation not in told:
                rows.setdefault(relation, []).append(row)
        return [
            PredictedFact(subject, relation, int(self.object[row]), float(self.probability[row]))
            for relation, own in rows.items()
            for row in own[: self.most]
        ]

    def in_graph(self, was: KnowledgeGraph, now: KnowledgeGraph) -> PredictedFacts:
        """The same by the numbers of another graph; what names something that it lacks is left out."""
        if was is now or not len(self.subject):
            return self
        entities = {number: now.find(was.iri(int(number))) for number in self._entities()}
        by_iri = {relation.iri: number for number, relation in enumerate(now.relations)}
        relations = [by_iri.get(relation.iri) for relation in was.relations]
        moved = [
            (subject, relation, tail, row)
            for row, (subject, relation, tail) in enumerate(
                (entities[s], relations[r], entities[o])
                for s, r, o in zip(self.subject, self.relation, self.object, strict=True)
            )
            if None not in (subject, relation, tail)
        ]
        columns = np.array(moved, dtype=np.int64).reshape(-1, 4)
        # Within a relation rows keep their order.
        columns = columns[np.lexsort((columns[:, 3], columns[:, 1], columns[:, 0]))]
        subject, relation, tail, row = columns.T
        return PredictedFacts(subject, relation, tail, self.probability[row], self.most)

    def _entities(self) -> np.ndarray:
        return np.unique(np.concatenate([self.subject, self.object]))
