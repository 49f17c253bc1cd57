"""Turtle and TriG cut into statements, before they are parsed (RDF 1.1 Turtle and TriG, section 6.5 and 4.5).

A full stop ends a statement where a blank, a comment, a bracket or an IRI follows it outside of texts,
IRIs and comments; elsewhere it is part of a name or number. What is broken ends with its line.
"""

import re
from collections.abc import Iterator
from typing import IO

from .bounded_lines import SHOWN
from .written import Written, statements_written

NEVER_CLOSED = "a text that three quotation marks open is never closed; nothing below it is read"

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
# Some hundred are read as fast as one, and one by one where one is bad.
DECLARES = (
    rb"(?:(?:@prefix|(?i:prefix))\s++[^\s:<]*+:\s*+<[^<>\"\n\r]*+>"
    rb"|(?:@base|(?i:base))\s*+<[^<>\"\n\r]*+>"
    rb"|(?:@version|(?i:version))\s++(?:\"[^\"\n\r]*+\"|'[^'\n\r]*+'))\s*+"
)
DIRECTIVE_LINES = DECLARES + DOT + rb"(?:" + LEAD + DECLARES + DOT + rb"){0,255}+"

BEFORE = re.compile(LEAD)
DIRECTIVE = re.compile(DECLARES + rb"\.?")
DIRECTIVES = re.compile(DECLARES + rb"\.?(?:" + LEAD + DECLARES + rb"\.?){0,255}+")
TURTLE = re.compile(LEAD + rb"(" + DIRECTIVE_LINES + rb"|" + TURTLE_TOKENS + DOT + rb")", re.DOTALL)
TRIG = re.compile(
    LEAD + rb"(" + DIRECTIVE_LINES + rb"|" + TRIG_TOKENS + rb"(?:" + DOT + rb"|\{(?=[^|])|\}))",
    re.DOTALL,
)
ALL_TOKENS = re.compile(TURTLE_TOKENS, re.DOTALL)
# What no bracket counts in; an escaped quotation mark opens no text.
TEXTS = re.compile(OPAQUE + rb"|\\.", re.DOTALL)


def turtle_statements(file: IO[bytes], pattern: re.Pattern[bytes]) -> Iterator[Written]:
    """The statements of a file, in order; what can't be one is the last, with `broken` saying why.

    Args:
        file: Turtle or TriG in UTF-8.
        pattern: TURTLE or TRIG. A statement of TRIG may also end before or behind a graph: with the
            brace that opens or closes it.
    """

    def find(data: bytes, position: int) -> tuple[int, int] | None:
        found = pattern.match(data, position)
        return found.span(1) if found else None

    rest, place, problem = yield from statements_written(file, find)
    start = comments_end(rest, 0)
    if start == len(rest) and not problem:
        return
    tokens = ALL_TOKENS.match(rest, start)
    end = tokens.end() if tokens else start
    if rest.startswith((b'"""', b"'''"), end):
        start, problem = end, NEVER_CLOSED
    text = rest[start : start + SHOWN] if problem else rest[start:].rstrip()
    yield Written(text, *place.further(rest, 0, start), broken=problem)


def comments_end(text: bytes, start: int) -> int:
    """Where the blanks and comments end that begin at `start`."""
    found = BEFORE.match(text, start)
    return found.end() if found else start
