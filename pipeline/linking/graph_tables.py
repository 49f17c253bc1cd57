"""The tables of a graph that linking reads."""

from pathlib import Path

from ..artifacts import digest_of, file_digest

TABLES = ("entities.parquet", "names.parquet", "literals.parquet", "triples.npy")


def tables_digest(folder: Path) -> str:
    """Of those tables in a graph's folder."""
    return digest_of({name: file_digest(folder / name) for name in TABLES})
