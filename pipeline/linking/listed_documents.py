"""What was linked, beside the mentions: a row a document, also without mentions. `OUT.documents.arrow`,
an Arrow IPC file.

Columns: document, source, digest (of its text), characters, mentions, linked; rows, and the mentions in
OUT, are in the order of the documents. What they were linked with stands in the table's metadata under
"infact", as JSON.
"""

import json
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

ROWS = 1 << 16  # written together
METADATA = b"infact"
SCHEMA = pa.schema(
    [
        ("document", pa.string()),
        ("source", pa.string()),
        ("digest", pa.string()),
        ("characters", pa.int64()),
        ("mentions", pa.int64()),
        ("linked", pa.int64()),
    ]
)


class ListedDocument(NamedTuple):
    """A row: see this module's docstring."""

    document: str
    source: str
    digest: str
    characters: int
    mentions: int
    linked: int


def listed_beside(out: Path) -> Path:
    """Where the documents of an output are listed."""
    return out.with_name(f"{out.name}.documents.arrow")


def write_listed(
    path: Path, documents: Iterable[ListedDocument], linked_with: Mapping[str, Any]
) -> None:
    """Write the table.

    Args:
        linked_with: JSON values.
    """
    text = json.dumps(linked_with, sort_keys=True)
    schema = SCHEMA.with_metadata({METADATA: text.encode()})
    rows = iter(documents)
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_file(path, schema, options=options) as writer:
        while some := list(islice(rows, ROWS)):
            columns = zip(zip(*some, strict=True), SCHEMA, strict=True)
            arrays = [pa.array(column, field.type) for column, field in columns]
            writer.write_batch(pa.record_batch(arrays, schema=schema))


def read_listed(path: Path) -> tuple[pa.Table, dict[str, Any]]:
    """The table, and what the documents were linked with.

    Raises:
        pa.ArrowException, OSError: it can't be read.
        ValueError: it is another table.
    """
    with pa.ipc.open_file(path) as file:
        table = file.read_all()
    metadata = table.schema.metadata or {}
    if METADATA not in metadata or not table.schema.equals(SCHEMA):
        raise ValueError("it isn't what infact link lists")
    found: dict[str, Any] = json.loads(metadata[METADATA])
    return table, found
