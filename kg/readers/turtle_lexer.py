"""Turtle and TriG cut into statements, before they are parsed (RDF 1.1 Turtle and TriG, section 6.5 and 4.5).

A full stop ends a statement where a blank, a comment, a bracket or an IRI follows it outside of texts,
IRIs and comments; elsewhere it is part of a name or number. What is broken ends with its line.
"""

import re
from collections.abc import Iterator
from typing import IO, NamedTuple

from .bounded_lines import SHOWN
from .sources import BLOCK, MAX_TEXT
from .written import Written

MAX_STATEMENT = 2 * MAX_TEXT  # bytes
NEVER_CLOSED = "a text that three quotation marks open is never closed; nothing below it is read"
TOO_LONG = f"the statement is longer than {MAX_STATEMENT >> 20} MiB; nothing below it is read"

COMMENT = rb"#[^\n\r]*+"
OPAQUE = rb"|".join(
    (
        rb'"""(?:[^"\\]++|\\.|"(?!""))*+"""',
        rb"'''(?:[^'\\]++|\\.|'(?!''))*+'''",
        rb'""(?!")',
        rb"''(?!')",
        rb'"(?!"")(?:[^"\\\n\r]++|\\.)*+"',
        rb"'(?!'')(?:[^'\\\n\r]++|\\.)*+'",
        rb'<[^<>"\n\r]*+>',
        COMMENT,
    )
)
ENDS = rb"\s#<\[(@}"  # what no name goes on with
# Nothing here may match a beginning whose end isn't read yet as something else. In turn: a quotation
# mark that its line doesn't close, up to a full stop at the end of the line; an angle bracket that
# opens no IRI; an escape in a name; a full stop in a name.
OTHER = rb"|".join(
    (
        rb"""(?!\"\"\"|''')["'](?:[^\n\r.]++|\.(?![ \t]*[\n\r]))*+""",
        rb'<(?=[^<>"\n\r]*+[<"\n\r])',
        rb"\\.",
        rb"\.(?![" + ENDS + rb"])",
    )
)
LEAD = rb"(?:\s++|" + COMMENT + rb")*+"
TURTLE_TOKENS = rb"(?:[^<\"'#.\\]++|" + OPAQUE + rb"|" + OTHER + rb")*+"
# Braces with a bar annotate a triple (RDF 1.2).
TRIG_TOKENS = (
    rb"(?:[^<\"'#.\\{}]++|" + OPAQUE + rb"|" + OTHER + rb"|\{(?=\|)|(?<=\|)\})*+"
)  # fmt: skip
DOT = rb"\.(?=[" + ENDS + rb"])"

BEFORE = re.compile(LEAD)
BLANKS = re.compile(rb"\s*+")
TURTLE = re.compile(LEAD + rb"(" + TURTLE_TOKENS + DOT + rb")", re.DOTALL)
TRIG = re.compile(LEAD + rb"(" + TRIG_TOKENS + rb"(?:" + DOT + rb"|\{(?=[^|])|\}))", re.DOTALL)
ALL_TOKENS = re.compile(TURTLE_TOKENS, re.DOTALL)
TEXTS = re.compile(OPAQUE, re.DOTALL)


def statements_written(file: IO[bytes], pattern: re.Pattern[bytes]) -> Iterator[Written]:
    """The statements of a file, in order; what can't be one is the last, with `broken` saying why.

    Args:
        file: Turtle or TriG in UTF-8.
        pattern: TURTLE or TRIG. A statement of TRIG may also end before or behind a graph: with the
            brace that opens or closes it.
    """
    rest, place = b"", Place(1, 1)
    while True:
        # Doubled, so that no text is read over and over.
        block = file.read(min(max(BLOCK, len(rest)), MAX_STATEMENT + 1 - len(rest)))
        data = rest + (block or b"\n")
        position = at = 0
        while found := pattern.match(data, position):
            start, position = found.span(1)
            place, at = place.further(data, at, start), start
            yield Written(data[start:position], place.line, place.column)
        position = _blanks_end(data, position)
        rest, place = data[position:], place.further(data, at, position)
        if len(rest) > MAX_STATEMENT or not block:
            yield from _left(rest, place, "" if not block else TOO_LONG)
            return


def comments_end(text: bytes, start: int) -> int:
    """Where the blanks and comments end that begin at `start`."""
    found = BEFORE.match(text, start)
    return found.end() if found else start


def _blanks_end(text: bytes, start: int) -> int:
    found = BLANKS.match(text, start)
    return found.end() if found else start


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


def _left(rest: bytes, place: Place, problem: str) -> Iterator[Written]:
    """What stands behind the last statement that ends, if it is more than comments."""
    start = comments_end(rest, 0)
    if start == len(rest) and not problem:
        return
    tokens = ALL_TOKENS.match(rest, start)
    end = tokens.end() if tokens else start
    place = place.further(rest, 0, start)
    if rest.startswith((b'"""', b"'''"), end):
        yield Written(
            rest[start : start + SHOWN], *place.further(rest, start, end), broken=NEVER_CLOSED
        )
    elif problem:
        yield Written(rest[start : start + SHOWN], *place, broken=problem)
    else:
        yield Written(rest[start:].rstrip(), *place)
