"""A knowledge graph in memory, for the tests of facts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pytest


@dataclass(frozen=True)
class SmallName:
    text: str
    kind: str
    language: str = ""


@dataclass(frozen=True)
class SmallRelation:
    iri: str


@dataclass(frozen=True)
class SmallOrigin:
    source: str
    line: int


class SmallGraph:
    """What the facts' modules ask of a KnowledgeGraph, answered from lists.

    Args:
        triples: (head, relation, tail) names; the predicate "a" gives types.
        labels: entity name to label; an entity that isn't in it has none.
        exact: entity name to further exact names.
        related: entity name to related names.
        deprecated: names of entities out of use.
    """

    def __init__(
        self,
        triples: Sequence[tuple[str, str, str]],
        labels: Mapping[str, str],
        exact: Mapping[str, Sequence[str]] | None = None,
        related: Mapping[str, Sequence[str]] | None = None,
        deprecated: Sequence[str] = (),
    ) -> None:
        self.names = sorted({name for h, _, t in triples for name in (h, t)} | set(labels))
        self.relation_names = sorted({r for _, r, _ in triples})
        self.id = {name: number for number, name in enumerate(self.names)}
        self.relation_id = {name: number for number, name in enumerate(self.relation_names)}
        rows = {(self.id[h], self.relation_id[r], self.id[t]) for h, r, t in triples}
        self.triples = np.array(sorted(rows), dtype=np.int32).reshape(-1, 3)
        self.labels = labels
        self.other_names = {"exact": exact or {}, "related": related or {}}
        self.out_of_use = set(deprecated)
        self.relation_count = len(self.relation_names)

    def iri(self, entity):
        return f"http://example.org/{self.names[entity]}"

    def find(self, iri):
        return self.id.get(iri.removeprefix("http://example.org/"))

    @property
    def relations(self):
        return [SmallRelation(self.relation_iri(n)) for n in range(self.relation_count)]

    def label(self, entity):
        return self.labels.get(self.names[entity], self.names[entity])

    def has_label(self, entity):
        return self.names[entity] in self.labels

    def types(self, entity):
        return tuple(self.objects(entity, self.relation_id["a"])) if "a" in self.relation_id else ()

    def deprecated(self, entity):
        return self.names[entity] in self.out_of_use

    def names_of(self, entity):
        name = self.names[entity]
        found = [SmallName(self.labels[name], "label")] if name in self.labels else []
        for kind, names in self.other_names.items():
            found += [SmallName(text, kind) for text in names.get(name, ())]
        return tuple(found)

    def relation_iri(self, relation):
        if self.relation_names[relation] == "a":
            return "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
        return f"http://example.org/{self.relation_names[relation]}"

    def relation_label(self, relation):
        return self.relation_names[relation].replace("_", " ")

    def outgoing(self, entity):
        return np.flatnonzero(self.triples[:, 0] == entity)

    def incoming(self, entity):
        return np.flatnonzero(self.triples[:, 2] == entity)

    def objects(self, subject, relation):
        rows = (self.triples[:, 0] == subject) & (self.triples[:, 1] == relation)
        return self.triples[rows, 2]

    def subjects(self, relation, object):
        rows = (self.triples[:, 2] == object) & (self.triples[:, 1] == relation)
        return self.triples[rows, 0]

    def degree(self, entity):
        return int((self.triples[:, [0, 2]] == entity).sum())

    def label_language(self, entity):
        return ""

    def origin(self, row):
        return SmallOrigin("small.ttl", int(row) + 1)


@pytest.fixture(scope="session")
def small_graph():
    """Build a SmallGraph."""
    return SmallGraph
