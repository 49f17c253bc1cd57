"""Documents from JSON lines (jsonlines.org): an object each, of any length up to MAX_DOCUMENT bytes."""

from collections.abc import Iterator
from typing import IO

from ..readers.bounded_lines import bounded_lines
from ..readers.json_lines import BYTE_ORDER_MARK, LineError, parse_json
from .documents import (
    MAX_DOCUMENT,
    Document,
    DocumentError,
    Fields,
    RejectedDocument,
    as_text,
    checked_name,
    checked_text,
)

KEYS_SHOWN = 8
DEFAULT_NAME = "id"


def json_documents(
    file: IO[bytes], name: str, fields: Fields
) -> Iterator[Document | RejectedDocument]:
    """One document a line; blank lines are none. `name` is the file's, for places."""
    for number, line in bounded_lines(file, MAX_DOCUMENT):
        if not line or line.isspace():
            continue
        place = f"{name}:{number}"
        try:
            text = as_text(line)
            del line  # a long one needn't be there three times
            value = parse_json(text.removeprefix(BYTE_ORDER_MARK) if number == 1 else text)
            yield _document(value, place, fields)
        except (DocumentError, LineError) as fault:
            yield RejectedDocument(place, str(fault))


def _document(value: object, place: str, fields: Fields) -> Document:
    if not isinstance(value, dict):
        raise DocumentError("it is no object")
    for field in filter(None, (fields.text, fields.name)):
        if field not in value:
            keys = ", ".join(list(value)[:KEYS_SHOWN]) or "nothing"
            raise DocumentError(f"there is no {field!r}; it has {keys}"[:300])
    field = fields.name or DEFAULT_NAME
    given = value.get(field)
    # Without an id of its own, a document is known by where it stands.
    name = place if given is None and not fields.name else checked_name(field, given)
    return Document(name, checked_text(fields.text, value[fields.text]), place)
