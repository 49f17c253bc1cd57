"""Statements from RDF files, parsed by Oxigraph: Turtle, N-Triples, N-Quads, TriG, RDF/XML, JSON-LD.

Named graphs are folded into one graph. Blank nodes are renamed by order of appearance, so that two
files never share one and the same file always gives the same names. Nothing is fetched: a remote
JSON-LD context is an error, and so are nested XML entities.
"""

import codecs
import io
import re
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Any

from pyoxigraph import Literal, NamedNode, Quad, RdfFormat, Triple, parse

from ..errors import UserError
from .bounded_lines import SHOWN, TOO_LONG, OverlongLineError, whole_lines
from .names import clean_name
from .sources import MAX_TEXT, Advance, Source, open_source, source_format
from .statements import LiteralTerm, Rejected, Statement
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


def rdf_statements(
    source: Source, number: int, advance: Advance | None = None
) -> Iterator[Statement | Rejected]:
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
            yield from line_statements(file, RDF_FORMATS[asked], convert)
            return
        try:
            for quad in parse(file, RDF_FORMATS[asked]):
                yield convert(quad, 0)
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
        subject, item = quad.subject, quad.object
        if isinstance(subject, Triple) or isinstance(item, Triple):
            return Rejected(line, 0, "triple terms of RDF 1.2 are not read", str(quad)[:200])
        head = subject.value if isinstance(subject, NamedNode) else self._name(subject.value)
        if isinstance(item, NamedNode):
            return Statement(head, quad.predicate.value, item.value, line)
        if isinstance(item, Literal):
            term = LiteralTerm(item.value, item.datatype.value, item.language or "")
            return Statement(head, quad.predicate.value, term, line)
        return Statement(head, quad.predicate.value, self._name(item.value), line)

    def _name(self, label: str) -> str:
        if label not in self._blank:
            self._blank[label] = f"_:s{self._number}b{len(self._blank)}"
        return self._blank[label]


def line_statements(
    file: IO[bytes],
    rdf_format: RdfFormat,
    convert: Callable[[Quad, int], Statement | Rejected],
) -> Iterator[Statement | Rejected]:
    """Statements of a line format: blocks of lines at full speed, one by one where one is bad."""
    first = 1  # line of the block
    for block in whole_lines(file):
        if isinstance(block, OverlongLineError):
            yield Rejected(first, 0, TOO_LONG, block.beginning)
            first += 1
            continue
        lines = block.count(b"\n")
        try:
            quads = [] if may_nest_deep(block) else list(parse(block, rdf_format))
        except SyntaxError:
            quads = []
        if len(quads) == lines:  # a statement a line: neither comments nor blank lines
            for number, quad in enumerate(quads, first):
                yield convert(quad, number)
        else:
            numbered = enumerate(block.split(b"\n"), first)
            filled = [(number, line) for number, line in numbered if is_statement(line)]
            if len(quads) == len(filled):
                for (number, _), quad in zip(filled, quads, strict=True):
                    yield convert(quad, number)
            else:
                yield from single_lines(filled, rdf_format, convert)
        first += lines


def single_lines(
    lines: Iterable[tuple[int, bytes]],
    rdf_format: RdfFormat,
    convert: Callable[[Quad, int], Statement | Rejected],
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
