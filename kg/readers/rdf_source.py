"""Statements from RDF files, parsed by Oxigraph: Turtle, N-Triples, N-Quads, TriG, RDF/XML, JSON-LD.

Blank nodes are renamed by order of appearance, so that two files never share one and the same file
always gives the same names. Nothing is fetched: a remote JSON-LD context is an error, and so are
nested XML entities.
"""

import codecs
import io
import itertools
import re
from collections.abc import Iterable, Iterator
from functools import partial
from typing import IO, Any

import numpy as np
from pyoxigraph import DefaultGraph, Literal, NamedNode, Quad, RdfFormat, Triple, parse, serialize

from ...errors import UserError
from ..names import clean_name
from ..statements import LiteralTerm, Rejected, Statement
from .blocks import AT_ONCE, Block, block_of
from .bounded_lines import SHOWN, TOO_LONG, OverlongLineError, whole_lines
from .line_blocks import line_block
from .sources import MAX_TEXT, Advance, Source, open_source, source_format
from .triple_term_check import check_triple_terms, may_nest_deep
from .xml_check import check_xml

RDF_FORMATS = {
    "ttl": RdfFormat.TURTLE,
    "nt": RdfFormat.N_TRIPLES,
    "nq": RdfFormat.N_QUADS,
    "trig": RdfFormat.TRIG,
    "rdf": RdfFormat.RDF_XML,
    "jsonld": RdfFormat.JSON_LD,
}
LINE_FORMATS = ("nt", "nq")
LITERAL = re.compile(rb'"(?:[^"\\]++|\\.)*+"')
POSITION = re.compile(r"^Parser error at line \d+ (?:column \d+|between [^:]*)?: ?")
Line = tuple[int, bytes]  # number, text without its end


def rdf_blocks(source: Source, number: int, advance: Advance | None = None) -> Iterator[Block]:
    """Statements of one RDF file; `number` keeps its blank nodes apart from other sources'.

    A bad line of N-Triples or N-Quads is rejected and the rest goes on, with line numbers. The
    other formats can't be resumed after an error and carry no lines.

    Raises:
        UserError: a syntax error in the other formats, with file, line and column.
    """
    asked = source_format(source)
    convert = QuadConverter(number)
    if asked == "rdf":
        check_xml(source)
    if asked in ("ttl", "trig"):
        check_triple_terms(source)
    with open_source(source, advance) as file:
        skip_byte_order_mark(file)
        if asked in LINE_FORMATS:
            yield from blocks_of_lines(file, RDF_FORMATS[asked], convert)
            return
        try:
            yield from blocks_of_quads(parse(file, RDF_FORMATS[asked]), convert)
        except SyntaxError as error:
            raise syntax_error(source, error) from error
        except MemoryError as error:  # Oxigraph's word for a token longer than its buffer
            raise UserError(
                f"a text or name is longer than {MAX_TEXT >> 20} MiB",
                source.name,
                "leave it out, or keep long texts in files of their own",
            ) from error


def skip_byte_order_mark(file: "io.BufferedReader[Any]") -> None:
    """Go past the mark that Windows puts before UTF-8; Oxigraph takes it for a name."""
    if file.peek(len(codecs.BOM_UTF8)).startswith(codecs.BOM_UTF8):
        file.read(len(codecs.BOM_UTF8))


class QuadConverter:
    """Oxigraph's quads to statements, with blank nodes numbered as they appear."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._blank: dict[str, str] = {}

    def __call__(self, quad: Quad, line: int) -> Statement | Rejected:
        subject, item, graph = quad.subject, quad.object, quad.graph_name
        if isinstance(subject, Triple) or isinstance(item, Triple):
            return Rejected(line, 0, "triple terms of RDF 1.2 are not read", str(quad)[:200])
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


def blocks_of_lines(
    file: IO[bytes], rdf_format: RdfFormat, convert: QuadConverter
) -> Iterator[Block]:
    """The statements of a line format, with their lines."""
    first = 1
    parsed = partial(parsed_lines, rdf_format=rdf_format, convert=convert)
    for data in whole_lines(file):
        if isinstance(data, OverlongLineError):
            yield block_of([Rejected(first, 0, TOO_LONG, data.beginning)])
            first += 1
            continue
        count = data.count(b"\n")
        yield line_block(data, np.arange(first, first + count), parsed)
        first += count


def blocks_of_quads(quads: Iterable[Quad], convert: QuadConverter) -> Iterator[Block]:
    """Parsed statements, by way of N-Quads: that is faster than to look into each term."""
    iterator = iter(quads)
    parsed = partial(parsed_lines, rdf_format=RdfFormat.N_QUADS, convert=convert)
    while several := list(itertools.islice(iterator, AT_ONCE)):
        data = serialize(several, format=RdfFormat.N_QUADS) or b""
        yield line_block(data, np.zeros(len(several), np.int64), parsed)


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
        if may_nest_deep(LITERAL.sub(b"", line)):
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
    """The parser's words without the position, which is told apart; they quote what was read."""
    return clean_name(POSITION.sub("", error.msg[: 4 * SHOWN]))[:SHOWN]


def syntax_error(source: Source, error: SyntaxError) -> UserError:
    """Oxigraph's error in the user's terms: where, what was expected, how to mend it."""
    said = reason(error)
    if "LoadDocumentCallback" in said:
        return UserError(
            "the file asks for a JSON-LD context from the network, which is never fetched",
            source.name,
            "write the context into the file",
        )
    where = source.name
    if error.lineno:
        where += f":{error.lineno}:{error.offset or 1}"
    fix = "mend the file there; N-Triples (.nt) lets single bad lines be left out"
    if "No scheme found" in said:
        fix = "write absolute IRIs, or declare @base at the top of the file"
    if "has not been declared" in said:
        fix = "declare it at the top of the file: @prefix name: <http://…/> ."
    return UserError(f"the file breaks off here: {said}", where, fix)
