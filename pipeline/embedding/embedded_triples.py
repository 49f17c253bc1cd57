"""What is embedded: named entities and relations, triples on three sides, and what is odd about them."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...kg.leaking_relations import Leak, told_by
from ...kg.triples_files import triple_keys
from ...models.ranking_report import Cardinality, cardinalities

Int32 = NDArray[np.int32]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Named:
    """Entities or relations in the order of their numbers.

    Attributes:
        names: IRIs of a graph, or what a file of triples calls them; ascending.
        labels: to show.
    """

    names: tuple[str, ...]
    labels: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.names)

    def shown(self, row: int) -> str:
        """Label and name, or once what both are."""
        name, label = self.names[row], self.labels[row]
        return name if name == label else f"{label}  {name}"


@dataclass(frozen=True)
class EmbeddedTriples:
    """Triples (n, 3) of numbers that count from 0, unique on each side.

    Attributes:
        entities, relations: what the numbers stand for.
        entity_ids, relation_ids: the graph's numbers of them; the same numbers where there is no graph.
        train, valid, test: the sides.
        valid_negatives, test_negatives: false triples that are hard to tell; none as a rule.
        leaks: relations that tell each other's triples.
        noted: what was found in it, for metrics.json.
    """

    entities: Named
    relations: Named
    entity_ids: Int32
    relation_ids: Int32
    train: Int32
    valid: Int32
    test: Int32
    leaks: tuple[Leak, ...]
    valid_negatives: Int32 | None = None
    test_negatives: Int32 | None = None
    noted: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def known(self) -> Int32:
        """All that are true on any side, each once."""
        return distinct(np.concatenate((self.train, self.valid, self.test)))

    @cached_property
    def classes(self) -> list[Cardinality]:
        """The cardinality of each relation by all triples."""
        return cardinalities(self.known, len(self.relations))

    def told(self, asked: Int32) -> Bools:
        """Which of (m, 3) a triple of training tells: another one by a leak, or the same."""
        keys = triple_keys(np.concatenate((self.train, asked)))
        same = np.isin(keys[len(self.train) :], keys[: len(self.train)])
        return told_by(asked, self.train, self.leaks) | same

    def unseen(self, asked: Int32) -> Bools:
        """Which of (m, 3) have an entity that training doesn't."""
        trained = np.zeros(len(self.entities), dtype=bool)
        trained[self.train[:, [0, 2]]] = True
        return ~(trained[asked[:, 0]] & trained[asked[:, 2]])

    def described(self) -> dict[str, object]:
        """For metrics.json: sizes, unseen entities, leaks, and what was noted while reading."""
        return {
            "entities": len(self.entities),
            "relations": len(self.relations),
            "triples": {name: len(of) for name, of in self._sides()},
            "with_unseen_entity": {
                name: int(self.unseen(of).sum()) for name, of in self._sides()[1:]
            },
            "told_by_training": {name: int(self.told(of).sum()) for name, of in self._sides()[1:]},
            "leaks": [self._described_leak(leak) for leak in self.leaks],
            **self.noted,
        }

    def _sides(self) -> list[tuple[str, Int32]]:
        return [("train", self.train), ("valid", self.valid), ("test", self.test)]

    def _described_leak(self, leak: Leak) -> dict[str, object]:
        names = self.relations.names
        return {
            "kind": leak.kind,
            "relations": list(dict.fromkeys((names[leak.first], names[leak.second]))),
            "shared": leak.shared,
            "jaccard": round(leak.jaccard, 4),
        }


def distinct(triples: Int32) -> Int32:
    """The triples, each once, sorted."""
    _, kept = np.unique(triple_keys(triples), return_index=True)
    return triples[kept]
