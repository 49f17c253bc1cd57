"""Oxigraph's quads as blocks, by way of N-Quads text: that is faster than to look into each term."""

import itertools
import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial

import numpy as np
from pyoxigraph import DefaultGraph, Literal, NamedNode, Quad, RdfFormat, Triple, parse, serialize

from ..names import clean_name
from ..statements import LiteralTerm, Rejected, Statement
from .blocks import AT_ONCE, Block, block_of
from .bounded_lines import SHOWN
from .line_blocks import line_block
from .nesting import TRIPLE_TERMS, may_nest_deep
from .sources import MAX_TEXT

POSITION = re.compile(r"^Parser error at line \d+ (?:column \d+|between [^:]*)?: ?")
TOO_LONG_TERM = f"a text or name is longer than {MAX_TEXT >> 20} MiB"  # Oxigraph's MemoryError
ADVICE = {
    "No scheme found": "; write absolute IRIs, or declare @base at the top of the file",
    "has not been declared": "; declare it at the top of the file: @prefix name: <http://…/> .",
}
Line = tuple[int, bytes]  # number, text without its end


class QuadConverter:
    """Oxigraph's quads to statements, with blank nodes numbered as they appear."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._blank: dict[str, str] = {}

    def __call__(self, quad: Quad, line: int) -> Statement | Rejected:
        subject, item, graph = quad.subject, quad.object, quad.graph_name
        if isinstance(subject, Triple) or isinstance(item, Triple):
            return Rejected(line, 0, TRIPLE_TERMS, str(quad)[:200])
        head = subject.value if isinstance(subject, NamedNode) else self._name(subject.value)
        if isinstance(item, NamedNode):
            value: str | LiteralTerm = item.value
        elif isinstance(item, Literal):
            value = LiteralTerm(item.value, item.datatype.value, item.language or "")
        else:
            value = self._name(item.value)
        if isinstance(graph, DefaultGraph):
            return Statement(head, quad.predicate.value, value, line)
        named = graph.value if isinstance(graph, NamedNode) else self._name(graph.value)
        return Statement(head, quad.predicate.value, value, line, 1, named)

    def _name(self, label: str) -> str:
        if label not in self._blank:
            self._blank[label] = f"_:s{self._number}b{len(self._blank)}"
        return self._blank[label]


def blocks_of_quads(
    quads: Iterable[Quad], convert: QuadConverter, line: int = 0
) -> Iterator[Block]:
    """Parsed statements that all stand on one line, or on none that is known."""
    iterator = iter(quads)
    while several := list(itertools.islice(iterator, AT_ONCE)):
        data = serialize(several, format=RdfFormat.N_QUADS) or b""
        yield line_block(data, np.full(len(several), line, np.int64), other_quads(convert))


def other_quads(convert: QuadConverter) -> Callable[[list[Line]], Block]:
    """What to make of lines of N-Quads that aren't written plainly."""
    return partial(parsed_lines, rdf_format=RdfFormat.N_QUADS, convert=convert)


def parsed_lines(lines: list[Line], rdf_format: RdfFormat, convert: QuadConverter) -> Block:
    """Lines through the parser: together, or one by one where one is bad."""
    filled = [(number, line) for number, line in lines if is_statement(line)]
    together = b"\n".join(line for _, line in filled)
    try:
        quads = [] if may_nest_deep(together) else list(parse(together, rdf_format))
    except SyntaxError:
        quads = []
    if len(quads) == len(filled):  # a statement a line
        numbered = zip((number for number, _ in filled), quads, strict=True)
        return block_of([convert(quad, number) for number, quad in numbered])
    return block_of(list(single_lines(filled, rdf_format, convert)))


def single_lines(
    lines: Iterable[Line], rdf_format: RdfFormat, convert: QuadConverter
) -> Iterator[Statement | Rejected]:
    """Each line parsed alone."""
    for number, line in lines:
        text = line[: 4 * SHOWN].decode("utf-8", "ignore").strip()[:SHOWN]
        if may_nest_deep(line):
            yield Rejected(number, 0, "triple terms are nested too deep", text)
            continue
        try:
            quads = list(parse(line, rdf_format))
        except SyntaxError as error:
            yield Rejected(number, error.offset or 0, reason(error), text)
        else:
            yield from (convert(quad, number) for quad in quads)


def is_statement(line: bytes) -> bool:
    """False for blank lines and comments."""
    stripped = line.strip()
    return bool(stripped) and not stripped.startswith(b"#")


def reason(error: SyntaxError) -> str:
    """The parser's words without the position, which is told apart; they quote what was read.

    What is often forgotten is told in the user's terms.
    """
    said = clean_name(POSITION.sub("", error.msg[: 4 * SHOWN]))[:SHOWN]
    return said + next((advice for words, advice in ADVICE.items() if words in said), "")
