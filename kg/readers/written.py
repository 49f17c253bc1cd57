"""Statements as they are written in their file, before they are parsed: where each begins and ends."""

import re
from collections.abc import Callable, Generator
from typing import IO, NamedTuple

from .sources import BLOCK, MAX_TEXT

MAX_STATEMENT = 2 * MAX_TEXT  # bytes
TOO_LONG = f"the statement is longer than {MAX_STATEMENT >> 20} MiB; nothing below it is read"
BLANKS = re.compile(rb"\s*+")


class Written(NamedTuple):
    """One statement as it is written: several triples as a rule.

    Attributes:
        text: from its first term to its end.
        line, column: where it begins in its file, from 1; the column in bytes.
        opening, closing: what has to stand around it, as a graph's name and braces.
        broken: why it can't be parsed; empty as a rule.
    """

    text: bytes
    line: int
    column: int
    opening: bytes = b""
    closing: bytes = b""
    broken: str = ""

    @property
    def whole(self) -> bytes:
        return self.opening + self.text + self.closing


class Place(NamedTuple):
    """Line and column, from 1; the column in bytes."""

    line: int
    column: int

    def further(self, data: bytes, here: int, there: int) -> "Place":
        """The place of a later offset of the data, if this is the place of `here`."""
        breaks = data.count(b"\n", here, there)
        if not breaks:
            return Place(self.line, self.column + there - here)
        return Place(self.line + breaks, there - data.rfind(b"\n", here, there))


FILE_START = Place(1, 1)


def statements_written(
    file: IO[bytes],
    find: Callable[[bytes, int], tuple[int, int] | None],
    place: Place = FILE_START,
) -> Generator[Written, None, tuple[bytes, Place, str]]:
    """The statements of a file, in order.

    Args:
        file: read to its end.
        find: where the next statement begins and ends in some data, from an offset on; None where
            its end isn't there yet.
        place: where the file's first byte stands.

    Returns:
        What no statement was found in, where it begins, and why if it isn't all: it is too long.
    """
    rest = b""
    while True:
        # Doubled, so that no text is read over and over.
        block = file.read(min(max(BLOCK, len(rest)), MAX_STATEMENT + 1 - len(rest)))
        data = rest + (block or b"\n")
        position = at = 0
        while span := find(data, position):
            start, position = span
            place, at = place.further(data, at, start), start
            yield Written(data[start:position], place.line, place.column)
        if blanks := BLANKS.match(data, position):
            position = blanks.end()
        rest, place = data[position:], place.further(data, at, position)
        if len(rest) > MAX_STATEMENT or not block:
            return rest, place, TOO_LONG if block else ""
