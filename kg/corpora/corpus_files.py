"""The files of a corpus: those that were named, and those in folders that were, in an order of their own.

A folder is walked by name, so the same tree gives the same documents in the same order on any machine.
What is held at once is the names of one folder.
"""

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...errors import UserError
from ..names import clean_name
from ..readers.sources import COMPRESSED, Source, check_file

STANDARD_INPUT = "-"
FORMATS: Mapping[str, str] = {  # extension, or what users may call it → format
    "jsonl": "jsonl",
    "ndjson": "jsonl",
    "txt": "txt",
    "text": "txt",
    "parquet": "parquet",
    "pubtator": "pubtator",
}


@dataclass(frozen=True, slots=True)
class CorpusFile:
    """One file of texts.

    Attributes:
        path: to open; None for standard input.
        name: as it was named, for people.
        document: the id of its document where it is one text: its path below the folder that was named.
        format: a value of FORMATS; empty for standard input until its beginning is seen.
        size: bytes.
        modified: nanoseconds, as the file system says.
    """

    path: Path | None
    name: str
    document: str
    format: str
    size: int
    modified: int


@dataclass(frozen=True, slots=True)
class PassedOver:
    """What a folder holds that isn't taken for texts, and why."""

    name: str
    reason: str


def corpus_files(paths: Sequence[str], read_as: str = "") -> Iterator[CorpusFile | PassedOver]:
    """The files to read, in order.

    Args:
        paths: files and folders; "-" is standard input.
        read_as: the format of all; empty tells it by name, compression set aside. In a folder, other
            files than those of a known name are passed over, and with it none but hidden ones.

    Raises:
        UserError: a path that was named isn't there, may not be read, or doesn't tell its format.
    """
    if read_as and read_as not in FORMATS:
        fix = "take one of " + ", ".join(sorted(set(FORMATS.values())))
        raise UserError(f"the format {read_as!r} isn't known", "--read-as", fix)
    if paths.count(STANDARD_INPUT) > 1:
        raise UserError("standard input can be read once", "infact link", "name - only once")
    for name in paths:
        path = Path(name)
        if name == STANDARD_INPUT:
            yield CorpusFile(None, "standard input", STANDARD_INPUT, FORMATS.get(read_as, ""), 0, 0)
        elif path.is_dir():
            yield from _in_folder(path, path, read_as)
        else:
            yield _named_file(path, read_as)


def changed_since(file: CorpusFile) -> bool:
    """Whether the file is another one than when it was listed, by size and time of modification."""
    if file.path is None:
        return False
    try:
        status = file.path.stat()
    except OSError:
        return True
    return (status.st_size, status.st_mtime_ns) != (file.size, file.modified)


def _named_file(path: Path, read_as: str) -> CorpusFile:
    check_file(Source(path, shown(path)))
    format = FORMATS.get(read_as) or _format_of(path.name)
    if not format:
        fix = "say it: --read-as " + " or ".join(sorted(set(FORMATS.values())))
        raise UserError("the name doesn't tell the format", shown(path), fix)
    return _file(path, path.parent, format)


def _in_folder(folder: Path, root: Path, read_as: str) -> Iterator[CorpusFile | PassedOver]:
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError as error:
        yield PassedOver(shown(folder), f"the folder can't be read: {error.strerror}")
        return
    for entry in entries:
        path = Path(entry.path)
        try:
            kind = entry.stat().st_mode
        except OSError as error:
            yield PassedOver(shown(path), f"the file can't be opened: {error.strerror}")
            continue
        format = FORMATS.get(read_as) or _format_of(entry.name)
        if entry.name.startswith("."):
            yield PassedOver(shown(path), "a hidden file")
        elif stat.S_ISDIR(kind) and entry.is_symlink():
            yield PassedOver(shown(path), "a link to a folder")
        elif stat.S_ISDIR(kind):
            yield from _in_folder(path, root, read_as)
        elif not stat.S_ISREG(kind):
            yield PassedOver(shown(path), "a pipe or a device")
        elif not format:
            suffix = path.suffix or "no suffix"
            yield PassedOver(shown(path), f"{suffix}, which is no format of texts")
        else:
            yield _file(path, root, format)


def _file(path: Path, root: Path, format: str) -> CorpusFile:
    status = path.stat()
    document = shown(path.relative_to(root))
    return CorpusFile(path, shown(path), document, format, status.st_size, status.st_mtime_ns)


def _format_of(name: str) -> str:
    suffixes = [suffix.lstrip(".").lower() for suffix in Path(name).suffixes]
    compressed = bool(suffixes) and suffixes[-1] in COMPRESSED
    if compressed:
        suffixes.pop()
    format = FORMATS.get(suffixes[-1], "") if suffixes else ""
    # Parquet is read from its end, and is compressed within.
    return "" if compressed and format == "parquet" else format


def shown(path: Path) -> str:
    """The path as text that can be written anywhere: a name needn't be UTF-8, nor one line."""
    return clean_name(os.fsencode(path).decode("utf-8", "replace"))
