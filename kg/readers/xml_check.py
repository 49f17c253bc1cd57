"""What of XML could exhaust a reader of RDF/XML, found before it is parsed, in bounded memory.

Entities that name others double with each (CVE-2003-1564, "billion laughs"), long ones grow with
each reference, external ones read other files, and Oxigraph's time grows with the square of the
depth of elements.
"""

import re
from collections.abc import Iterator
from typing import IO

import numpy as np
from numpy.typing import NDArray

from ...errors import UserError
from .nesting import MAX_DEPTH, depths
from .sources import MAX_TEXT, Source, open_source

BLOCK = 1 << 20  # bytes looked at once
MAX_ENTITY = 300  # characters; RDF/XML files declare short namespace entities only
MAX_REFERENCES = MAX_TEXT // MAX_ENTITY  # to entities, between two tags

DECLARATION = re.compile(rb"<!ENTITY\s+([^\s\"'>%]+)\s+(?:\"([^\"&%<]*)\"|'([^'&%<]*)')\s*>")
# What no tag is in: comments, character data, processing instructions; a group, to the end, if not
# closed. (`.*?(?:-->|\Z)` takes four times as long.)
OPAQUE = re.compile(
    rb"<!--(?:.*?-->|(.*+))|<!\[CDATA\[(?:.*?\]\]>|(.*+))|<\?(?:.*?\?>|(.*+))", re.DOTALL
)
# Attributes' values may hold "/>", which ends no element there.
VALUE = re.compile(rb"=\s*(?:\"[^\"<]*\"|'[^'<]*')")
LESS, GREATER, SLASH, EXCLAMATION = b"<>/!"


def check_xml(source: Source) -> None:
    """Read a file through once and refuse what could hurt.

    Raises:
        UserError: an entity that is nested, external, a parameter entity or long; elements nested
            deeper than MAX_DEPTH; a tag, text or comment longer than MAX_TEXT.
    """
    depth, line, entities = 0, 1, False
    with open_source(source) as file:
        for part in whole_tags(file, source):
            entities = entities or b"<!ENTITY" in part
            if entities:
                check_entities(part, source, line)
            line += part.count(b"\n")
            found = element_depths(VALUE.sub(b"", OPAQUE.sub(b"", part)), depth)
            if len(found):
                depth = int(found[-1])
            if len(found) and found.max() > MAX_DEPTH:
                raise UserError(
                    f"elements are nested more than {MAX_DEPTH:,} deep",
                    f"{source.name}:{line} or above",
                    "give the inner ones names (rdf:about) and write them side by side",
                )


def whole_tags(file: IO[bytes], source: Source) -> Iterator[bytes]:
    """The file in parts, each ending before a `<` that is no part of a comment or the like."""
    rest = b""
    while block := file.read(min(max(BLOCK, len(rest)), MAX_TEXT + 1 - len(rest))):
        rest += block
        cut = _last_tag(rest)
        if cut:
            yield rest[:cut]
            rest = rest[cut:]
        if len(rest) > MAX_TEXT:
            raise UserError(
                f"a tag, text or comment is longer than {MAX_TEXT >> 20} MiB",
                source.name,
                "leave it out, or keep long texts in files of their own",
            )
    yield rest


def _last_tag(text: bytes) -> int:
    """Where the last `<` stands before which every comment is closed; 0 where there is none."""
    end = 0
    for match in OPAQUE.finditer(text):
        if match.lastindex:
            return match.start()
        end = match.end()
    return max(text.rfind(b"<", end), end)


def element_depths(text: bytes, depth: int) -> NDArray[np.int64]:
    """How many elements are open after each start and end tag; shape (tags,).

    Args:
        text: without comments and attributes' values.
        depth: elements that are open before it.
    """
    letters = np.frombuffer(text, np.uint8)
    after = np.append(letters[1:], 0)
    before = np.append(0, letters[:-1])[: len(letters)]
    steps = np.zeros(len(letters), np.int8)
    opening = letters == LESS
    steps[opening & (after != SLASH) & (after != EXCLAMATION)] = 1
    steps[opening & (after == SLASH)] = -1
    steps[(letters == GREATER) & (before == SLASH)] = -1
    return depths(steps[steps != 0], depth)


def check_entities(part: bytes, source: Source, line: int) -> None:
    """Raises UserError for entities that can grow, and for very many references in one text."""
    plain = 0
    for match in DECLARATION.finditer(part):
        value = match[2] if match[2] is not None else match[3]
        plain += len(value) <= MAX_ENTITY
    many = any(text.count(b"&") > MAX_REFERENCES for text in part.split(b"<"))
    if plain != part.count(b"<!ENTITY") or many:
        raise UserError(
            "the file declares XML entities that are nested, external or long"
            if not many
            else "a text refers to XML entities very often",
            f"{source.name}:{line}",
            "write the entities out, or convert the file to Turtle",
        )
