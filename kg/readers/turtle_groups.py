"""Turtle and TriG in groups of statements, each with the prefixes and the graph that it needs."""

import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import IO, NamedTuple

from pyoxigraph import RdfFormat, parse

from .statement_groups import MARK_IRI, TOGETHER, Grammar, Group
from .turtle_lexer import TRIG, TURTLE, comments_end, turtle_statements
from .written import Place, Written

TERM_ERRORS = ("has not been declared", "IRI")  # they shift no quotation mark
FEW = 20  # prefixes that are declared to every text, used there or not
NAME = re.compile(rb"([\w.\-\x80-\xff]*):")
DIRECTIVE = re.compile(
    rb"(?:@prefix|(?i:prefix))\s+[^\s:<]*:\s*<[^<>\"\n\r]*>\s*\.?"
    rb"|(?:@base|(?i:base))\s*<[^<>\"\n\r]*>\s*\.?"
    rb"|(?:@version|(?i:version))\s+(?:\"[^\"\n\r]*\"|'[^'\n\r]*')\s*\.?"
)
ANONYMOUS = re.compile(rb"((?i:graph)?\s*)\[\s*\]\s*\{")


def uncertain_lines(faulty: Written, reason: str) -> float:
    """The last line where a statement may stand in a text, if the faulty one lost a quotation mark."""
    text = faulty.text
    if any(words in reason for words in TERM_ERRORS):
        return 0
    if b'"""' in text or b"'''" in text:
        return float("inf")
    return faulty.line + text.count(b"\n") if b'"' in text or b"'" in text else 0


MARK = f"<{MARK_IRI}> <{MARK_IRI}m> <{MARK_IRI}> .\n".encode()
TURTLE_GRAMMAR = Grammar(RdfFormat.TURTLE, MARK, uncertain_lines)
TRIG_GRAMMAR = Grammar(RdfFormat.TRIG, MARK, uncertain_lines)


class Directive(NamedTuple):
    """A statement that declares a prefix, a base or a version."""

    written: Written


class Declared:
    """The base IRI and prefix → IRI, all absolute, that hold at some place of a file."""

    def __init__(self) -> None:
        self._base = ""
        self._prefixes: dict[str, str] = {}

    def before(self, text: bytes) -> bytes:
        """What must stand before a text, on one line: of many prefixes only those that it names."""
        named = self._prefixes
        if len(named) > FEW:
            used = {name.decode("utf-8", "replace") for name in NAME.findall(text)}
            named = {name: named[name] for name in used if name in named}
        base = f"@base <{self._base}> . " if self._base else ""
        words = (f"@prefix {name}: <{iri}> . " for name, iri in named.items())
        return f"{base}{''.join(words)}\n".encode()

    def read(self, directive: bytes) -> tuple[str, dict[str, str]]:
        """The base and the prefix that it declares. Raises SyntaxError."""
        parser = parse(directive, RdfFormat.TURTLE, base_iri=self._base or None)
        for _ in parser:  # nothing: it is read for what it declares
            pass
        return parser.base_iri or self._base, parser.prefixes

    def says(self, base: str, prefixes: Mapping[str, str]) -> bool:
        """Whether this holds already."""
        known = all(self._prefixes.get(name) == iri for name, iri in prefixes.items())
        return base == self._base and known

    def declare(self, base: str, prefixes: Mapping[str, str]) -> None:
        """What holds from here on."""
        self._base = base
        self._prefixes.update(prefixes)


def turtle_groups(file: IO[bytes]) -> Iterator[Group]:
    """The statements of a Turtle file; a group must be read before the next is asked for."""
    return _groups(_apart(turtle_statements(file, TURTLE)))


def trig_groups(file: IO[bytes]) -> Iterator[Group]:
    """The statements of a TriG file; a group must be read before the next is asked for."""
    return _groups(_in_graphs(_apart(turtle_statements(file, TRIG))))


def _groups(items: Iterable[Written | Directive]) -> Iterator[Group]:
    declared = Declared()
    waiting: list[Written] = []
    size = 0
    for item in items:
        found = None
        if isinstance(item, Directive):
            item = item.written
            with suppress(SyntaxError):
                found = declared.read(item.text)
            if found and declared.says(*found):
                continue
        if waiting and (found or size + len(item.text) > TOGETHER):
            yield Group(declared.before, waiting)
            waiting, size = [], 0
        if found:
            declared.declare(*found)
        else:  # a faulty directive too: it is rejected with the parser's reason
            waiting.append(item)
            size += len(item.text)
    if waiting:
        yield Group(declared.before, waiting)


def _apart(statements: Iterable[Written]) -> Iterator[Written | Directive]:
    """Directives, which need no full stop, apart from the statements behind them."""
    for written in statements:
        while found := DIRECTIVE.match(written.text):
            yield Directive(written._replace(text=found[0]))
            written = _without(written, found.end())
        if written.text:
            yield written


def _without(written: Written, end: int) -> Written:
    """The statement without its first octets, and the blanks and comments behind them."""
    text = written.text
    start = comments_end(text, end)
    line, column = Place(written.line, written.column).further(text, 0, start)
    return written._replace(text=text[start:], line=line, column=column)


def _in_graphs(items: Iterable[Written | Directive]) -> Iterator[Written | Directive]:
    """The statements within braces, each with its graph around it."""
    opened: Written | None = None
    opening = b""
    for item in items:
        if isinstance(item, Directive) or item.broken:
            yield item
            continue
        text, end = item.text, item.text[-1:]
        inside = item._replace(opening=opening, closing=b"\n}") if opened else item
        if end == b"{" and not opened:
            opened, opening = item, _opening(text)
        elif end == b"{":
            yield item._replace(broken="a graph is opened within a graph")
        elif end == b"}" and opened:
            # Where no text is left too: the graph's name may be bad.
            yield inside._replace(text=text[:-1].rstrip())
            opened = None
        elif end == b"}":
            yield item._replace(broken="a graph is closed that wasn't opened")
        else:
            yield inside
    if opened:
        yield opened._replace(broken="the graph that is opened here is never closed")


def _opening(text: bytes) -> bytes:
    """A graph's name and brace; one without a name gets one, for it is parsed in several parts."""
    if found := ANONYMOUS.fullmatch(text):
        return found[1] + f"_:x{secrets.token_hex(8)} {{ ".encode()
    return text + b" "
