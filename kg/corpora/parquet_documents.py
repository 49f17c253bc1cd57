"""Documents from Parquet: a row each, read some rows at a time."""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq

from ..readers.sources import Advance
from .corpus_files import CorpusFile
from .documents import (
    MAX_DOCUMENT,
    Document,
    DocumentError,
    Fields,
    RejectedDocument,
    checked_name,
    checked_text,
)
from .json_documents import DEFAULT_NAME

ROWS = 256  # read at once: the texts of as many are in memory


def parquet_documents(
    file: CorpusFile, fields: Fields, advance: Advance | None = None
) -> Iterator[Document | RejectedDocument]:
    """One document a row of the columns that `fields` names.

    Yields one rejection for the file where a column isn't there or it is no Parquet, and one from where
    it breaks off.
    """
    row = 0
    if file.path is None:
        yield RejectedDocument(file.name, "Parquet is read from its end: name a file")
        return
    try:
        with pq.ParquetFile(file.path) as parquet:
            columns = _columns(parquet.schema_arrow.names, fields)
            total = parquet.metadata.num_rows
            for batch in parquet.iter_batches(ROWS, columns=columns, use_threads=False):
                for number in range(batch.num_rows):
                    row += 1
                    yield _row(batch, number, f"{file.name}:{row}", fields)
                if advance and total:
                    advance(file.size * batch.num_rows // total)
    except DocumentError as fault:
        yield RejectedDocument(file.name, str(fault))
    except (pa.ArrowException, OSError) as error:
        place = f"{file.name}:{row + 1}" if row else file.name
        reason = str(error).partition("\n")[0]
        yield RejectedDocument(place, f"it can't be read from here as Parquet: {reason}")


def _columns(there: list[str], fields: Fields) -> list[str]:
    for field in filter(None, (fields.text, fields.name)):
        if field not in there:
            raise DocumentError(f"there is no column {field!r}; it has {', '.join(there)}"[:300])
    wanted = {fields.text, fields.name or DEFAULT_NAME}
    return [column for column in there if column in wanted]


def _row(
    batch: pa.RecordBatch, number: int, place: str, fields: Fields
) -> Document | RejectedDocument:
    field = fields.name or DEFAULT_NAME
    try:
        name = place
        if field in batch.schema.names:
            given = batch[field][number].as_py()
            name = place if given is None and not fields.name else checked_name(field, given)
        text = checked_text(fields.text, batch[fields.text][number].as_py())
        if len(text) > MAX_DOCUMENT:
            raise DocumentError(f"it is longer than {MAX_DOCUMENT:,} characters")
        return Document(name, text, place)
    except UnicodeDecodeError as error:
        return RejectedDocument(place, f"it is not UTF-8: byte {error.start}")
    except DocumentError as fault:
        return RejectedDocument(place, str(fault))
