"""All statements of a graph, on disk: numbered, gone through part by part, and looked into.

First come the literal statements, then the triples, each in the order of its table. Edges that
ingestion derives of OWL's restrictions are passed over: rules judge what the sources state.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..graph import Int32, Int64, KnowledgeGraph
from ..row_buckets import RowSlices
from ..storage.terms import Terms
from ..stored_column import Numbers, StoredColumn, row_groups


def _no_text() -> pa.Array:
    return pa.array([], pa.string())


@dataclass(frozen=True)
class Part:
    """k statements in a row, sorted by subject; shapes (k,).

    Attributes:
        number: of each among all statements of the graph.
        subject, object: entities; -1 where the object is a literal.
        predicate: number of the predicate.
        kind: number of a literal's datatype and language; 0 for a triple.
        values: reads the literals' texts.
    """

    number: Int32
    subject: Int32
    predicate: Int32
    object: Int32
    kind: Int32
    values: Callable[[], pa.Array]


class StatementParts:
    """The parts, and what their numbers mean.

    Attributes:
        iris: of the entities.
        predicates: number of each predicate.
        kinds: number of each datatype and language; filled, as predicates are, by going through.
    """

    def __init__(self, graph: KnowledgeGraph) -> None:
        self._path = graph.directory / "literals.parquet"
        self._triples, self._origin = (
            RowSlices(graph.directory / name) for name in ("triples.npy", "triple_origin.npy")
        )
        self._literals = {
            name: StoredColumn(self._path, name)
            for name in ("value", "predicate", "source", "line")
        }
        self._literal_count = len(self._literals["value"])
        self._derived = [n for n, entry in enumerate(graph.sources) if entry["format"] == "derived"]
        self._relations = [relation.iri for relation in graph.relations]
        self.iris = StoredColumn(graph.directory / "entities.parquet", "iri")
        self.predicates = Terms()  # a relation's number is that of its predicate
        self.predicates.numbers = {iri: number for number, iri in enumerate(self._relations)}
        self.kinds: dict[tuple[str, str], int] = {("", ""): 0}

    def __iter__(self) -> Iterator[Part]:
        yield from self._literal_parts()
        first = self._literal_count
        for triples, origin in zip(self._triples, self._origin, strict=True):
            stated = np.flatnonzero(~np.isin(origin[:, 0], self._derived))
            number = (first + stated).astype(np.int32)
            heads, relations, tails = triples[stated].T.copy()
            yield Part(number, heads, relations, tails, np.zeros_like(heads), _no_text)
            first += len(triples)

    def _literal_parts(self) -> Iterator[Part]:
        first = 0
        for table in row_groups(self._path, ("entity", "predicate", "datatype", "language")):
            number = np.arange(first, first + len(table), dtype=np.int32)
            yield Part(
                number,
                table["entity"].to_numpy(),
                self.predicates.encode(table["predicate"]).to_numpy(),
                np.full(len(table), -1, np.int32),
                self._kinds_of(table),
                partial(self._literals["value"].take, number),
            )
            first += len(table)

    def _kinds_of(self, table: pa.Table) -> Int32:
        datatypes, languages = Terms(), Terms()
        datatype = datatypes.encode(table["datatype"]).to_numpy()
        language = languages.encode(table["language"]).to_numpy()
        codes = datatype.astype(np.int64) * len(languages.numbers) + language
        pairs, places = np.unique(codes, return_inverse=True)
        told_datatypes, told_languages = datatypes.by_number(), languages.by_number()
        kinds = self.kinds
        numbers = [
            kinds.setdefault((told_datatypes[one], told_languages[other]), len(kinds))
            for one, other in (divmod(pair, len(languages.numbers)) for pair in pairs.tolist())
        ]
        return np.array(numbers, np.int32)[places]

    # What stands in statements of these numbers; null, or 0, where a number is -1.

    def predicate(self, numbers: Numbers) -> pa.Array:
        """IRIs."""
        literals, triples = self._places(numbers)
        relation = self._triples.take(triples)[:, 1]
        iris = pa.array(self._relations, pa.string())
        told = self._literals["predicate"].take(literals).cast(pa.string())
        return pc.coalesce(told, iris.take(pa.array(relation, mask=relation < 0)))

    def text(self, numbers: Numbers) -> pa.Array:
        """Objects: a literal's value, or an IRI."""
        literals, triples = self._places(numbers)
        tails = self._triples.take(triples)[:, 2]
        return pc.coalesce(self._literals["value"].take(literals), self.iris.take(tails))

    def origin(self, numbers: Numbers) -> tuple[Int32, Int32]:
        """Source numbers and lines."""
        literals, triples = self._places(numbers)
        source, line = np.maximum(self._origin.take(triples).T, 0)
        for column, name in ((source, "source"), (line, "line")):
            told = self._literals[name].take(literals)
            np.copyto(column, pc.fill_null(told, 0).to_numpy(), where=literals >= 0)
        return source, line

    def _places(self, numbers: Numbers) -> tuple[Int64, Int64]:
        """Rows in the tables of literals and of triples; -1 where it isn't one."""
        literal = numbers < self._literal_count
        return np.where(literal, numbers, -1), np.where(literal, -1, numbers - self._literal_count)
