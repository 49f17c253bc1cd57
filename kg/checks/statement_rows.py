"""The statements that rules look at as columns, so that a rule is a few array operations.

A row is one statement with a predicate of LOOKED_AT, or one that was searched for. Texts stay on
disk. Statements are unique, so counting rows counts distinct terms.
"""

import itertools
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from .. import vocabulary as v
from ..graph import Int32, Int64, KnowledgeGraph
from ..stored_column import StoredColumn
from .looked_at import INCIDENTAL, LOOKED_AT
from .statement_parts import Part, StatementParts

Flags = NDArray[np.bool_]
AT_ONCE = 1 << 15  # texts that are in memory together


class StatementRows:
    """Columns over n rows, and flags over the graph's entities.

    Attributes:
        all: the statements on disk.
        iris: IRI of each entity, on disk.
        number, subject, predicate, object: (n,) as in `Part`.
        first: (entities,) number of a statement about each entity, to tell where it stands; -1 where
            none is about it.
        described: entities with a statement of more than their kind and their equivalents.
    """

    def __init__(self, graph: KnowledgeGraph) -> None:
        self._graph = graph
        self.all = StatementParts(graph)
        self.iris = self.all.iris
        self._hold([np.empty(0, np.int32)] * 5)
        self.first: Int32 = np.full(len(self.iris), -1, np.int32)
        self.described: Flags = np.zeros(len(self.iris), bool)
        self.search(self._looked_at)
        order = np.argsort(self.predicate, kind="stable")
        self._by_predicate = order.astype(np.int32)
        self._starts = np.searchsorted(
            self.predicate[order], np.arange(len(self.all.predicates.numbers) + 1)
        )

    def _looked_at(self, part: Part) -> Flags:
        """Which of these statements are held; on the way, what is told of all entities is taken."""
        fresh = part.subject[np.diff(part.subject, prepend=-1) != 0]
        places = np.searchsorted(part.subject, fresh)
        unseen = self.first[fresh] < 0
        self.first[fresh[unseen]] = part.number[places[unseen]]
        self.described[part.subject[~self._numbered(INCIDENTAL)[part.predicate]]] = True
        return self._numbered(LOOKED_AT)[part.predicate]

    def _numbered(self, predicates: Collection[str]) -> Flags:
        """True for the numbers of these predicates."""
        return np.array([iri in predicates for iri in self.all.predicates.numbers], bool)

    # Rows.

    def search(self, wanted: Callable[[Part], Flags]) -> Int64:
        """Hold the wanted ones of all statements; their rows, in order."""
        held = len(self.number)
        parts = [[self.number, self.subject, self.predicate, self.object, self._kind]]
        for part in self.all:
            rows = np.flatnonzero(wanted(part))
            columns = (part.number, part.subject, part.predicate, part.object, part.kind)
            parts.append([column[rows] for column in columns])
        self._hold([np.concatenate(column) for column in zip(*parts, strict=True)])
        return np.arange(held, len(self.number))

    def _hold(self, columns: Sequence[Int32]) -> None:
        self.number, self.subject, self.predicate, self.object, self._kind = columns

    def rows(self, *predicates: str) -> Int64:
        """Rows of these predicates of LOOKED_AT, in the order in which they are named."""
        if strange := set(predicates) - LOOKED_AT:
            raise ValueError(f"not among the predicates that are looked at: {sorted(strange)}")
        numbers = [self.all.predicates.numbers.get(iri) for iri in predicates]
        starts = self._starts
        found = [self._by_predicate[starts[n] : starts[n + 1]] for n in numbers if n is not None]
        return np.concatenate([np.empty(0, np.int64), *found])

    def named(self, *predicates: str) -> Int64:
        """Rows of these predicates whose subject isn't a blank node."""
        rows = self.rows(*predicates)
        return rows[~self.blank[self.subject[rows]]]

    def in_use(self, rows: Int64) -> Int64:
        """Those rows whose subject isn't deprecated."""
        return rows[~self.deprecated[self.subject[rows]]]

    def pointing(self, rows: Int64, flags: Flags) -> Int64:
        """Those rows whose object is a flagged entity."""
        rows = rows[self.object[rows] >= 0]
        return rows[flags[self.object[rows]]]

    # Terms of rows.

    def texts(self, rows: Int64) -> Iterator[pa.Array]:
        """The objects of the rows, some at a time: literals' values, or IRIs."""
        for start in range(0, max(len(rows), 1), AT_ONCE):
            yield self.all.text(self.number[rows[start : start + AT_ONCE]])

    def text(self, rows: Int64) -> pa.Array:
        """The same in one piece, for rows that are few."""
        return pa.concat_arrays(list(self.texts(rows)))

    def matching(self, rows: Int64, test: Callable[[pa.Array], pa.Array]) -> Flags:
        """Which of the rows have an object whose text passes the test."""
        flags = [test(texts).to_numpy(zero_copy_only=False) for texts in self.texts(rows)]
        return np.concatenate(flags).astype(bool)

    def text_numbers(
        self, rows: Int64, changed: Callable[[pa.Array], pa.Array] = lambda texts: texts
    ) -> Int64:
        """A number for the text of each row; equal within one call for the same, once changed."""
        pieces = (changed(texts).to_pylist() for texts in self.texts(rows))
        hashes = np.concatenate([np.fromiter(map(hash, piece), np.int64) for piece in pieces])
        ascending = np.sort(hashes)
        several = ascending[1:][ascending[1:] == ascending[:-1]]
        del ascending
        numbers = np.arange(len(rows))
        if len(several):  # texts of one hash are looked at: only these may be the same
            places = np.minimum(np.searchsorted(several, hashes), len(several) - 1)
            shared = np.flatnonzero(several[places] == hashes)
            known: dict[str, int] = {}
            told = (changed(texts).to_pylist() for texts in self.texts(rows[shared]))
            numbers[shared] = [
                known.setdefault(text, len(rows) + len(known))
                for text in itertools.chain.from_iterable(told)
            ]
        return numbers

    def terms(self, rows: Int64) -> Int64:
        """A number for the object of each row; equal within one call for the same RDF term."""
        literal = self.object[rows] < 0
        terms = -1 - self.object[rows].astype(np.int64)
        taken = rows[literal]
        terms[literal] = self.text_numbers(taken) * len(self.all.kinds) + self._kind[taken]
        return terms

    def languages(self, rows: Int64) -> Int64:
        """A number for the language of each row of literals."""
        numbers: dict[str, int] = {}
        told = [numbers.setdefault(language, len(numbers)) for _, language in self.all.kinds]
        return np.array(told, np.int64)[self._kind[rows]]

    def strings(self, rows: Int64) -> Int64:
        """Those rows whose object is a plain or language-tagged string, as SPARQL's REGEX takes."""
        rows = self.literals_among(rows)
        string = [
            bool(language) or datatype in (v.XSD_STRING, v.RDF_LANG_STRING)
            for datatype, language in self.all.kinds
        ]
        return rows[np.array(string)[self._kind[rows]]]

    def of_datatype(self, rows: Int64, asked: str) -> Flags:
        """Which rows of literals have this datatype."""
        return np.array([datatype == asked for datatype, _ in self.all.kinds])[self._kind[rows]]

    def literals_among(self, rows: Int64) -> Int64:
        """Those rows whose object is a literal."""
        return rows[self.object[rows] < 0]

    # Entities.

    def flags(self, entities: Int32) -> Flags:
        """True for these entities; shape (entities,)."""
        found = np.zeros(len(self.iris), bool)
        found[entities] = True
        return found

    def entity(self, *iris: str) -> Flags:
        """True for the entities of these IRIs."""
        numbers = [number for iri in iris if (number := self.iris.find(iri)) is not None]
        return self.flags(np.array(numbers, np.int32))

    def having(self, predicate: str, iri: str) -> Flags:
        """True for the subjects of (·, predicate, iri)."""
        return self.flags(self.subject[self.pointing(self.rows(predicate), self.entity(iri))])

    def is_a(self, *types: str) -> Flags:
        """True for the entities that have one of these types."""
        rows = self.pointing(self.rows(v.RDF_TYPE), self.entity(*types))
        return self.flags(self.subject[rows])

    def beginning(self, *spaces: str) -> Flags:
        """True for the entities whose IRI begins with one of these."""
        found = [
            np.any([pc.starts_with(iris, space).to_numpy(False) for space in spaces], axis=0)
            for iris in self.iris.pieces()
        ]
        return np.concatenate(found)

    @cached_property
    def blank(self) -> Flags:
        return self.beginning("_:")

    @cached_property
    def labelled(self) -> Flags:
        """Entities for which ingestion found a label."""
        return StoredColumn(self._graph.directory / "entities.parquet", "label").present()

    @cached_property
    def deprecated(self) -> Flags:
        """Said to be owl:deprecated by a true xsd:boolean; a text "true" doesn't count."""
        rows = self.literals_among(self.rows(v.OWL_DEPRECATED))
        rows = rows[self.of_datatype(rows, v.XSD_BOOLEAN)]
        true = self.matching(rows, lambda texts: pc.is_in(texts, pa.array(["true", "1"])))
        return self.flags(self.subject[rows[true]])
