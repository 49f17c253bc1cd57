"""Counts of distinct texts, which aren't held in memory all at once: a graph's tables read by DuckDB."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

MEMORY = "192MiB"  # for counting; more goes to disk

SIZES = """SELECT predicate, count(DISTINCT value), max(length(value))
FROM read_parquet(?) GROUP BY predicate"""
AMBIGUOUS = """SELECT count(*) FROM (
    SELECT lower(name) FROM read_parquet(?) GROUP BY 1 HAVING min(entity) <> max(entity))"""


def text_sizes(literals: Path) -> dict[str, tuple[int, int]]:
    """Predicate → how many distinct texts it has, and the characters of the longest."""
    with _bounded(literals.parent) as connection:
        rows = connection.execute(SIZES, [str(literals)]).fetchall()
    return {predicate: (distinct, longest) for predicate, distinct, longest in rows}


def ambiguous_names(names: Path) -> int:
    """How many names, case set aside, belong to more than one entity."""
    with _bounded(names.parent) as connection:
        ((count,),) = connection.execute(AMBIGUOUS, [str(names)]).fetchall()
    return int(count)


@contextmanager
def _bounded(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with (
        tempfile.TemporaryDirectory(dir=folder) as overflow,
        duckdb.connect(config={"memory_limit": MEMORY, "temp_directory": overflow}) as connection,
    ):
        yield connection
