"""Statements of Turtle, TriG and RDF/XML in groups that are parsed together, and in parts where one is bad.

A parser alone stops at the first error and doesn't say on which line a statement stood. So the text is
cut into statements first, and a mark that no file can hold is parsed behind each.
"""

import itertools
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pyoxigraph import RdfFormat, parse, serialize

from ..statements import Rejected
from .blocks import Block, block_of
from .bounded_lines import SHOWN
from .line_blocks import line_block
from .parsed_quads import TOO_LONG_TERM, QuadConverter, blocks_of_quads, other_quads, reason
from .written import Written

TOGETHER = 1 << 20  # bytes of statements that are parsed at once
PARTS = 8  # of a group with a bad statement: fewer are parsed again more often
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

    def of(self, statements: Sequence[Written]) -> "Group":
        """Some of its statements."""
        return Group(self.before, statements, self.after)

    def parts(self) -> "list[Group]":
        """PARTS groups of about as many statements, or one a statement."""
        count = len(self.statements)
        step = -(-count // PARTS)
        return [self.of(self.statements[at : at + step]) for at in range(0, count, step)]


class GroupReader:
    """Groups to blocks; one that can't be parsed is cut up until the faulty statement is found.

    What seems to be a statement behind a faulty one, and may be none, is rejected too.
    """

    def __init__(self, grammar: Grammar, convert: QuadConverter) -> None:
        self._grammar = grammar
        self._convert = convert
        self._uncertain: float = 0  # the last line of which nothing is certain
        # What isn't a block yet: a block a statement would take most of the time.
        self._parsed: list[bytes] = []  # N-Quads
        self._lines: list[NDArray[np.int64]] = []
        self._rejected: list[Rejected] = []
        self._held = 0  # bytes, about

    def blocks(self, group: Group) -> Iterator[Block]:
        """The statements of this group and those above, and what is rejected, if they are many."""
        left = [group]
        while left:
            part = left.pop()
            if part.statements[0].line <= self._uncertain:
                certain = self._certain(part)
                uncertain = part.statements[: len(part.statements) - len(certain.statements)]
                for each in uncertain:
                    self._reject(_rejected(each, UNCERTAIN))
                left += [certain] if certain.statements else []
            elif len(part.statements) == 1:
                yield from self._single(part, part.statements[0])
            else:
                try:
                    self._together(part)
                except SyntaxError:
                    left += reversed(part.parts())
            if self._held > TOGETHER:
                yield self.held()

    def held(self) -> Block:
        """The statements, and what is rejected, that no block had yet."""
        data = b"".join(self._parsed)
        lines = np.concatenate([np.empty(0, np.int64), *self._lines])
        block = line_block(data, lines, other_quads(self._convert)) + block_of(self._rejected)
        self._parsed, self._lines, self._rejected, self._held = [], [], [], 0
        return block

    def _keep(self, data: bytes, lines: NDArray[np.int64]) -> None:
        self._parsed.append(data)
        self._lines.append(lines)
        self._held += len(data)

    def _reject(self, rejected: Rejected) -> None:
        self._rejected.append(rejected)
        self._held += SHOWN

    def _certain(self, group: Group) -> Group:
        """Without the statements at its beginning of which nothing is certain."""
        certain = itertools.dropwhile(lambda each: each.line <= self._uncertain, group.statements)
        return group.of(list(certain))

    def _together(self, group: Group) -> None:
        """Raises SyntaxError where one of the statements is bad, or may be."""
        statements = group.statements
        text = self._grammar.mark.join([*(each.whole for each in statements), group.after])
        parts = self._quads(group.before(text) + text).split(MARK_LINE)
        if len(parts) != len(statements) + 1:
            raise SyntaxError(UNNUMBERED)
        lines = np.repeat(
            [each.line for each in statements], [part.count(b"\n") for part in parts[:-1]]
        )
        self._keep(b"".join(parts), lines)

    def _single(self, group: Group, written: Written) -> Iterator[Block]:
        if problem := written.broken:
            self._bad(written, Rejected(written.line, written.column, problem, ""))
            return
        before = group.before(written.whole)
        text = before + written.whole + group.after
        try:
            if len(text) > LARGE:
                yield from self._large(text, written.line)
            else:
                data = self._quads(text)
                self._keep(data, np.full(data.count(b"\n"), written.line, np.int64))
        except SyntaxError as error:
            self._bad(written, _located(error, before, written))
        except MemoryError:
            self._reject(_rejected(written, TOO_LONG_TERM))

    def _large(self, text: bytes, line: int) -> Iterator[Block]:
        """Raises SyntaxError or MemoryError before the first block."""
        for _ in parse(text, self._grammar.rdf_format):
            pass
        yield self.held()  # which stands above
        yield from blocks_of_quads(parse(text, self._grammar.rdf_format), self._convert, line)

    def _quads(self, text: bytes) -> bytes:
        """The statements of a text in N-Quads. Raises SyntaxError."""
        quads = list(parse(text, self._grammar.rdf_format))
        return serialize(quads, format=RdfFormat.N_QUADS) or b""

    def _bad(self, written: Written, found: Rejected) -> None:
        """Rejects it with the text of its line; remembers what it makes uncertain."""
        self._uncertain = self._grammar.uncertain(written, found.reason)
        text, below = written.text, found.line - written.line
        self._reject(found._replace(text=_shown(text.split(b"\n", below + 1)[below])))


def gathered(statements: Iterable[Written | None]) -> Iterator[list[Written]]:
    """Statements that are parsed together: some TOGETHER bytes of them, or a broken one alone.

    Args:
        statements: None where what holds for the next is another, as a prefix; the statements above
            it must be read before it is gone past.
    """
    waiting: list[Written] = []
    size = 0
    for each in statements:
        room = -1 if each is None or each.broken else TOGETHER - len(each.text)
        if waiting and size > room:
            yield waiting
            waiting, size = [], 0
        if each is not None:
            waiting.append(each)
            size += TOGETHER + 1 if each.broken else len(each.text)
    if waiting:
        yield waiting


def blocks_of_groups(
    groups: Iterable[Group], grammar: Grammar, convert: QuadConverter
) -> Iterator[Block]:
    """The statements of a file that was cut into groups."""
    reader = GroupReader(grammar, convert)
    for group in groups:
        yield from reader.blocks(group)
    yield reader.held()


def _located(error: SyntaxError, before: bytes, written: Written) -> Rejected:
    """Where the error is in its file; the statement's beginning where the parser doesn't say."""
    if not error.lineno:
        return Rejected(written.line, written.column, reason(error), "")
    around = before + written.opening
    below = max(0, min(error.lineno - 1 - around.count(b"\n"), written.text.count(b"\n")))
    column = error.offset or 1
    if not below:
        column += written.column - 1 - len(around.rpartition(b"\n")[2])
    return Rejected(written.line + below, max(1, column), reason(error), "")


def _rejected(written: Written, problem: str) -> Rejected:
    return Rejected(written.line, written.column, problem, _shown(written.text))


def _shown(text: bytes) -> str:
    return text[: 4 * SHOWN].decode("utf-8", "ignore").strip().split("\n")[0][:SHOWN]
