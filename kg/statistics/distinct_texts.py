"""Counts of distinct texts, which aren't held in memory all at once: a graph's tables read by DuckDB."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

MEMORY = "64MiB"  # for counting; more goes to disk

# Not by count(DISTINCT …), which holds in memory what it has seen.
SIZES = """SELECT predicate, count(*), max(length(value)) FROM (
    SELECT DISTINCT predicate, value FROM read_parquet(?)) GROUP BY predicate"""
AMBIGUOUS = """SELECT count(*) FROM (
    SELECT lower(name) FROM read_parquet(?) GROUP BY 1 HAVING min(entity) <> max(entity))"""


@dataclass(frozen=True)
class DistinctTexts:
    """What is counted of a graph's texts.

    Attributes:
        sizes: predicate → how many distinct texts it has, and the characters of the longest.
        ambiguous_names: how many names, case set aside, belong to more than one entity.
    """

    sizes: Mapping[str, tuple[int, int]]
    ambiguous_names: int


def distinct_texts(directory: Path) -> DistinctTexts:
    """Counts of literals.parquet and names.parquet in a graph directory."""
    with (
        tempfile.TemporaryDirectory(dir=directory) as overflow,
        duckdb.connect(
            config={"memory_limit": MEMORY, "temp_directory": overflow, "threads": 1}
        ) as connection,
    ):
        sizes = connection.execute(SIZES, [str(directory / "literals.parquet")]).fetchall()
        (found,) = connection.execute(AMBIGUOUS, [str(directory / "names.parquet")]).fetchall()
    return DistinctTexts({iri: (distinct, longest) for iri, distinct, longest in sizes}, found[0])
