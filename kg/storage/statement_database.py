"""All statements of a graph outside memory, while they become numbers: a DuckDB file.

Entities are numbered in the order of their IRIs, and so are relations; rows are handed out sorted. So
the same statements give the same tables in whatever order they come.
"""

import itertools
import math
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from functools import cached_property
from pathlib import Path
from types import TracebackType

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ..readers.blocks import Block
from .row_file import RowFile
from .terms import Terms

Int32 = NDArray[np.int32]
# Memory for sorting and joining, beyond which DuckDB writes to disk. What it can't do without grows
# with the square root of the rows (it holds a block of each part that it cuts them into), and with
# the threads. Were it too little, twice as much is tried.
LEAST = 64_000_000  # bytes
BYTES_PER_ROOT = (
    45_000  # for each square root of a row, while they are numbered: 100 MB for 5 million
)
MOST = 16_000_000_000  # bytes beyond which no more is asked for
SORTING = 0.6  # of that, once they are
THREADS = 1
ROWS = 100_000  # in a batch that is handed out
LINES = 32  # bits of an origin that hold the line; the source stands above them

TRIPLE_SCHEMA = pa.schema(
    {
        "subject": pa.string(),
        "predicate": pa.int32(),
        "object": pa.string(),
        "graph": pa.int32(),
        "origin": pa.int64(),
    }
)
LITERAL_SCHEMA = pa.schema(
    {
        "subject": pa.string(),
        "predicate": pa.int32(),
        "value": pa.string(),
        "datatype": pa.int32(),
        "language": pa.int32(),
        "graph": pa.int32(),
        "origin": pa.int64(),
    }
)
REJECTED_SCHEMA = pa.schema(
    {
        "source": pa.int16(),
        "line": pa.int32(),
        "column": pa.int32(),
        "reason": pa.string(),
        "text": pa.string(),
    }
)
ENTITIES = """
CREATE TABLE entity AS
SELECT (row_number() OVER (ORDER BY iri) - 1)::INTEGER AS id, iri
FROM (SELECT subject AS iri FROM read_triple UNION SELECT object FROM read_triple
      UNION SELECT subject FROM read_literal)
"""
TRIPLES = """
CREATE TABLE triple AS
SELECT head.id AS head, relation.id AS relation, tail.id AS tail, graph, min(origin) AS origin
FROM read_triple
JOIN entity AS head ON head.iri = subject
JOIN entity AS tail ON tail.iri = object
JOIN relation ON relation.number = predicate
GROUP BY ALL
"""
LITERALS = """
CREATE TABLE literal AS
SELECT entity.id AS entity, predicate, value, datatype, language, graph, min(origin) AS origin
FROM read_literal JOIN entity ON iri = subject
GROUP BY ALL
"""
STORED = f"""
SELECT origin >> {LINES} AS source, count(*) AS stored
FROM (SELECT origin FROM triple UNION ALL SELECT origin FROM literal) GROUP BY ALL
"""


class StatementDatabase:
    """Takes blocks; `number` gives ids; then tables `entity`, `triple` and `literal` are read by SQL.

    Columns: entity(id, iri); triple(head, relation, tail, graph, origin); literal(entity, predicate,
    value, datatype, language, graph, origin), where predicate, datatype, language and graph are
    numbers of `predicates`, `datatypes`, `languages` and `graphs`.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.predicates = Terms()
        self.graphs = Terms()
        self.datatypes = Terms()
        self.languages = Terms()
        self._connection: duckdb.DuckDBPyConnection | None = None

    def __enter__(self) -> "StatementDatabase":
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        self._triples = RowFile(self._folder / "read_triple.parquet", TRIPLE_SCHEMA)
        self._literals = RowFile(self._folder / "read_literal.parquet", LITERAL_SCHEMA)
        self._rejected = RowFile(self._folder / "read_rejected.parquet", REJECTED_SCHEMA)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for file in self._files:
            file.close()
        if self._connection:
            self._connection.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def _files(self) -> tuple[RowFile, ...]:
        return self._triples, self._literals, self._rejected

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        if self._connection is None:
            raise ValueError("the statements have no numbers yet")
        return self._connection

    def add(self, block: Block, source: int) -> None:
        """Keep the statements of a block of this source, and what was left out."""
        if block.rejected:
            columns = [pa.repeat(source, len(block.rejected)), *zip(*block.rejected, strict=True)]
            self._rejected.add(pa.table(columns, names=REJECTED_SCHEMA.names))
        for table in block.triples:
            self._triples.add(
                {
                    "subject": table["subject"],
                    "predicate": self.predicates.encode(table["predicate"]),
                    "object": table["object"],
                    "graph": self.graphs.encode(table["graph"]),
                    "origin": origins(table["line"], source),
                }
            )
        for table in block.literals:
            self._literals.add(
                {
                    "subject": table["subject"],
                    "predicate": self.predicates.encode(table["predicate"]),
                    "value": table["value"],
                    "datatype": self.datatypes.encode(table["datatype"]),
                    "language": self.languages.encode(table["language"]),
                    "graph": self.graphs.encode(table["graph"]),
                    "origin": origins(table["line"], source),
                }
            )

    def number(self) -> None:
        """Give every entity and relation its id, and keep every statement once."""
        for file in self._files:
            file.close()
        self._connection = self._connect(self._triples.rows + self._literals.rows)
        self._view("read_triple", self._triples.path)
        self._view("read_literal", self._literals.path)
        self._view("read_rejected", self._rejected.path)
        self._run(ENTITIES)
        used = self.column("SELECT DISTINCT predicate FROM read_triple")
        names = self.predicates.by_number()
        ordered = sorted(used, key=names.__getitem__)
        self.relations = [names[number] for number in ordered]
        ids = {"number": pa.array(ordered, pa.int32()), "id": pa.array(range(len(ordered)))}
        self.load("relation", [pa.table({"number": ids["number"], "id": ids["id"].cast("int32")})])
        self._run(TRIPLES)
        self._triples.path.unlink()
        self._run(LITERALS)
        self._literals.path.unlink()
        self._allow(self._connection, SORTING * self._memory)

    def _connect(self, rows: int) -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect(str(self._folder / "statements.duckdb"))
        connection.execute(f"SET threads={THREADS}")
        connection.execute("SET preserve_insertion_order=false")
        # The file is thrown away: nothing of it needs to be safe.
        connection.execute("SET wal_autocheckpoint='1TB'")
        self._allow(connection, BYTES_PER_ROOT * math.sqrt(rows))
        return connection

    def _allow(self, connection: duckdb.DuckDBPyConnection, memory: float) -> None:
        self._memory = max(memory, LEAST)
        connection.execute(f"SET memory_limit='{self._memory:.0f}B'")

    def _allow_more(self, error: Exception) -> None:
        """Twice the memory after an error that tells that it was too little; up to a limit."""
        if self._memory > MOST:
            raise error
        self._allow(self.connection, 2 * self._memory)

    def _run(self, query: str) -> duckdb.DuckDBPyConnection:
        """The result of a query, once more with twice the memory where that is too little."""
        while True:
            try:
                return self.connection.execute(query)
            except duckdb.OutOfMemoryException as error:
                self._allow_more(error)

    def load(self, name: str, tables: Iterable[pa.Table]) -> None:
        """Make a table of these rows, which have one schema; there is at least one arrow table."""
        iterator = iter(tables)
        first = next(iterator)
        with closing(RowFile(self._folder / f"{name}.parquet", first.schema)) as file:
            for table in itertools.chain([first], iterator):
                file.add(table)
        self._view(name, file.path)

    def _view(self, name: str, path: Path) -> None:
        quoted = str(path).replace("'", "''")
        self.connection.execute(f"CREATE OR REPLACE VIEW {name} AS FROM read_parquet('{quoted}')")

    @cached_property
    def stored(self) -> dict[int, int]:
        """Source → how many statements were first read from it."""
        return dict(self.connection.execute(STORED).fetchall())

    @cached_property
    def has_named_graphs(self) -> bool:
        return set(self.graphs.numbers) - {""} != set()

    def count(self, name: str) -> int:
        """How many rows a table has."""
        return self.column(f"SELECT count(*) FROM {name}")[0]

    def column(self, query: str) -> list[int]:
        """The first column of a short result."""
        return [row[0] for row in self.connection.execute(query).fetchall()]

    def batches(self, query: str) -> Iterator[pa.RecordBatch]:
        """The result of a query, streamed; other queries may run meanwhile.

        Where memory is too little, an ordered result goes on, with twice as much, after the last
        batch handed out.
        """
        given = 0
        while True:
            try:
                with self.connection.cursor() as cursor:
                    asked = f"{query} OFFSET {given}" if given else query
                    for batch in cursor.sql(asked).to_arrow_reader(ROWS):
                        given += batch.num_rows
                        yield batch
                return
            except (duckdb.OutOfMemoryException, OSError) as error:
                if "Out of Memory" not in str(error) or (given and "ORDER BY" not in query):
                    raise
                self._allow_more(error)

    def predicate_numbers(self, iris: Sequence[str]) -> list[int]:
        """The numbers of those predicates that occur."""
        return [self.predicates.numbers[iri] for iri in iris if iri in self.predicates.numbers]


def origins(lines: pa.ChunkedArray, source: int) -> pa.Array:
    """Source and line in one number; ascending as they are read."""
    return pa.array(lines.to_numpy().astype(np.int64) | (source << LINES))


def split_origins(origin: NDArray[np.int64]) -> tuple[Int32, Int32]:
    """Sources and lines."""
    return (origin >> LINES).astype(np.int32), (origin & ((1 << LINES) - 1)).astype(np.int32)
