"""Statements from RDF files, parsed by Oxigraph: Turtle, N-Triples, N-Quads, TriG, RDF/XML, JSON-LD.

Blank nodes are renamed by order of appearance, so that two files never share one and the same file
always gives the same names. Nothing is fetched: a remote JSON-LD context is an error, and so are
nested XML entities.
"""

import codecs
import io
from collections.abc import Iterator
from functools import partial
from typing import IO, Any

import numpy as np
from pyoxigraph import RdfFormat, parse

from ...errors import UserError
from ..statements import Rejected
from .blocks import Block, block_of
from .bounded_lines import TOO_LONG, OverlongLineError, whole_lines
from .line_blocks import line_block
from .parsed_quads import TOO_LONG_TERM, QuadConverter, blocks_of_quads, parsed_lines, reason
from .sources import BLOCK, Advance, Source, open_source, source_format
from .statement_groups import blocks_of_groups
from .turtle_groups import TRIG_GRAMMAR, TURTLE_GRAMMAR, trig_groups, turtle_groups
from .xml_check import check_xml
from .xml_groups import XML_GRAMMAR, xml_groups, xml_head

RDF_FORMATS = {
    "ttl": RdfFormat.TURTLE,
    "nt": RdfFormat.N_TRIPLES,
    "nq": RdfFormat.N_QUADS,
    "trig": RdfFormat.TRIG,
    "rdf": RdfFormat.RDF_XML,
    "jsonld": RdfFormat.JSON_LD,
}
LINE_FORMATS = ("nt", "nq")
GROUPS = {"ttl": (turtle_groups, TURTLE_GRAMMAR), "trig": (trig_groups, TRIG_GRAMMAR)}


def rdf_blocks(source: Source, number: int, advance: Advance | None = None) -> Iterator[Block]:
    """Statements of one RDF file; `number` keeps its blank nodes apart from other sources'.

    A bad line of N-Triples or N-Quads, statement of Turtle or TriG, or element of RDF/XML is rejected
    and the rest goes on; each has its line. JSON-LD can't be resumed after an error and has no lines;
    nor has RDF/XML whose outermost element isn't rdf:RDF.

    Raises:
        UserError: a syntax error in these.
    """
    asked = source_format(source)
    convert = QuadConverter(number)
    if asked == "rdf":
        check_xml(source)
    with open_source(source, advance) as file:
        skip_byte_order_mark(file)
        if asked in LINE_FORMATS:
            yield from blocks_of_lines(file, RDF_FORMATS[asked], convert)
        elif asked in GROUPS:
            groups, grammar = GROUPS[asked]
            yield from blocks_of_groups(groups(file), grammar, convert)
        elif asked == "rdf" and (head := xml_head(file.peek(BLOCK))):
            file.read(len(head))
            yield from blocks_of_groups(xml_groups(file, head), XML_GRAMMAR, convert)
        else:
            yield from blocks_of_document(file, source, convert)


def blocks_of_document(file: IO[bytes], source: Source, convert: QuadConverter) -> Iterator[Block]:
    """The statements of a format that is parsed from its beginning to its end."""
    try:
        yield from blocks_of_quads(parse(file, RDF_FORMATS[source_format(source)]), convert)
    except SyntaxError as error:
        raise syntax_error(source, error) from error
    except MemoryError as error:
        fix = "leave it out, or keep long texts in files of their own"
        raise UserError(TOO_LONG_TERM, source.name, fix) from error


def skip_byte_order_mark(file: "io.BufferedReader[Any]") -> None:
    """Go past the mark that Windows puts before UTF-8; Oxigraph takes it for a name."""
    if file.peek(len(codecs.BOM_UTF8)).startswith(codecs.BOM_UTF8):
        file.read(len(codecs.BOM_UTF8))


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
    fix = "mend the file there, or convert it to N-Triples: single bad lines of it are left out"
    return UserError(f"the file breaks off here: {said}", where, fix)
