"""The formats that mentions are written in: each batch by itself, and all batches as one file.

Batches are written by several processes and after each other into one file of parts, so that a run that
is stopped has lost nothing. What is joined from the same parts is the same to the byte.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from ..graph import KnowledgeGraph
from ..linking.linked_columns import LINKED_SCHEMA, PlacedMention, linked_batch
from ..linking.mentions import Mention
from .docbin import MAX_CHARACTERS, join_docbins, write_docbin
from .documents import Document, RejectedDocument
from .mention_objects import mention_object
from .pubtator_mentions import write_pubtator

ROWS = 8192  # mentions in memory as columns
ROW_GROUP = 1 << 18  # rows of Parquet written together

Linked = tuple[Document, Iterable[Mention]]
Write = Callable[[Iterable[Linked], KnowledgeGraph, IO[bytes]], list[RejectedDocument]]
Join = Callable[[Path, Iterable[int], Path], None]


@dataclass(frozen=True)
class MentionFormat:
    """How mentions are written.

    Attributes:
        name: as users call it.
        suffix: of files in it.
        write: writes one batch into a file; returns the documents that the format can't hold.
        join: (file of parts, the length of each in bytes, file to make): one file of them all.
        most_characters: of all texts that a file of it may hold; None for any number.
    """

    name: str
    suffix: str
    write: Write
    join: Join
    most_characters: int | None = None


def write_json_lines(
    linked: Iterable[Linked], graph: KnowledgeGraph, file: IO[bytes]
) -> list[RejectedDocument]:
    """A line a document, also without mentions: document, source, characters, mentions."""
    for document, mentions in linked:
        head = {"document": document.name, "source": document.place}
        head_text = json.dumps({**head, "characters": len(document.text)}, ensure_ascii=False)
        file.write(f'{head_text[:-1]}, "mentions": ['.encode())
        for number, mention in enumerate(mentions):
            text = json.dumps(mention_object(mention, graph), ensure_ascii=False)
            file.write(f"{', ' if number else ''}{text}".encode())
        file.write(b"]}\n")
    return []


def write_columns(
    linked: Iterable[Linked], graph: KnowledgeGraph, file: IO[bytes]
) -> list[RejectedDocument]:
    """An arrow stream of LINKED_SCHEMA: a row a mention."""
    rows = (
        PlacedMention(document.name, document.place, mention)
        for document, mentions in linked
        for mention in mentions
    )
    with pa.ipc.new_stream(file, LINKED_SCHEMA) as writer:
        while some := list(islice(rows, ROWS)):
            writer.write_batch(linked_batch(some, graph))
    return []


def join_bytes(parts: Path, lengths: Iterable[int], finished: Path) -> None:
    """Parts that are one file as they stand."""
    try:
        os.link(parts, finished)
    except OSError:  # a file system without links
        shutil.copyfile(parts, finished)


def join_columns(parts: Path, lengths: Iterable[int], finished: Path) -> None:
    """Arrow streams as one Parquet file."""
    with pq.ParquetWriter(finished, LINKED_SCHEMA, compression="zstd") as writer:
        waiting: list[pa.RecordBatch] = []
        rows = 0
        for batch in _batches(parts, lengths):
            waiting.append(batch)
            rows += batch.num_rows
            if rows >= ROW_GROUP:
                writer.write_table(pa.Table.from_batches(waiting))
                waiting, rows = [], 0
        if waiting:
            writer.write_table(pa.Table.from_batches(waiting))


def _batches(parts: Path, lengths: Iterable[int]) -> Iterator[pa.RecordBatch]:
    with parts.open("rb") as file:
        for length in lengths:
            yield from pa.ipc.open_stream(file.read(length))


PARQUET = MentionFormat("parquet", ".parquet", write_columns, join_columns)
FORMATS: Mapping[str, MentionFormat] = {
    each.name: each
    for each in (
        PARQUET,
        MentionFormat("jsonl", ".jsonl", write_json_lines, join_bytes),
        MentionFormat("pubtator", ".pubtator", write_pubtator, join_bytes),
        MentionFormat("spacy", ".spacy", write_docbin, join_docbins, MAX_CHARACTERS),
    )
}
