"""Files that a graph is read from: what to read, how, and whether they can be read at all."""

import bz2
import codecs
import difflib
import gzip
import hashlib
import io
import os
import stat
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast

import pyarrow

from ...errors import UserError
from .format_of_content import SNIFFED, format_of

FORMATS: Mapping[str, str] = {  # extension, or what users may call it → format
    "ttl": "ttl",
    "turtle": "ttl",
    "nt": "nt",
    "ntriples": "nt",
    "nq": "nq",
    "nquads": "nq",
    "trig": "trig",
    "rdf": "rdf",
    "owl": "rdf",
    "xml": "rdf",
    "jsonld": "jsonld",
    "obo": "obo",
    "csv": "csv",
    "tsv": "tsv",
    "kgx": "kgx",
    "wikidata": "wikidata",
}
BLOCK = 1 << 20  # bytes read at once
MAX_TEXT = 1 << 24  # bytes or characters of one line, literal or cell; Oxigraph's own limit
# First bytes → how to decompress, whatever the file is called.
DECOMPRESSORS: Mapping[bytes, Callable[[IO[bytes]], Any]] = {
    b"\x1f\x8b": lambda file: gzip.GzipFile(fileobj=file),
    b"BZh": bz2.BZ2File,
    b"\x28\xb5\x2f\xfd": lambda file: pyarrow.CompressedInputStream(
        pyarrow.PythonFile(file), "zstd"
    ),
}
COMPRESSED = ("gz", "bz2", "zst")  # extensions that say nothing of the format
MAX_INFLATION = 200  # decompressed bytes for each byte on disk; text compresses 3–30 times
Advance = Callable[[int], None]


@dataclass(frozen=True)
class TripleTemplate:
    """One statement for each row of a table, written with `{column}` templates.

    Exactly one of `object` (an IRI or CURIE) and `literal` is given. A row counts when every column
    of `where` holds one of its values and no column of `where_not` does.
    """

    subject: str
    predicate: str
    object: str = ""
    literal: str = ""
    language: str = ""
    datatype: str = ""
    where: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    where_not: Mapping[str, str | Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Source:
    """One file of a knowledge graph. `name` is what the user called it, shown in every message."""

    path: Path
    name: str
    format: str = ""  # empty: by the file's extension
    comment: str = ""  # tables: lines starting so are skipped before the header
    triples: tuple[TripleTemplate, ...] = ()  # tables only
    languages: tuple[str, ...] = ()  # tags of texts that are read; empty: all
    version: str = ""
    licence: str = ""
    url: str = ""


@dataclass(frozen=True)
class Examined:
    """What one pass over a file's bytes tells: its digest (sha256 hex) and size on disk."""

    digest: str
    bytes: int


def source_format(source: Source) -> str:
    """The declared format; else the one of the extension, compression set aside; else the content's.

    KGX files are called .tsv like other tables. Their header tells them, where no templates say what
    the rows mean.

    Raises:
        UserError: none of them is known.
    """
    if source.format in FORMATS:
        return FORMATS[source.format]
    suffixes = [suffix.lstrip(".").lower() for suffix in source.path.suffixes]
    while suffixes and suffixes[-1] in COMPRESSED:
        suffixes.pop()
    asked = suffixes[-1] if suffixes else ""
    found = "" if source.format else FORMATS.get(asked) or _format_of_content(source)
    if found in ("tsv", "kgx"):
        is_kgx = not source.triples and _format_of_content(source) == "kgx"
        found = "kgx" if is_kgx else "tsv"
    if not found:
        raise UserError(
            f"the format {source.format or asked!r} is not known"
            if source.format or asked
            else "neither the name nor the first lines tell the format",
            source.name,
            "set format to one of " + ", ".join(sorted(set(FORMATS.values()))),
        )
    return found


def _format_of_content(source: Source) -> str:
    if not source.path.is_file():
        return ""
    with open_source(source) as file:
        return format_of(file.read(SNIFFED))


def examine(source: Source) -> Examined:
    """Digest a file and make sure that it is UTF-8 text.

    Raises:
        UserError: a folder, no such file (naming the nearest), or the first byte that isn't UTF-8.
    """
    check_file(source)
    with source.path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    decoder = codecs.getincrementaldecoder("utf-8")()
    offset, line = 0, 1
    with open_source(source) as text:
        block = b"start"
        while block:
            block = text.read(BLOCK)
            pending = len(decoder.getstate()[0])
            if not block.isascii() or pending or not block:  # ASCII is UTF-8
                try:
                    decoder.decode(block, final=not block)
                except UnicodeDecodeError as error:
                    raise _not_utf8(source, error, offset - pending, line, block) from error
            offset += len(block)
            line += block.count(b"\n")
    return Examined(digest, source.path.stat().st_size)


def check_file(source: Source) -> None:
    """Raises UserError where the source is no file that can be read (naming the nearest)."""
    try:
        kind = source.path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        raise UserError("there is no such file", source.name, nearest_file(source.path)) from None
    except (OSError, ValueError) as error:  # a name too long, a circle of links, no permission
        said = getattr(error, "strerror", None) or error
        raise UserError(f"the file can't be opened: {said}", source.name, "") from error
    if stat.S_ISDIR(kind):
        problem = "this is a folder, and a source is a file"
        raise UserError(problem, source.name, "name each file under a [[source]] of its own")
    if not stat.S_ISREG(kind):  # it may never end, or be empty when it is read again
        problem = "this is a pipe or a device, and a source is a file"
        raise UserError(problem, source.name, "write it to a file, or send it to standard input")
    if not os.access(source.path, os.R_OK):
        raise UserError("the file may not be read", source.name, "let your user read it")


def _not_utf8(
    source: Source, error: UnicodeDecodeError, start: int, line: int, block: bytes
) -> UserError:
    """`start` is the offset of the decoder's input in the file, `line` that of the block."""
    position = start + error.start
    line += error.object[: error.start].count(b"\n")
    return UserError(
        f"the file is not UTF-8 text: byte {position} is {error.object[error.start]:#04x}",
        f"{source.name}:{line}",
        "convert it, for example with: iconv -f LATIN1 -t UTF-8",
    )


def nearest_file(path: Path) -> str:
    """Advice that names the most alike file in the same folder, or says that there is none."""
    if not path.parent.is_dir():
        return f"the folder {path.parent.name!r} doesn't exist either"
    names = sorted(entry.name for entry in path.parent.iterdir() if entry.is_file())
    close = difflib.get_close_matches(path.name, names, n=1, cutoff=0.5)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"its folder holds {len(names)} other files"


def open_source(source: Source, advance: Advance | None = None) -> "io.BufferedReader[Any]":
    """The file's bytes, decompressed by what they begin with. `advance` hears of bytes read from disk.

    Raises:
        UserError: while reading, when a compressed file grows out of proportion.
    """
    counted = io.BufferedReader(CountedFile(source.path, advance), BLOCK)
    first = counted.peek(max(map(len, DECOMPRESSORS)))
    decompress = next((of for magic, of in DECOMPRESSORS.items() if first.startswith(magic)), None)
    if decompress is None:
        return counted
    inner = decompress(counted)
    limit = max(BLOCK, MAX_INFLATION * source.path.stat().st_size)
    return io.BufferedReader(BoundedInflation(cast(IO[bytes], inner), limit, source.name), BLOCK)


class CountedFile(io.FileIO):
    """A file that tells how many bytes were just read from it."""

    def __init__(self, path: Path, advance: Advance | None) -> None:
        super().__init__(path, "r")
        self._advance = advance

    def readinto(self, buffer: object) -> int:  # type: ignore[override]
        count = super().readinto(buffer) or 0  # type: ignore[arg-type]
        if self._advance and count:
            self._advance(count)
        return count


class BoundedInflation(io.RawIOBase):
    """Decompressed bytes up to a limit: a few kilobytes must not fill the memory."""

    def __init__(self, inner: IO[bytes], limit: int, name: str) -> None:
        super().__init__()
        self._inner = inner
        self._left = limit
        self._name = name

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:  # type: ignore[override]
        view = memoryview(buffer)  # type: ignore[arg-type]
        try:
            data = self._inner.read(len(view))
        except (OSError, EOFError, pyarrow.ArrowException) as error:
            raise UserError(
                f"the file can't be decompressed: {error}", self._name, "fetch it again"
            ) from error
        self._left -= len(data)
        if self._left < 0:
            raise UserError(
                f"the file decompresses to more than {MAX_INFLATION} times its size",
                self._name,
                "decompress it yourself if you trust it",
            )
        view[: len(data)] = data
        return len(data)
