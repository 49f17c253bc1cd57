"""All statements of a graph as columns, so that a rule is a few array operations.

A row is one statement: first the literal statements, then the triples, each in the order of its
table. Statements are unique, so counting rows counts distinct terms. Edges that ingestion derives of
OWL's restrictions are left out: rules judge what the sources state.
"""

from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from .. import vocabulary as v
from ..graph import Int32, Int64, KnowledgeGraph

Flags = NDArray[np.bool_]


class StatementRows:
    """Columns over n statements, and flags over the graph's entities.

    Attributes:
        iris: IRI of each entity.
        predicates: IRI of each predicate number.
        subject: (n,) entity.
        predicate: (n,) predicate number.
        object: (n,) entity, -1 for a literal.
        source: (n,) source number.
        line: (n,) line, 0 where unknown.
    """

    def __init__(self, graph: KnowledgeGraph) -> None:
        literals = graph.literals_table.unify_dictionaries().combine_chunks()
        triples, origin = _stated(graph)
        self._predicate_column = _column(literals, "predicate")
        named = self._predicate_column.dictionary.to_pylist()
        relations = [relation.iri for relation in graph.relations]
        self.predicates = list(dict.fromkeys([*named, *relations]))
        self._number = {iri: number for number, iri in enumerate(self.predicates)}
        of_relation = np.array([self._number[iri] for iri in relations], np.int32)
        codes = self._predicate_column.indices.to_numpy()
        self._values, self._datatypes, self._languages = (
            _column(literals, name) for name in ("value", "datatype", "language")
        )
        self._literal_count = literals.num_rows
        self.iris: pa.Array = _column(graph.entities_table, "iri")
        self.labels: pa.Array = _column(graph.entities_table, "label")
        self.subject: Int32 = np.concatenate([literals["entity"].to_numpy(), triples[:, 0]])
        self.predicate: Int32 = np.concatenate([codes, of_relation[triples[:, 1]]])
        self.object: Int32 = np.concatenate(
            [np.full(literals.num_rows, -1, np.int32), triples[:, 2]]
        )
        self.source, self.line = (
            np.concatenate([literals[name].to_numpy(), origin[:, column]])
            for column, name in enumerate(("source", "line"))
        )

    # Rows.

    @cached_property
    def _by_predicate(self) -> tuple[Int64, Int64]:
        small = self.predicate.astype(np.uint16 if len(self.predicates) < 1 << 16 else np.int32)
        order = np.argsort(small, kind="stable")  # a radix sort where numbers are small
        return order, np.searchsorted(self.predicate[order], np.arange(len(self.predicates) + 1))

    def rows(self, *predicates: str) -> Int64:
        """Rows of these predicates, in the order in which they are named."""
        order, starts = self._by_predicate
        numbers = [self._number[iri] for iri in predicates if iri in self._number]
        none = np.empty(0, np.int64)
        return np.concatenate([none, *(order[starts[i] : starts[i + 1]] for i in numbers)])

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

    def text(self, rows: Int64) -> pa.Array:
        """The object of each row: a literal's value, or an IRI."""
        literal = rows < self._literal_count
        if literal.all():
            return self._values.take(pa.array(rows))
        values = self._values.take(pa.array(np.where(literal, rows, 0), mask=~literal))
        entities = self.iris.take(pa.array(self.object[rows], mask=literal))
        return pc.coalesce(values, entities)

    def terms(self, rows: Int64) -> Int64:
        """A number for the object of each row; equal within one call for the same RDF term."""
        literal = rows < self._literal_count
        terms = -1 - self.object[rows].astype(np.int64)
        taken = rows[literal]
        values = self._values.take(pa.array(taken)).dictionary_encode().indices.to_numpy()
        kinds = self._codes(self._datatypes, taken) * len(self._languages.dictionary)
        kinds += self._codes(self._languages, taken)
        count = len(self._datatypes.dictionary) * len(self._languages.dictionary)
        terms[literal] = values.astype(np.int64) * count + kinds
        return terms

    def languages(self, rows: Int64) -> Int64:
        """A number for the language of each row of literals."""
        return self._codes(self._languages, rows)

    def strings(self, rows: Int64) -> Int64:
        """Those rows whose object is a plain or language-tagged string, as SPARQL's REGEX takes."""
        rows = rows[rows < self._literal_count]
        string = self._flagged(self._datatypes, (v.XSD_STRING, v.RDF_LANG_STRING))
        tagged = ~self._flagged(self._languages, ("",))
        kept = string[self._codes(self._datatypes, rows)] | tagged[self.languages(rows)]
        return rows[kept]

    def of_datatype(self, rows: Int64, datatype: str) -> Flags:
        """Which rows of literals have this datatype."""
        return self._flagged(self._datatypes, (datatype,))[self._codes(self._datatypes, rows)]

    def literals_among(self, rows: Int64) -> Int64:
        """Those rows whose object is a literal."""
        return rows[rows < self._literal_count]

    @staticmethod
    def _codes(column: pa.DictionaryArray, rows: Int64) -> Int64:
        return column.indices.to_numpy()[rows].astype(np.int64)

    @staticmethod
    def _flagged(column: pa.DictionaryArray, values: tuple[str, ...]) -> Flags:
        return np.array([value in values for value in column.dictionary.to_pylist()], bool)

    # Entities.

    def flags(self, entities: Int32) -> Flags:
        """True for these entities; shape (entities,)."""
        found = np.zeros(len(self.iris), bool)
        found[entities] = True
        return found

    def entity(self, *iris: str) -> Flags:
        """True for the entities of these IRIs."""
        numbers = [pc.index(self.iris, pa.scalar(iri, self.iris.type)).as_py() for iri in iris]
        return self.flags(np.array([number for number in numbers if number >= 0], np.int32))

    def having(self, predicate: str, iri: str) -> Flags:
        """True for the subjects of (·, predicate, iri)."""
        return self.flags(self.subject[self.pointing(self.rows(predicate), self.entity(iri))])

    def is_a(self, *types: str) -> Flags:
        """True for the entities that have one of these types."""
        rows = self.pointing(self.rows(v.RDF_TYPE), self.entity(*types))
        return self.flags(self.subject[rows])

    @cached_property
    def blank(self) -> Flags:
        return pc.starts_with(self.iris, "_:").to_numpy(zero_copy_only=False)

    @cached_property
    def deprecated(self) -> Flags:
        """Said to be owl:deprecated by a true xsd:boolean; a text "true" doesn't count."""
        rows = self.literals_among(self.rows(v.OWL_DEPRECATED))
        rows = rows[self.of_datatype(rows, v.XSD_BOOLEAN)]
        true = pc.is_in(self.text(rows), pa.array(["true", "1"])).to_numpy(zero_copy_only=False)
        return self.flags(self.subject[rows[true]])

    @cached_property
    def first_row(self) -> Int64:
        """A statement about each entity, to tell where it stands; -1 where none is about it."""
        first = np.full(len(self.iris), -1, np.int64)
        first[self.subject[::-1]] = np.arange(len(self.subject))[::-1]
        return first


def _stated(graph: KnowledgeGraph) -> tuple[Int32, Int32]:
    """The triples that a source states, and their origins."""
    derived = [n for n, entry in enumerate(graph.sources) if entry["format"] == "derived"]
    if not derived:
        return graph.triples, graph.triple_origin
    stated = ~np.isin(graph.triple_origin[:, 0], derived)
    return graph.triples[stated], graph.triple_origin[stated]


def _column(table: pa.Table, name: str) -> pa.Array:
    column = table[name].combine_chunks()
    if isinstance(column, pa.ChunkedArray):  # a column of no rows
        column = column.chunk(0) if column.num_chunks else pa.array([], column.type)
    return column
