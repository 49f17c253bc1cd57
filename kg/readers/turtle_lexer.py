"""Turtle and TriG cut into statements, before they are parsed (RDF 1.1 Turtle and TriG, section 6.5 and 4.5).

A full stop ends a statement where a blank, a comment, a bracket or an IRI follows it outside of texts,
IRIs and comments; elsewhere it is part of a name or number. What is broken ends with its line.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from .bounded_lines import SHOWN
from .sources import BLOCK, MAX_TEXT
from .written import NOTHING_BELOW, TOO_LONG, Rest, Written, end_of, statements_written

NEVER_CLOSED = "a text that three quotation marks open is never closed" + NOTHING_BELOW

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
DOT = rb"\.(?=[" + ENDS + rb"])"
# Some hundred are read as fast as one, and one by one where one is bad.
DECLARES = (
    rb"(?:(?:@prefix|(?i:prefix))\s++[^\s:<]*+:\s*+<[^<>\"\n\r]*+>"
    rb"|(?:@base|(?i:base))\s*+<[^<>\"\n\r]*+>"
    rb"|(?:@version|(?i:version))\s++(?:\"[^\"\n\r]*+\"|'[^'\n\r]*+'))\s*+"
)
DIRECTIVE_LINES = DECLARES + DOT + rb"(?:" + LEAD + DECLARES + DOT + rb"){0,255}+"

BEFORE = re.compile(LEAD)
BETWEEN = re.compile(rb"(?:\s++|" + COMMENT + rb"[\n\r])*+")
DIRECTIVE = re.compile(DECLARES + rb"\.?")
DIRECTIVES = re.compile(DECLARES + rb"\.?(?:" + LEAD + DECLARES + rb"\.?){0,255}+")


@dataclass(frozen=True)
class Lexer:
    """How the statements of a format end.

    Attributes:
        statement: blanks and comments, then a statement as a group.
        tokens: all up to a full stop, the group `end` if there is one; the group `last` is the last
            token but for names, and may go on behind the data if it ends there.
    """

    statement: re.Pattern[bytes]
    tokens: re.Pattern[bytes]


def _lexer(names: bytes, other: bytes, end: bytes) -> Lexer:
    statement = rb"%b(%b|(?:%b|%b)*+(?:%b))" % (LEAD, DIRECTIVE_LINES, names, other, end)
    tokens = rb"(?:%b|(?P<last>%b))*+(?P<end>%b)?" % (names, other, DOT)
    return Lexer(re.compile(statement, re.DOTALL), re.compile(tokens, re.DOTALL))


TURTLE = _lexer(rb"[^<\"'#.\\]++", OPAQUE + rb"|" + OTHER, DOT)
# A brace opens or closes a graph; with a bar it annotates a triple (RDF 1.2).
TRIG = _lexer(
    rb"[^<\"'#.\\{}]++",
    OPAQUE + rb"|" + OTHER + rb"|\{(?=\|)|(?<=\|)\}",
    DOT + rb"|\{(?=[^|])|\}",
)
OPEN_TEXT = (b'"""', b"'''")
# What no bracket counts in; an escaped quotation mark opens no text.
TEXTS = re.compile(OPAQUE + rb"|\\.", re.DOTALL)


def turtle_statements(file: IO[bytes], lexer: Lexer) -> Iterator[Written]:
    """The statements of a file, in order; what can't be one is the last, with `broken` saying why.

    Args:
        file: Turtle or TriG in UTF-8.
        lexer: TURTLE or TRIG. A statement of TRIG may also end before or behind a graph: with the
            brace that opens or closes it.
    """

    def find(data: bytes, position: int) -> tuple[int, int] | None:
        found = lexer.statement.match(data, position)
        return found.span(1) if found else None

    rest = Rest()
    while (rest := (yield from statements_written(file, find, BETWEEN, rest))).too_long:
        begun = rest.behind(end_of(BEFORE, rest.text, 0))
        rest, problem = _skipped(begun, file, lexer)
        if problem == NEVER_CLOSED:
            begun = rest
        # So much of it that directives without a full stop before it hold.
        yield Written(begun.text[:BLOCK], *begun.place, broken=problem or TOO_LONG)
        if problem:
            return
    rest = rest.behind(end_of(BEFORE, rest.text, 0))
    if not rest.text:
        return
    tokens = TURTLE.tokens.match(rest.text)
    end = tokens.end() if tokens else 0
    if rest.text.startswith(OPEN_TEXT, end):
        begun = rest.behind(end)
        yield Written(begun.text[:SHOWN], *begun.place, broken=NEVER_CLOSED)
    else:
        yield Written(rest.text.rstrip(), *rest.place)


def _skipped(rest: Rest, file: IO[bytes], lexer: Lexer) -> tuple[Rest, str]:
    """What stands behind a statement that is too long, which isn't kept.

    Nothing below is certain where it holds texts over lines: one may have lost its quotation marks.

    Args:
        rest: its first MAX_STATEMENT bytes.
        file: read from there on.
        lexer: TURTLE or TRIG.

    Returns:
        And why nothing below is read: empty as a rule. Then it is the token that can't be passed.
    """
    while tokens := lexer.tokens.match(rest.text):
        passed = tokens.end()
        if passed == tokens.end("last") == len(rest.text):
            passed = tokens.start("last")
        over_lines = any(mark in rest.text[:passed] for mark in OPEN_TEXT)
        rest = rest.behind(passed)
        if tokens["end"] and not over_lines:
            return rest, ""
        too_long = len(rest.text) > MAX_TEXT
        if too_long and rest.text.startswith(OPEN_TEXT):
            return rest, NEVER_CLOSED
        more = b"" if too_long or over_lines else file.read(max(BLOCK, len(rest.text)))
        if not more:
            break
        rest = Rest(rest.text + more, rest.place)
    return rest, TOO_LONG + NOTHING_BELOW
