"""Links that an earlier run made, found again by the texts that they were made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ...errors import UserError
from ...kg.linking.linked_columns import LINKED_SCHEMA
from .batches import Batch
from .listed_documents import listed_beside, read_listed

FIX = "name the Parquet file of mentions that infact link made, its .documents.arrow beside it"


@dataclass(frozen=True)
class FormerBatch:
    """What an earlier run found in the documents of a batch.

    Attributes:
        counts: of mentions in each document; None for one that it didn't link.
        rows: with the columns of LINKED_SCHEMA, of one document after another.
    """

    counts: tuple[int | None, ...]
    rows: pa.Table


class FormerLinks:
    """The mentions of an earlier run; those of a document are read when its text comes again.

    Attributes:
        path: of the mentions.
        linked_with: what the run was.
        documents: its table of documents.
    """

    def __init__(self, path: Path) -> None:
        """Open the mentions and the list of their documents.

        Raises:
            UserError: they aren't there, aren't what `infact link` writes, or don't belong together.
        """
        self.path = path
        self._file, self.documents, self.linked_with = _opened(path)
        counts = self.documents["mentions"].to_numpy()
        ends = np.cumsum(counts)
        if (ends[-1] if len(ends) else 0) != self._file.metadata.num_rows:
            raise UserError(
                "the mentions and the list of documents are of two runs", str(path), FIX
            )
        digests = self.documents["digest"].to_numpy().astype("S32")
        self._order = np.argsort(digests, kind="stable")
        self._digests, self._counts, self._starts = digests[self._order], counts, ends - counts
        self._seen = np.zeros(len(counts), bool)
        groups = [
            self._file.metadata.row_group(at).num_rows for at in range(self._file.num_row_groups)
        ]
        self._bounds = np.concatenate(([0], np.cumsum(groups))).astype(np.int64)
        self._read: dict[int, pa.Table] = {}

    def of(self, batch: Batch) -> FormerBatch:
        """What was found in these texts; documents with the same text have the same mentions."""
        counts: list[int | None] = []
        parts = [LINKED_SCHEMA.empty_table()]
        for place in self._places(batch):
            if place is None:
                counts.append(None)
                continue
            counts.append(int(self._counts[place]))
            parts += self._rows(int(self._starts[place]), counts[-1] or 0)
        return FormerBatch(tuple(counts), pa.concat_tables(parts).combine_chunks())

    def note(self, batch: Batch) -> None:
        """Note that these texts are there still."""
        self._places(batch)

    def gone(self) -> pa.Table:
        """The documents whose texts weren't asked for."""
        return self.documents.filter(pa.array(~self._seen))

    def _places(self, batch: Batch) -> list[int | None]:
        asked = np.array(batch.texts, "S32")
        first = np.searchsorted(self._digests, asked, "left")
        last = np.searchsorted(self._digests, asked, "right")
        found: list[int | None] = []
        for low, high in zip(first.tolist(), last.tolist(), strict=True):
            self._seen[self._order[low:high]] = True
            found.append(int(self._order[low]) if high > low else None)
        return found

    def _rows(self, start: int, count: int) -> list[pa.Table]:
        parts = []
        while count:
            group = int(np.searchsorted(self._bounds, start, "right")) - 1
            at = start - int(self._bounds[group])
            part = self._group(group).slice(at, count)
            parts.append(part)
            start, count = start + len(part), count - len(part)
        return parts

    def _group(self, number: int) -> pa.Table:
        if number not in self._read:
            if len(self._read) > 1:  # a document may lie in two
                self._read.pop(next(iter(self._read)))
            self._read[number] = self._file.read_row_group(number)
        return self._read[number]


def _opened(path: Path) -> tuple[pq.ParquetFile, pa.Table, Mapping[str, Any]]:
    listed = listed_beside(path)
    for each in (path, listed):
        if not each.is_file():
            raise UserError("there is no such file", str(each), FIX)
    try:
        file = pq.ParquetFile(path)
        documents, linked_with = read_listed(listed)
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise UserError(f"the links can't be read: {reason}", str(path), FIX) from error
    if not file.schema_arrow.equals(LINKED_SCHEMA):
        raise UserError("it hasn't the columns that infact link writes now", str(path), FIX)
    return file, documents, linked_with
