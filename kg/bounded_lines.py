"""Lines of files from strangers: one long line must not fill the memory."""

from collections.abc import Iterator
from typing import IO

BLOCK = 1 << 20  # bytes of the rest of an overlong line that are held at once


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
