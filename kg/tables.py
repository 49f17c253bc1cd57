"""Statements to arrays: every term becomes a dense number, every statement is kept once.

Entities and relations are numbered in the order of their IRIs and rows are sorted, so the same
statements give the same arrays in whatever order they come.
"""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from .statements import LiteralTerm, Rejected, Statement

Int32 = NDArray[np.int32]
Term = TypeVar("Term", str, LiteralTerm)


@dataclass(frozen=True)
class StatementTables:
    """All statements of a graph.

    Shapes: n triples, m literals. Columns of `triples`: head entity, relation, tail entity; of
    `literals`: entity, index into `literal_predicates`, index into `literal_terms`; of both
    origins: source, line (0: the format has none) where the statement was read first.
    """

    entities: list[str]
    relations: list[str]
    triples: Int32  # (n, 3)
    triple_origin: Int32  # (n, 2)
    literal_predicates: list[str]
    literal_terms: list[LiteralTerm]
    literals: Int32  # (m, 3)
    literal_origin: Int32  # (m, 2)

    def stored(self, source: int) -> int:
        """How many statements were first read from this source."""
        origins = (self.triple_origin, self.literal_origin)
        return int(sum(np.count_nonzero(origin[:, 0] == source) for origin in origins))


class StatementCollector:
    """Takes statements one by one; `tables()` gives them sorted and unique.

    Until then each statement costs 20 bytes, each distinct term its text once.
    """

    def __init__(self) -> None:
        self._resources: dict[str, int] = {}
        self._predicates: dict[str, int] = {}
        self._terms: dict[LiteralTerm, int] = {}
        self._triples = array("i")
        self._literals = array("i")

    def add(
        self, stream: Iterable[Statement | Rejected], source: int, rejected: list[Rejected]
    ) -> int:
        """Keep the statements of one source; rejections go onto the list.

        Returns:
            How many statements were read, repetitions and rejections included.
        """
        resources, predicates, terms = self._resources, self._predicates, self._terms
        triples, literals = self._triples.extend, self._literals.extend
        read = 0
        for item in stream:
            if isinstance(item, Rejected):
                rejected.append(item)
                read += 1
                continue
            subject, predicate, value, line, times = item
            read += times
            head = resources.setdefault(subject, len(resources))
            relation = predicates.setdefault(predicate, len(predicates))
            if isinstance(value, str):
                tail = resources.setdefault(value, len(resources))
                triples((head, relation, tail, source, line))
            else:
                term = terms.setdefault(value, len(terms))
                literals((head, relation, term, source, line))
        return read

    def tables(self) -> StatementTables:
        """The statements so far; the first place of each is kept."""
        triples = np.frombuffer(self._triples, np.int32).reshape(-1, 5)
        literals = np.frombuffer(self._literals, np.int32).reshape(-1, 5)
        entities, entity_ids = renumbered(self._resources)
        relations, relation_ids = renumbered(self._predicates, used=triples[:, 1])
        named, named_ids = renumbered(self._predicates, used=literals[:, 1])
        terms, term_ids = renumbered(self._terms)
        triple_rows, triple_origin = unique_rows(triples, entity_ids, relation_ids, entity_ids)
        literal_rows, literal_origin = unique_rows(literals, entity_ids, named_ids, term_ids)
        return StatementTables(
            entities=entities,
            relations=relations,
            triples=triple_rows,
            triple_origin=triple_origin,
            literal_predicates=named,
            literal_terms=terms,
            literals=literal_rows,
            literal_origin=literal_origin,
        )


def renumbered(numbers: dict[Term, int], used: Int32 | None = None) -> tuple[list[Term], Int32]:
    """The terms in order, and for each old number the new one (-1 where not used)."""
    keep = set(numbers.values()) if used is None else set(np.unique(used).tolist())
    terms = sorted(term for term, number in numbers.items() if number in keep)
    new = np.full(len(numbers), -1, np.int32)
    new[[numbers[term] for term in terms]] = np.arange(len(terms), dtype=np.int32)
    return terms, new


def unique_rows(rows: Int32, first: Int32, second: Int32, third: Int32) -> tuple[Int32, Int32]:
    """Rows (k, 5) → renumbered, lexicographically sorted, unique (n, 3) and their origins (n, 2)."""
    columns = np.stack([first[rows[:, 0]], second[rows[:, 1]], third[rows[:, 2]]], axis=1)
    order = np.lexsort(columns.T[::-1])  # stable: the first read of equals comes first
    columns = columns[order]
    fresh = np.ones(len(columns), bool)
    fresh[1:] = np.any(columns[1:] != columns[:-1], axis=1)
    return np.ascontiguousarray(columns[fresh]), np.ascontiguousarray(rows[order[fresh], 3:])
