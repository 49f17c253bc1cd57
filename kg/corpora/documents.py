"""A document of a corpus, why one can't be read, and bytes as text.

Nothing is normalised: the text of a document is what its bytes say in UTF-8, byte-order mark and line
ends included, so that offsets are those of the original.
"""

from dataclasses import dataclass

MAX_DOCUMENT = 1 << 29  # bytes: a document is held in memory some times over
ZERO = b"\0"


@dataclass(frozen=True, slots=True)
class Document:
    """One text.

    Attributes:
        name: its id; not sure to be unique, which only the whole corpus could tell.
        text: never normalised; may be empty.
        place: where it was read: the file, and the line or row from 1 where it holds several.
    """

    name: str
    text: str
    place: str


@dataclass(frozen=True, slots=True)
class RejectedDocument:
    """A document, or the rest of a file, that wasn't linked, where it stands, and why."""

    place: str
    reason: str


@dataclass(frozen=True)
class Fields:
    """Which fields of a JSON line, or columns of a Parquet file, hold what.

    Attributes:
        text: of the text.
        name: of the id; empty takes "id" where there is one, and the place where there is none.
    """

    text: str = "text"
    name: str = ""


class DocumentError(ValueError):
    """Why a document can't be read, in words."""


def as_text(data: bytes | bytearray) -> str:
    """The bytes as UTF-8 text, every character kept.

    Raises:
        DocumentError: they are binary (a zero byte), not UTF-8, or too many.
    """
    if len(data) > MAX_DOCUMENT:
        raise DocumentError(f"it is longer than {MAX_DOCUMENT:,} bytes")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        found = data[error.start]
        raise DocumentError(f"it is not UTF-8: byte {error.start} is {found:#04x}") from None
    if (place := data.find(ZERO)) >= 0:
        raise DocumentError(f"it is binary: byte {place} is zero")
    return text


def checked_text(field: str, value: object) -> str:
    """The text in a field.

    Raises:
        DocumentError: it is no text.
    """
    if isinstance(value, bytes):  # a Parquet column that isn't marked as text
        return as_text(value)
    if not isinstance(value, str):
        raise DocumentError(f"{field!r} is no text but {_kind(value)}")
    return value


def checked_name(field: str, value: object) -> str:
    """The id in a field: a text or a whole number.

    Raises:
        DocumentError: it is neither.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return checked_text(field, value)


def _kind(value: object) -> str:
    if value is None:
        return "null"
    kinds = {bool: "true or false", int: "a number", float: "a number", list: "a list"}
    return kinds.get(type(value), "an object")
