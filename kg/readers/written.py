"""A statement as it is written in its file, before it is parsed."""

from typing import NamedTuple


class Written(NamedTuple):
    """One statement as it is written: several triples as a rule.

    Attributes:
        text: from its first term to its end.
        line, column: where it begins in its file, from 1.
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
