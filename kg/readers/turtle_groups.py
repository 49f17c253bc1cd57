"""Turtle and TriG in groups of statements, each with the prefixes and the graph that it needs."""

import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from typing import IO, NamedTuple

from pyoxigraph import RdfFormat, parse

from .nesting import too_deep
from .statement_groups import MARK_IRI, Grammar, Group, gathered
from .turtle_lexer import BEFORE, DIRECTIVE, DIRECTIVES, TRIG, TURTLE, turtle_statements
from .written import Place, Written, end_of

TERM_ERRORS = ("has not been declared", "IRI")  # they shift no quotation mark
FEW = 20  # prefixes that are declared to every text, used there or not
NAME = re.compile(rb"([\w.\-\x80-\xff]*):")
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


class Directives(NamedTuple):
    """What declares prefixes, bases or versions, one behind the other."""

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
            used = {name.decode("utf-8", "replace") for name in set(NAME.findall(text))}
            named = {name: named[name] for name in used if name in named}
        base = f"@base <{self._base}> . " if self._base else ""
        words = (f"@prefix {name}: <{iri}> . " for name, iri in named.items())
        return f"{base}{''.join(words)}\n".encode()

    def read(self, directives: bytes) -> tuple[str, dict[str, str]]:
        """The base and the prefixes that they declare. Raises SyntaxError."""
        parser = parse(directives, RdfFormat.TURTLE, base_iri=self._base or None)
        for _ in parser:  # nothing: they are read for what they declare
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


def _groups(items: Iterable[Written | Directives]) -> Iterator[Group]:
    declared = Declared()
    for statements in gathered(_declaring(items, declared)):
        yield Group(declared.before, statements)


def _declaring(
    items: Iterable[Written | Directives], declared: Declared
) -> Iterator[Written | None]:
    """The statements, and None before other prefixes or another base hold."""
    for item in items:
        if isinstance(item, Directives):
            yield from _read(item.written, declared)
        else:
            yield item


def _read(directives: Written, declared: Declared) -> Iterator[Written | None]:
    """Those that are faulty, as statements, which the parser rejects with its reason."""
    try:
        found = declared.read(directives.text)
    except SyntaxError:
        each, _ = _cut(directives, DIRECTIVE)
        if len(each) == 1:
            yield directives
        else:
            for one in each:
                yield from _read(one, declared)
        return
    if not declared.says(*found):
        yield None
        declared.declare(*found)


def _apart(statements: Iterable[Written]) -> Iterator[Written | Directives]:
    """Directives, which need no full stop, apart from the statements behind them."""
    for written in statements:
        rest = written
        if DIRECTIVE.match(written.text):
            directives, rest = _cut(written, DIRECTIVES)
            yield from map(Directives, directives)
        if problem := too_deep(rest.text):
            rest = rest._replace(broken=problem)
        if rest.text or rest.broken:
            yield rest


def _cut(written: Written, pattern: re.Pattern[bytes]) -> tuple[list[Written], Written]:
    """What matches at the beginning, blanks and comments aside, and the rest."""
    text, place, start = written.text, Place(written.line, written.column), 0
    pieces = []
    while found := pattern.match(text, start):
        pieces.append(Written(found[0], *place))
        end = end_of(BEFORE, text, found.end())
        place, start = place.further(text, start, end), end
    return pieces, written._replace(text=text[start:], line=place.line, column=place.column)


def _in_graphs(items: Iterable[Written | Directives]) -> Iterator[Written | Directives]:
    """The statements within braces, each with its graph around it."""
    opened: Written | None = None
    opening = b""
    for item in items:
        if isinstance(item, Directives) or item.broken:
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
