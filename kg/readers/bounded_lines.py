"""Lines no longer than a limit: a text without a line end must not fill the memory."""

from collections.abc import Iterator
from typing import IO, TextIO

from .sources import MAX_TEXT

SHOWN = 200  # characters of a line that is left out
TOO_LONG = f"the line is longer than {MAX_TEXT >> 20} MiB"
BLOCK = 1 << 20  # bytes held at once, of an overlong line too


class OverlongLineError(Exception):
    """A line over the limit was passed by: its number, from 1, and how it begins."""

    def __init__(self, number: int, beginning: str) -> None:
        super().__init__(TOO_LONG)
        self.number = number
        self.beginning = beginning


class BoundedLines:
    """The lines of a text, with their ends; `number` is that of the last one, from 1.

    It goes on after an OverlongLineError: the next line is the one after it.
    """

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        """Raises OverlongLineError where the next line is over the limit."""
        line = self._text.readline(MAX_TEXT + 1)
        if not line:
            raise StopIteration
        self.number += 1
        if len(line) <= MAX_TEXT:
            return line
        while line and not line.endswith(("\n", "\r")):
            beginning, line = line[:SHOWN], self._text.readline(MAX_TEXT)
        raise OverlongLineError(self.number, beginning)


def bounded_lines(file: IO[bytes], limit: int) -> Iterator[tuple[int, bytes]]:
    """The lines with their numbers from 1, their `\\n` taken off.

    Of a line longer than `limit` bytes, its first `limit` + 1 bytes: longer than any whole line.
    """
    number = 0
    while line := file.readline(limit + 1):
        number += 1
        rest = line
        while len(line) > limit and rest and not rest.endswith(b"\n"):
            rest = file.readline(BLOCK)
        yield number, line.removesuffix(b"\n")


def whole_lines(file: IO[bytes]) -> Iterator[bytes | OverlongLineError]:
    """The file in blocks of whole lines; every line gets "\\n" as its end, the last one too.

    A line over the limit comes as an OverlongLineError in its place, numbered 0.
    """
    rest: list[bytes] = []  # the beginning of a line
    held = 0
    while block := _with_plain_ends(file):
        first, end, others = block.partition(b"\n")
        if not end:
            if held <= MAX_TEXT:
                rest.append(block)
            held += len(block)
            continue
        if held + len(first) > MAX_TEXT:
            yield OverlongLineError(0, _shown(rest))
            block = others
        elif rest:
            block = b"".join([*rest, block])
        cut = block.rfind(b"\n") + 1
        if cut:
            yield block[:cut]
        rest, held = [block[cut:]], len(block) - cut
    if held > MAX_TEXT:
        yield OverlongLineError(0, _shown(rest))
    elif held:
        yield b"".join(rest) + b"\n"


def _with_plain_ends(file: IO[bytes]) -> bytes:
    """The next block, its lines ended by "\\n" alone: CR and CR LF end lines too."""
    block = file.read(BLOCK)
    if block.endswith(b"\r"):
        block += file.read(1)
    if b"\r" in block:
        block = block.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return block


def _shown(parts: list[bytes]) -> str:
    return b"".join(part[: 4 * SHOWN] for part in parts[:2]).decode("utf-8", "ignore")[:SHOWN]
