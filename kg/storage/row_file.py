"""Rows written to disk as they come."""

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

ROWS = 100_000  # written together


class RowFile:
    """Rows on disk, a hundred thousand at a time."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self.path = path
        self._schema = schema
        self.rows = 0
        self._waiting: list[pa.Table] = []
        self._waiting_rows = 0
        self._writer: pq.ParquetWriter | None = pq.ParquetWriter(path, schema, compression="lz4")

    def add(self, rows: pa.Table | Mapping[str, pa.Array]) -> None:
        """Append rows; dictionary-encoded columns are written out."""
        table = rows if isinstance(rows, pa.Table) else pa.table(dict(rows))
        self._waiting.append(table.cast(self._schema))
        self.rows += table.num_rows
        self._waiting_rows += table.num_rows
        if self._waiting_rows >= ROWS:
            self._write()

    def _write(self) -> None:
        if self._writer and self._waiting:
            self._writer.write_table(pa.concat_tables(self._waiting))
        self._waiting, self._waiting_rows = [], 0

    def close(self) -> None:
        """Write what waits; a second time does nothing."""
        self._write()
        if self._writer:
            self._writer.close()
        self._writer = None
