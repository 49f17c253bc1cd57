"""A column on disk, against the same column in memory."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from infact.kg import stored_column as module
from infact.kg.stored_column import StoredColumn

TEXTS = sorted(
    [*(f"http://e.org/{n:02}" for n in range(20)), "_:b1", "http://e.org/\U0001f600", "z"]
)


@pytest.mark.parametrize("held", [0, 60, 1 << 20])
def test_against_a_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: int) -> None:
    monkeypatch.setattr(module, "HELD", held)
    table = pa.table({"iri": TEXTS, "number": pa.array(range(len(TEXTS)), pa.int16())})
    with pq.ParquetWriter(tmp_path / "a.parquet", table.schema) as writer:
        writer.write_table(table.slice(0, 0))
        for start in range(0, len(TEXTS), 6):
            writer.write_table(table.slice(start, 6))
    column = StoredColumn(tmp_path / "a.parquet", "iri")
    assert len(column) == len(TEXTS)
    assert [text for piece in column.pieces() for text in piece.to_pylist()] == TEXTS
    assert [column[row].as_py() for row in range(len(TEXTS))] == TEXTS
    rows = np.array([22, 0, -1, 7, 7, 3, -1, 12])
    assert column.take(rows).to_pylist() == [None if n < 0 else TEXTS[n] for n in rows.tolist()]
    numbers = StoredColumn(tmp_path / "a.parquet", "number").take(rows)
    assert numbers.type == pa.int16()
    assert numbers.to_pylist() == [None if n < 0 else n for n in rows.tolist()]
    assert [column.find(text) for text in TEXTS] == list(range(len(TEXTS)))
    assert [column.find(text) for text in ("", "_:b2", "http://e.org/07a", "zz")] == [None] * 4


def test_an_empty_table(tmp_path: Path) -> None:
    pq.write_table(pa.table({"iri": pa.array([], pa.string())}), tmp_path / "a.parquet")
    column = StoredColumn(tmp_path / "a.parquet", "iri")
    assert (len(column), list(column.pieces()), column.find("a")) == (0, [], None)
    assert column.take(np.array([-1])).to_pylist() == [None]
