"""The files of a graph directory but its store, written from numbered statements, a batch at a time."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from .. import vocabulary as v
from ..names import NAME_KINDS, words_of
from .statement_database import REJECTED_SCHEMA, Int32, StatementDatabase, split_origins

TEXT_COLUMN = pa.dictionary(pa.int32(), pa.string())
ENTITY_SCHEMA = pa.schema(
    {
        "iri": pa.string(),
        "label": pa.string(),
        "types": pa.list_(pa.int32()),
        "deprecated": pa.bool_(),
        "degree": pa.int32(),
    }
)
NAME_SCHEMA = pa.schema(
    {"entity": pa.int32(), "name": pa.string(), "kind": pa.string(), "language": pa.string()}
)
RELATION_SCHEMA = pa.schema(
    {
        "iri": pa.string(),
        "label": pa.string(),
        "triples": pa.int32(),
        "subjects": pa.int32(),
        "objects": pa.int32(),
        "cardinality": pa.string(),
    }
)
LITERAL_SCHEMA = pa.schema(
    {
        "entity": pa.int32(),
        "predicate": TEXT_COLUMN,
        "value": pa.string(),
        "datatype": TEXT_COLUMN,
        "language": TEXT_COLUMN,
        "source": pa.int16(),
        "line": pa.int32(),
    }
)
GRAPH_SCHEMA = pa.schema({"iri": pa.string(), "statements": pa.int64()})
MANY = 1.5  # mean tails a head above which a relation counts as "to many"; TransH (Wang 2014)

DISTINCT_TRIPLES = "SELECT head, relation, tail, min(origin) AS origin FROM triple GROUP BY ALL"
DISTINCT_LITERALS = """SELECT entity, predicate, value, datatype, language, min(origin) AS origin
FROM literal GROUP BY ALL"""
ENTITIES = """
SELECT iri, label.name AS label, coalesce(types, []) AS types, flagged.entity IS NOT NULL AS deprecated
FROM entity LEFT JOIN label ON label.entity = id
LEFT JOIN (SELECT head, list(tail ORDER BY tail) AS types FROM (
    SELECT DISTINCT head, tail FROM triple WHERE relation = {type}) GROUP BY head) ON head = id
LEFT JOIN (SELECT DISTINCT entity FROM literal
    WHERE predicate = {deprecated} AND value IN ('true', '1')) AS flagged ON flagged.entity = id
ORDER BY id
"""
NAMES = """
SELECT entity, name, min(kind) AS kind, language FROM naming
GROUP BY entity, name, language ORDER BY entity, kind, name, language
"""
# Not by count(DISTINCT …), which holds in memory what it has seen.
RELATIONS = """
SELECT relation, triples, subjects, objects
FROM (SELECT relation, sum(times)::BIGINT AS triples, count(*) AS subjects FROM (
    SELECT relation, head, count(*) AS times FROM ({rows}) GROUP BY relation, head) GROUP BY relation)
JOIN (SELECT relation, count(*) AS objects FROM (
    SELECT DISTINCT relation, tail FROM triple) GROUP BY relation) USING (relation)
ORDER BY relation
"""
GRAPHS = """
SELECT graph, count(*) FROM (SELECT graph FROM triple UNION ALL SELECT graph FROM literal)
GROUP BY graph
"""


def write_triples(database: StatementDatabase, out: Path) -> Int32:
    """triples.npy, triple_origin.npy; returns the degree of each entity, both ends counted."""
    rows = DISTINCT_TRIPLES if database.has_named_graphs else "FROM triple"
    count = database.count(f"({rows})")
    degree = np.zeros(database.count("entity"), np.int32)
    ordered = f"SELECT head, relation, tail, origin FROM ({rows}) ORDER BY head, relation, tail"
    with (out / "triples.npy").open("wb") as triples, (out / "triple_origin.npy").open("wb") as at:
        for file, width in ((triples, 3), (at, 2)):
            header = {"descr": "<i4", "fortran_order": False, "shape": (count, width)}
            np.lib.format.write_array_header_1_0(file, header)
        for batch in database.batches(ordered):
            *columns, origin = (column.to_numpy() for column in batch.columns)
            triples.write(np.stack(columns, axis=1).astype(np.int32).tobytes())
            at.write(np.stack(split_origins(origin), axis=1).tobytes())
            for ends in (columns[0], columns[2]):
                entities, times = np.unique(ends, return_counts=True)
                degree[entities] += times.astype(np.int32)
    return degree


def write_entities(database: StatementDatabase, out: Path, degree: Int32) -> None:
    """One row an entity, in the order of ids; `label` holds a name for some."""
    relations = database.relations
    query = ENTITIES.format(
        type=relations.index(v.RDF_TYPE) if v.RDF_TYPE in relations else -1,
        deprecated=database.predicates.numbers.get(v.OWL_DEPRECATED, -1),
    )

    def tables() -> Iterator[pa.Table]:
        first = 0
        for batch in database.batches(query):
            degrees = pa.array(degree[first : first + batch.num_rows])
            first += batch.num_rows
            yield pa.table([*batch.columns, degrees], ENTITY_SCHEMA.names).cast(ENTITY_SCHEMA)

    write_parquet(out / "entities.parquet", ENTITY_SCHEMA, tables())


def write_names(database: StatementDatabase, out: Path) -> int:
    """Every name of every entity once, in its most telling kind; returns how many there are."""
    kinds = pa.array(NAME_KINDS)

    def tables() -> Iterator[pa.Table]:
        for batch in database.batches(NAMES):
            entity, name, kind, language = batch.columns
            yield pa.table([entity, name, kinds.take(kind), language], schema=NAME_SCHEMA)

    return write_parquet(out / "names.parquet", NAME_SCHEMA, tables())


def write_literals(database: StatementDatabase, out: Path) -> list[tuple[str, int]]:
    """One row a literal statement, sorted by entity, predicate, value, datatype and language.

    Returns:
        Each predicate of literals, in order, and how many it has.
    """
    rows = DISTINCT_LITERALS if database.has_named_graphs else "FROM literal"
    terms = (database.predicates, database.datatypes, database.languages)
    sorted_terms = [sorted(each.numbers) for each in terms]
    for name, each, ordered in zip(("p", "d", "l"), terms, sorted_terms, strict=True):
        rank = {term: place for place, term in enumerate(ordered)}
        places = pa.array([rank[term] for term in each.by_number()], pa.int32())
        numbers = pa.array(range(len(places)), pa.int32())
        database.load(f"place_{name}", [pa.table({"number": numbers, "place": places})])
    query = f"""SELECT entity, p.place, value, d.place, l.place, origin FROM ({rows})
JOIN place_p AS p ON p.number = predicate JOIN place_d AS d ON d.number = datatype
JOIN place_l AS l ON l.number = language ORDER BY entity, p.place, value, d.place, l.place"""
    dictionaries = [pa.array(ordered, pa.string()) for ordered in sorted_terms]
    counts = np.zeros(len(sorted_terms[0]), np.int64)

    def tables() -> Iterator[pa.Table]:
        for batch in database.batches(query):
            entity, predicate, value, datatype, language, origin = batch.columns
            np.add(counts, np.bincount(predicate.to_numpy(), minlength=len(counts)), out=counts)
            source, line = split_origins(origin.to_numpy())
            coded = [
                pa.DictionaryArray.from_arrays(indices, dictionary)
                for indices, dictionary in zip(
                    (predicate, datatype, language), dictionaries, strict=True
                )
            ]
            columns = [entity, coded[0], value, *coded[1:], source.astype(np.int16), line]
            yield pa.table(columns, schema=LITERAL_SCHEMA)

    write_parquet(out / "literals.parquet", LITERAL_SCHEMA, tables())
    return [(sorted_terms[0][n], int(count)) for n, count in enumerate(counts.tolist()) if count]


def write_relations(database: StatementDatabase, out: Path) -> None:
    """One row a relation, in the order of ids, with its counts and cardinality."""
    known = pa.table({"iri": pa.array(database.relations, pa.string())})
    database.load("relation_iris", [known])
    labels = dict(
        database.connection.execute(
            "SELECT iri, name FROM relation_iris JOIN entity USING (iri) "
            "JOIN label ON label.entity = entity.id"
        ).fetchall()
    )
    rows = []
    distinct = DISTINCT_TRIPLES if database.has_named_graphs else "FROM triple"
    query = RELATIONS.format(rows=distinct)
    for number, triples, subjects, objects in database.connection.execute(query).fetchall():
        iri = database.relations[number]
        label = labels.get(iri) or words_of(iri)
        kind = cardinality(triples / subjects, triples / objects)
        rows.append((iri, label, triples, subjects, objects, kind))
    columns = list(zip(*rows, strict=True)) or [()] * len(RELATION_SCHEMA)
    table = pa.table([list(column) for column in columns], schema=RELATION_SCHEMA)
    pq.write_table(table, out / "relations.parquet", compression="zstd")


def cardinality(tails_a_head: float, heads_a_tail: float) -> str:
    """1:1, 1:N, N:1 or N:M, by the mean number of tails a head and of heads a tail."""
    return {
        (False, False): "1:1",
        (False, True): "1:N",
        (True, False): "N:1",
        (True, True): "N:M",
    }[heads_a_tail >= MANY, tails_a_head >= MANY]


def write_graphs(database: StatementDatabase, out: Path) -> None:
    """The named graphs and how many statements each holds; the default graph is called ""."""
    names = database.graphs.by_number()
    counts = database.connection.execute(GRAPHS).fetchall()
    rows = sorted((names[number], count) for number, count in counts)
    table = pa.table([list(column) for column in zip(*rows, strict=True)], schema=GRAPH_SCHEMA)
    pq.write_table(table, out / "graphs.parquet", compression="zstd")


def write_rejected(database: StatementDatabase, out: Path) -> None:
    """Rejections, sorted by source and line."""
    batches = database.batches("FROM read_rejected ORDER BY ALL")
    write_parquet(out / "rejected.parquet", REJECTED_SCHEMA, map(_as_rejected, batches))


def _as_rejected(batch: pa.RecordBatch) -> pa.Table:
    return pa.Table.from_batches([batch]).cast(REJECTED_SCHEMA)


def write_parquet(path: Path, schema: pa.Schema, tables: Iterator[pa.Table]) -> int:
    """Write tables as one file; returns how many rows they have together."""
    rows = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for table in tables:
            writer.write_table(table)
            rows += table.num_rows
        if not rows:
            writer.write_table(schema.empty_table())
    return rows
