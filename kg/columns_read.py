"""Columns of a graph's tables in little memory: reading takes several times what is read, if it may."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


def read_columns(path: Path, columns: Sequence[str], repeated: Sequence[str] = ()) -> pa.Table:
    """Some columns of a parquet file, each in one piece.

    Args:
        path: of the file.
        columns: their names.
        repeated: those whose texts are held once, as a dictionary.
    """
    file = pq.ParquetFile(path, read_dictionary=list(repeated))
    table = file.read(columns=list(columns), use_threads=False)
    table = table.unify_dictionaries().combine_chunks()
    pa.default_memory_pool().release_unused()
    return table


def read_arrays(path: Path, columns: Sequence[str]) -> dict[str, pa.Array]:
    """The same as arrays by name."""
    table = read_columns(path, columns)
    return {
        name: column.chunk(0) if column.num_chunks else pa.array([], column.type)
        for name, column in zip(table.column_names, table.columns, strict=True)
    }
