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
from ..columns_read import read_arrays
from ..graph import Int32, Int64, KnowledgeGraph
from ..storage.graph_tables import LITERAL_SCHEMA

Flags = NDArray[np.bool_]


class StatementRows:
    """Columns over n statements, and flags over the graph's entities.

    Attributes:
        iris: IRI of each entity.
        labels: label of each entity, or null.
        predicates: IRI of each predicate number.
        subject: (n,) entity.
        predicate: (n,) predicate number, in as few bits as they need.
        object: (n,) entity, -1 for a literal.
    """

    def __init__(self, graph: KnowledgeGraph) -> None:
        # Read here and not by the graph, which would keep them: together they are most of memory.
        literals = read_arrays(graph.directory / "literals.parquet", LITERAL_SCHEMA.names)
        entities = read_arrays(graph.directory / "entities.parquet", ["iri", "label"])
        triples, self._origin = _stated(graph)
        predicate = literals["predicate"]
        relations = [relation.iri for relation in graph.relations]
        self.predicates = list(dict.fromkeys([*predicate.dictionary.to_pylist(), *relations]))
        self._number = {iri: number for number, iri in enumerate(self.predicates)}
        numbers = np.min_scalar_type(len(self.predicates))
        of_relation = np.array([self._number[iri] for iri in relations], numbers)
        codes = predicate.indices.to_numpy().astype(numbers)
        self._values, self._datatypes, self._languages = (
            literals[name] for name in ("value", "datatype", "language")
        )
        self._literal_origin = tuple(literals[name].to_numpy() for name in ("source", "line"))
        self._literal_count = len(codes)
        self.iris = entities["iri"]
        self.labels = entities["label"]
        self.subject: Int32 = np.concatenate([literals["entity"].to_numpy(), triples[:, 0]])
        self.predicate = np.concatenate([codes, of_relation[triples[:, 1]]])
        self.object: Int32 = np.concatenate([np.full(len(codes), -1, np.int32), triples[:, 2]])

    def origin(self, rows: Int64) -> tuple[Int32, Int32]:
        """Source number and line of each row; 0 where unknown."""
        literal = rows < self._literal_count
        places = np.where(literal, 0, rows - self._literal_count)
        of_triples = (
            self._origin[places] if len(self._origin) else np.zeros((len(rows), 2), np.int32)
        )
        source, line = of_triples.T.copy()
        for column, values in zip((source, line), self._literal_origin, strict=True):
            column[literal] = values[rows[literal]]
        return source, line

    # Rows.

    @cached_property
    def _by_predicate(self) -> tuple[Int32, Int64]:
        order = np.argsort(self.predicate, kind="stable")  # a radix sort where numbers are small
        counts = np.bincount(self.predicate, minlength=len(self.predicates))
        return order.astype(np.int32), np.concatenate([[0], np.cumsum(counts)])

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
    def first_row(self) -> Int32:
        """A statement about each entity, to tell where it stands; -1 where none is about it."""
        first = np.full(len(self.iris), -1, np.int32)
        first[self.subject[::-1]] = np.arange(len(self.subject), dtype=np.int32)[::-1]
        return first


def _stated(graph: KnowledgeGraph) -> tuple[Int32, Int32]:
    """The triples that a source states, and their origins, on disk as far as can be."""
    triples, origin = (
        np.load(graph.directory / name, mmap_mode="r", allow_pickle=False)
        for name in ("triples.npy", "triple_origin.npy")
    )
    derived = [n for n, entry in enumerate(graph.sources) if entry["format"] == "derived"]
    if not derived:
        return triples, origin
    stated = ~np.isin(origin[:, 0], derived)
    return triples[stated], origin[stated]
