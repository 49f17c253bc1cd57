"""RDF/XML in groups of elements: those below rdf:RDF, each with the declarations above them."""

import re
from collections.abc import Iterator
from typing import IO

from pyoxigraph import RdfFormat, parse

from .. import vocabulary as v
from .bounded_lines import SHOWN
from .statement_groups import MARK_IRI, Grammar, Group, gathered
from .written import NOTHING_BELOW, TOO_LONG, Place, Rest, Written, end_of, statements_written

OPEN = "an element that begins here never ends; nothing below it is read"
CUT = "rdf:RDF never ends: the file may have been cut off"
BEHIND = "an end tag without its element, or text behind the last; nothing below it is read"

# A tag up to its last bracket. Values may hold that, but no opening one (XML 1.0, section 3.1).
TAG = (
    rb"<[A-Za-z_:\x80-\xff][^<>\"']*+(?:\"[^\"<]*+\"[^<>\"']*+|'[^'<]*+'[^<>\"']*+)*+"
)  # fmt: skip
NO_ELEMENT = rb"<!--.*?-->|<\?.*?\?>"
SIMPLE = TAG + rb"(?:(?<=/)>|(?<!/)>[^<]*+</[^<>]*+>)"  # without an element within
DOCTYPE = (
    rb"<!DOCTYPE[^<>\[\"']*+(?:\[(?:[^\]\"']++|\"[^\"]*+\"|'[^']*+')*+\]\s*+)?>"
)  # fmt: skip
HEAD = re.compile(
    rb"(?:\s++|" + NO_ELEMENT + rb"|" + DOCTYPE + rb")*+(" + TAG + rb"(?<!/)>)", re.DOTALL
)
ROOT = re.compile(rb"<((?:[^\s:<>]+:)?RDF)[\s>]")
BETWEEN = re.compile(rb"(?:\s++|" + NO_ELEMENT + rb")*+", re.DOTALL)
TEXT = re.compile(rb"[^<]++(?=<)")
WHOLE = re.compile(SIMPLE)
QUIET = re.compile(
    rb"(?:[^<]++|" + NO_ELEMENT + rb"|<!\[CDATA\[.*?\]\]>|" + SIMPLE + rb")*+", re.DOTALL
)
START = re.compile(TAG + rb"(?<!/)>")
END = re.compile(rb"</[^<>]*+>")

_RDF = v.RDF_TYPE.removesuffix("type")
MARK = (
    f'<R:Description xmlns:R="{_RDF}" R:about="{MARK_IRI}">'
    f'<M:m xmlns:M="{MARK_IRI}" R:resource="{MARK_IRI}"/></R:Description>\n'
).encode()
# What isn't well formed is never closed as a rule, and then the rest of the file.
XML_GRAMMAR = Grammar(RdfFormat.RDF_XML, MARK, lambda faulty, reason: 0)


def xml_head(beginning: bytes) -> bytes:
    """What stands up to the end of the start tag of rdf:RDF, of what a file begins with.

    Empty where that isn't found, or can't be parsed: then no element could be.
    """
    found = HEAD.match(beginning)
    if not found or not ROOT.match(found[1]):
        return b""
    try:
        list(parse(found[0] + _end_tag(found[0]), RdfFormat.RDF_XML))
    except SyntaxError:
        return b""
    return found[0]


def _end_tag(head: bytes) -> bytes:
    root = ROOT.match(head, head.rindex(b"<"))
    return b"</%b>" % (root[1] if root else b"")


def xml_groups(file: IO[bytes], head: bytes) -> Iterator[Group]:
    """The elements of a file; a group has the head before it.

    Args:
        file: read up to the end of its head.
        head: as `xml_head` gives it.
    """
    after = _end_tag(head)
    above = head + b"\n"

    def before(text: bytes) -> bytes:
        return above

    for elements in gathered(_elements(file, Rest().place.further(head, 0, len(head)))):
        yield Group(before, elements, after)


def _elements(file: IO[bytes], place: Place) -> Iterator[Written]:
    rest, place, too_long = yield from statements_written(
        file, _element, BETWEEN, Rest(place=place)
    )
    start = end_of(BETWEEN, rest, 0)
    problem = TOO_LONG + NOTHING_BELOW if too_long else ""
    if not problem and (end := END.match(rest, start)):
        problem = BEHIND
        if end_of(BETWEEN, rest, end.end()) == len(rest):  # it is that of rdf:RDF
            return
    text = rest[start : start + SHOWN]
    yield Written(text, *place.further(rest, 0, start), broken=problem or (OPEN if text else CUT))


def _element(data: bytes, position: int) -> tuple[int, int] | None:
    """Where the next element, or text between elements, begins and ends."""
    start = end_of(BETWEEN, data, position)
    if simple := WHOLE.match(data, start) or TEXT.match(data, start):
        return start, simple.end()
    depth, at = 0, start
    while found := START.match(data, at):
        depth += 1
        at = end_of(QUIET, data, found.end())
        while depth and (found := END.match(data, at)):
            depth -= 1
            at = found.end() if not depth else end_of(QUIET, data, found.end())
        if not depth:
            return start, at
    return None
