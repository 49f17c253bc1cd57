"""Types of entities: those at the ends of a predicate as seen, and as the graph declares them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import breadth_first_order

from .. import vocabulary as v
from ..stored_column import Texts
from .count_matrix import Numbers, count_matrix, frequent

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]

COMMON = 5  # types that are listed of one end
MOST_DECLARED = 20  # classes of one domain or range that are looked at
ANYTHING = frozenset({v.RDFS + "Resource", v.OWL + "Thing"})


class EntityTypes:
    """Which types entities have, and which classes are below which.

    Attributes:
        classes: numbers of the entities that are a type or in the class hierarchy, ascending.
        iris: of the classes.
        entities: how many have each of the classes as a type; shape (classes,).
        incidence: 1 where an entity has a type; shape (entities, classes).
        typed: which entities have a type; shape (entities,).
    """

    def __init__(self, pairs: Int32, iris: Texts, subclasses: Int32) -> None:
        """Args:
        pairs: (entity, type), unique; shape (p, 2).
        iris: of all entities.
        subclasses: (narrower, broader) classes; shape (s, 2).
        """
        self.classes = np.unique(np.concatenate([pairs[:, 1], subclasses.ravel()]))
        self.iris = iris.take(self.classes).to_pylist()
        count = len(self.classes)
        columns = np.searchsorted(self.classes, pairs[:, 1])
        self.incidence = count_matrix(pairs[:, 0], columns, (len(iris), count))
        self.entities = np.bincount(columns, minlength=count)
        self.typed = np.diff(self.incidence.indptr) > 0
        narrower, broader = np.searchsorted(self.classes, subclasses).T
        self._below = count_matrix(broader, narrower, (count, count))

    def counts(self, entities: Numbers) -> Int64:
        """How many of these entities have each type; shape (classes,)."""
        return np.bincount(self.incidence[entities].indices, minlength=len(self.classes))

    def fit(self, entities: Int32, declared: int) -> NDArray[np.bool_]:
        """Which of the entities have the class, or one below it, as a type."""
        place = int(np.searchsorted(self.classes, declared))
        if place == len(self.classes) or self.classes[place] != declared:
            return np.zeros(len(entities), bool)
        below = breadth_first_order(self._below, place, return_predecessors=False)
        allowed = np.zeros(len(self.classes), np.int32)
        allowed[below] = 1
        return np.asarray(self.incidence[entities] @ allowed) > 0


@dataclass(frozen=True)
class Declared:
    """The classes that rdfs:domain and rdfs:range state, by the predicate's IRI."""

    domain: dict[str, list[tuple[int, str]]]
    range: dict[str, list[tuple[int, str]]]


def declared_classes(edges: Int32, iris: Texts) -> dict[str, list[tuple[int, str]]]:
    """Predicate → number and IRI of the classes that it has in rdfs:domain, or in rdfs:range.

    Args:
        edges: subjects and objects of rdfs:domain, or of rdfs:range; shape (k, 2).
        iris: of all entities.
    """
    found: dict[str, list[tuple[int, str]]] = {}
    heads, tails = (iris.take(end).to_pylist() for end in edges.T)
    for head, number, tail in zip(heads, edges[:, 1].tolist(), tails, strict=True):
        found.setdefault(head, []).append((number, tail))
    return {iri: classes[:MOST_DECLARED] for iri, classes in found.items()}


def types_seen(types: EntityTypes, ends: Int32) -> dict[str, Any]:
    """Of one predicate: its distinct ends without a type, and their most frequent types.

    Args:
        types: of all entities.
        ends: distinct subjects, or objects, of the predicate; shape (g,).
    """
    listed = [
        {"iri": types.iris[place], "entities": count, "share": round(count / len(ends), 4)}
        for place, count in frequent(types.counts(ends), COMMON)
    ]
    return {"untyped": int(np.count_nonzero(~types.typed[ends])), "types": listed}


def conforming(
    types: EntityTypes,
    ends: Int32,
    sizes: Int32,
    declared: Sequence[tuple[int, str]],
) -> dict[str, Any] | None:
    """A domain or range as declared, and how many statements of the predicate conform to it.

    Several classes are meant all at once (RDF Schema 1.1, 3.1 and 3.2). Where one is a blank node,
    that is an expression of OWL, nothing is counted.

    Args:
        types: of all entities.
        ends: distinct subjects, or objects, of one predicate; shape (g,).
        sizes: statements of the predicate at each; shape (g,).
        declared: numbers and IRIs of classes; none is stated if empty.
    """
    if not declared:
        return None
    named = sorted(iri for _, iri in declared if not iri.startswith("_:"))
    if len(named) < len(declared):
        return {"classes": named, "conforming": None}
    fit = np.ones(len(ends), bool)
    for number, iri in declared:
        if iri not in ANYTHING:
            fit &= types.fit(ends, number)
    return {"classes": named, "conforming": int(sizes[fit].sum())}
