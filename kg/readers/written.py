"""Statements as they are written in their file, before they are parsed: where each begins and ends."""

import re
from collections.abc import Callable, Generator
from typing import IO, NamedTuple

from .sources import BLOCK, MAX_TEXT

MAX_STATEMENT = 2 * MAX_TEXT  # bytes
GROWTH = 8  # times, of what is read for a statement that isn't ended yet
TOO_LONG = f"the statement is longer than {MAX_STATEMENT >> 20} MiB"
NOTHING_BELOW = "; nothing below it is read"


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


class Rest(NamedTuple):
    """What no statement was found in, where it begins, and whether there may be more of it."""

    text: bytes = b""
    place: Place = Place(1, 1)
    too_long: bool = False

    def behind(self, offset: int) -> "Rest":
        """Without the bytes before it."""
        return Rest(self.text[offset:], self.place.further(self.text, 0, offset))


def statements_written(
    file: IO[bytes],
    find: Callable[[bytes, int], tuple[int, int] | None],
    between: re.Pattern[bytes],
    rest: Rest,
) -> Generator[Written, None, Rest]:
    """The statements of a file, in order.

    Args:
        file: read to its end, or to that of MAX_STATEMENT bytes without one.
        find: where the next statement begins and ends in some data, from an offset on; None where
            its end isn't there yet.
        between: blanks, and comments that are ended.
        rest: what was read of the file already, and the place of the next byte.

    Returns:
        What is left: nothing as a rule.
    """
    text, place, _ = rest
    while True:
        # Some times as much, so that no text is read over and over.
        room = MAX_STATEMENT + 1 - len(text)
        block = file.read(min(max(BLOCK, (GROWTH - 1) * len(text)), room))
        data = text + (block or b"\n")
        position, at = end_of(between, data, 0), 0
        while span := find(data, position):
            start, position = span
            place, at = place.further(data, at, start), start
            yield Written(data[start:position], place.line, place.column)
        position = end_of(between, data, position)
        text, place = data[position:], place.further(data, at, position)
        if len(text) > MAX_STATEMENT or not block:
            return Rest(text, place, bool(block))


def end_of(pattern: re.Pattern[bytes], data: bytes, position: int) -> int:
    """Where what can be nothing ends."""
    found = pattern.match(data, position)
    return found.end() if found else position
