"""Statements of Turtle, TriG and RDF/XML in groups that are parsed together, and halved where one is bad.

A parser alone stops at the first error and doesn't say on which line a statement stood. So the text is
cut into statements first, and a mark that no file can hold is parsed behind each.
"""

import itertools
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from pyoxigraph import RdfFormat, parse, serialize

from ..statements import Rejected
from .blocks import Block, block_of
from .bounded_lines import SHOWN
from .line_blocks import line_block
from .parsed_quads import TOO_LONG_TERM, QuadConverter, blocks_of_quads, other_quads, reason
from .triple_terms import may_nest_deep
from .written import Written

TOGETHER = 1 << 20  # bytes of statements that are parsed at once
LARGE = 1 << 22  # bytes of a statement whose triples aren't held all at once
MARK_IRI = f"x-infact-{secrets.token_hex(8)}:"
MARK_LINE = f"<{MARK_IRI}> <{MARK_IRI}m> <{MARK_IRI}> .\n".encode()  # in N-Quads
UNCERTAIN = "near an error above, which may have shifted quotation marks"
UNNUMBERED = "the statement isn't ended where it seems to be"


@dataclass(frozen=True)
class Grammar:
    """How a format is parsed in parts.

    Attributes:
        mark: the statement of MARK_LINE.
        uncertain: a faulty statement and the reason → the last line of which nothing is certain.
    """

    rdf_format: RdfFormat
    mark: bytes
    uncertain: Callable[[Written, str], float]


@dataclass(frozen=True)
class Group:
    """Statements that are parsed together.

    Attributes:
        before: what must stand before a text that is parsed alone, with the end of its last line.
        statements: in the order of their file.
        after: what must stand behind.
    """

    before: Callable[[bytes], bytes]
    statements: Sequence[Written]
    after: bytes = b""

    def part(self, start: int, end: int) -> "Group":
        """Some of its statements."""
        return Group(self.before, self.statements[start:end], self.after)


class GroupReader:
    """Groups to blocks; one that can't be parsed is halved until the faulty statement is found.

    What seems to be a statement behind a faulty one, and may be none, is rejected too.
    """

    def __init__(self, grammar: Grammar, convert: QuadConverter) -> None:
        self._grammar = grammar
        self._convert = convert
        self._uncertain: float = 0  # the last line of which nothing is certain

    def blocks(self, group: Group) -> Iterator[Block]:
        """The statements of a group in their order, and what is rejected."""
        statements = self._certain(group.statements)
        if len(statements) < len(group.statements):
            left = group.statements[: len(group.statements) - len(statements)]
            yield block_of([_rejected(each, UNCERTAIN) for each in left])
        if not statements:
            return
        if len(statements) == 1:
            yield from self._single(group, statements[0])
            return
        try:
            yield self._together(group, statements)
        except SyntaxError:
            middle = len(statements) // 2
            certain = Group(group.before, statements, group.after)
            yield from self.blocks(certain.part(0, middle))
            yield from self.blocks(certain.part(middle, len(statements)))

    def _certain(self, statements: Sequence[Written]) -> Sequence[Written]:
        return list(itertools.dropwhile(lambda each: each.line <= self._uncertain, statements))

    def _together(self, group: Group, statements: Sequence[Written]) -> Block:
        """Raises SyntaxError where one of the statements is bad, or may be."""
        if any(each.broken for each in statements):
            raise SyntaxError(UNNUMBERED)
        text = self._grammar.mark.join([*(each.whole for each in statements), group.after])
        if may_nest_deep(text):
            raise SyntaxError(UNNUMBERED)
        quads = list(parse(group.before(text) + text, self._grammar.rdf_format))
        data = serialize(quads, format=RdfFormat.N_QUADS) or b""
        parts = data.split(MARK_LINE)
        if len(parts) != len(statements) + 1:
            raise SyntaxError(UNNUMBERED)
        lines = np.repeat(
            [each.line for each in statements], [part.count(b"\n") for part in parts[:-1]]
        )
        return line_block(b"".join(parts), lines, other_quads(self._convert))

    def _single(self, group: Group, written: Written) -> Iterator[Block]:
        text = group.before(written.whole) + written.whole + group.after
        problem = written.broken
        if may_nest_deep(text):
            problem = "triple terms of RDF 1.2 are not read"
        if problem:
            yield block_of(
                [self._bad(written, Rejected(written.line, written.column, problem, ""))]
            )
            return
        try:
            if len(text) > LARGE:  # whether all of it is good, before the first is kept
                for _ in parse(text, self._grammar.rdf_format):
                    pass
            yield from blocks_of_quads(
                parse(text, self._grammar.rdf_format), self._convert, written.line
            )
        except SyntaxError as error:
            yield block_of([self._bad(written, _located(error, group, written))])
        except MemoryError:
            yield block_of([_rejected(written, TOO_LONG_TERM)])

    def _bad(self, written: Written, found: Rejected) -> Rejected:
        """The rejection with the text of its line; remembers what it makes uncertain."""
        self._uncertain = self._grammar.uncertain(written, found.reason)
        text, below = written.text, found.line - written.line
        return found._replace(text=_shown(text.split(b"\n", below + 1)[below]))


def blocks_of_groups(
    groups: Iterable[Group], grammar: Grammar, convert: QuadConverter
) -> Iterator[Block]:
    """The statements of a file that was cut into groups."""
    reader = GroupReader(grammar, convert)
    for group in groups:
        yield from reader.blocks(group)


def _located(error: SyntaxError, group: Group, written: Written) -> Rejected:
    """Where the error is in its file; the statement's beginning where the parser doesn't say."""
    if not error.lineno:
        return Rejected(written.line, written.column, reason(error), "")
    around = group.before(written.whole) + written.opening
    below = max(0, min(error.lineno - 1 - around.count(b"\n"), written.text.count(b"\n")))
    column = error.offset or 1
    if not below:
        column += written.column - 1 - len(around.rpartition(b"\n")[2])
    return Rejected(written.line + below, max(1, column), reason(error), "")


def _rejected(written: Written, problem: str) -> Rejected:
    return Rejected(written.line, written.column, problem, _shown(written.text))


def _shown(text: bytes) -> str:
    return text[: 4 * SHOWN].decode("utf-8", "ignore").strip().split("\n")[0][:SHOWN]
