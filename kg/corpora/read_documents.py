"""Documents of one file, one after another, in whatever format it is.

A document that can't be read is rejected with its place and reason, and the rest goes on; a file that
breaks off is rejected from there.
"""

import io
from collections.abc import Iterator
from typing import IO

from ...errors import UserError
from ..readers.sources import BLOCK, Advance, Source, open_source
from .corpus_files import CorpusFile
from .documents import MAX_DOCUMENT, Document, DocumentError, Fields, RejectedDocument, as_text
from .json_documents import json_documents
from .parquet_documents import parquet_documents
from .pubtator_documents import pubtator_documents

DESCRIPTOR = 0  # of standard input
Read = Iterator[Document | RejectedDocument]


def read_documents(file: CorpusFile, fields: Fields, advance: Advance | None = None) -> Read:
    """The documents of a file, and what was rejected in it.

    Args:
        file: as `corpus_files` lists it.
        fields: that hold text and id, in JSON lines and Parquet.
        advance: hears of bytes read from disk.
    """
    try:
        if file.format == "parquet":
            yield from parquet_documents(file, fields, advance)
            return
        with _opened(file, advance) as opened:
            format = file.format or _format_of_beginning(opened)
            if format == "jsonl":
                yield from json_documents(opened, file.name, fields)
            elif format == "pubtator":
                yield from pubtator_documents(opened, file.name)
            else:
                yield _text_document(opened, file)
    except UserError as error:  # what is wrong with the compression
        yield RejectedDocument(file.name, error.what)
    except OSError as error:
        yield RejectedDocument(file.name, f"it can't be read: {error.strerror or error}")


def _opened(file: CorpusFile, advance: Advance | None) -> "io.BufferedReader":
    if file.path is None:
        return io.BufferedReader(io.FileIO(DESCRIPTOR, closefd=False), BLOCK)
    return open_source(Source(file.path, file.name), advance)


def _format_of_beginning(opened: "io.BufferedReader") -> str:
    """Of standard input: JSON lines where an object begins, else one plain text."""
    beginning = opened.peek(BLOCK).removeprefix("\ufeff".encode()).lstrip()
    return "jsonl" if beginning.startswith(b"{") else "txt"


def _text_document(opened: IO[bytes], file: CorpusFile) -> Document | RejectedDocument:
    data = bytearray()
    while len(data) <= MAX_DOCUMENT and (block := opened.read(BLOCK)):
        data += block
    try:
        return Document(file.document, as_text(data), file.name)
    except DocumentError as fault:
        return RejectedDocument(file.name, str(fault))
