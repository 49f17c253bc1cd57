"""Statements from Wikidata's JSON dump, one entity a line.

The format is Wikibase's (https://doc.wikidata.org/Wikibase/master/php/docs_topics_json.html): an
array whose lines are entities, as Wikidata publishes it, or JSON lines. IRIs and values are those of
Wikidata's own truthy RDF, so that its queries work here: statements of the best rank, without
qualifiers and references. What differs, and why:

* A label is one rdfs:label; the export says it under skos:prefLabel and schema:name once more.
* A property's labels name its predicate wdt:P… too, for relations are called by their IRI's label.
* instance of (P31) is rdf:type as well, where types are looked for: two statements of one claim.
  subclass of (P279) isn't said twice; name wdt:P279 as the hierarchy where one is needed.
* No entity has the type wikibase:Item, for then all entities would be alike in type.
* Sitelinks are no facts about the entity, and are not read.

A claim that isn't truthy is rejected with its reason: deprecated, outranked, or without a value.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .. import vocabulary as v
from ..statements import (
    DEPRECATED_RANK,
    NO_VALUE,
    OUTRANKED,
    UNKNOWN_VALUE,
    Rejected,
    Statement,
)
from .bounded_lines import bounded_lines
from .sources import Advance, Source, open_source
from .wikidata_values import ENTITY, Term, language_text, part, snak_value

MAX_LINE = 64 << 20  # bytes; the longest entities of 2024 have 5 MB
DIRECT = "http://www.wikidata.org/prop/direct/"
INSTANCE_OF = "P31"
DESCRIPTION = "http://schema.org/description"  # as Wikidata has it, without the s of https
IDENTIFIERS = {"item": re.compile(r"Q[1-9][0-9]*"), "property": re.compile(r"P[1-9][0-9]*")}
TERMS = {"labels": v.RDFS_LABEL, "aliases": v.SKOS + "altLabel", "descriptions": DESCRIPTION}
WITHOUT_VALUE = {"somevalue": UNKNOWN_VALUE, "novalue": NO_VALUE}
SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


def wikidata_statements(
    source: Source, advance: Advance | None = None
) -> Iterator[Statement | Rejected]:
    """Statements of one dump, each with its line.

    Every line but brackets and blank ones gives at least one statement or rejection. A line that
    isn't JSON, or is longer than MAX_LINE, is rejected, and the rest goes on.
    """
    with open_source(source, advance) as file:
        for number, line in bounded_lines(file, MAX_LINE):
            if len(line) > MAX_LINE:
                yield Rejected(
                    number, 0, f"the line is longer than {MAX_LINE:,} bytes", shown(line)
                )
                continue
            text = entity_text(line)
            if not text:
                continue
            try:
                entity = parsed(text)
            except (ValueError, RecursionError) as error:
                column, problem = 0, str(error)
                if isinstance(error, json.JSONDecodeError):
                    column, problem = error.colno, error.msg
                yield Rejected(number, column, f"not an entity in JSON: {problem}", shown(line))
                continue
            yield from entity_statements(entity, number)


def entity_text(line: bytes) -> bytes:
    """The line without what makes lines an array: brackets, the comma after an entity."""
    text = line.removeprefix(b"\xef\xbb\xbf").strip()
    if text in (b"[", b"]"):
        return b""
    if text.startswith(b"[{"):
        text = text[1:]
    if text.endswith(b"}]"):
        text = text[:-1]
    return text.removesuffix(b",").rstrip()


def parsed(text: bytes) -> dict[str, Any]:
    """The entity of a line; a ValueError or RecursionError tells why it can't be read."""
    entity = json.loads(text.decode("utf-8"))
    if not isinstance(entity, dict):
        raise ValueError("it is no object")
    if SURROGATE.search(text):  # half a pair is no character; whole pairs pass
        json.dumps(entity, ensure_ascii=False).encode("utf-8")
    return entity


def shown(line: bytes) -> str:
    """The beginning of a line, for a report."""
    return line[:200].decode("utf-8", "replace")


def entity_statements(entity: Mapping[str, Any], line: int) -> Iterator[Statement | Rejected]:
    """What is said of an item or a property; a Rejected where nothing is."""
    kind, identifier = str(entity.get("type")), str(entity.get("id"))
    known = IDENTIFIERS.get(kind)
    if known is None:
        reason = f"items and properties are read, and this is of type {kind[:50]!r}"
        yield Rejected(line, 0, reason, identifier[:200])
        return
    if not known.fullmatch(identifier):
        yield Rejected(line, 0, f"this is no id of an entity of type {kind!r}", identifier[:200])
        return
    said = False
    for item in _entity_statements(entity, kind, identifier, line):
        said = True
        yield item
    if not said:
        yield Rejected(line, 0, "nothing is said of the entity", identifier)


def _entity_statements(
    entity: Mapping[str, Any], kind: str, identifier: str, line: int
) -> Iterator[Statement | Rejected]:
    subject = ENTITY + identifier
    for key, predicate in TERMS.items():
        subjects = [subject]
        if kind == "property" and key == "labels":
            subjects.append(DIRECT + identifier)
        for subject_named in subjects:
            yield from term_statements(entity, key, subject_named, predicate, line)
    for name, claims in _groups(entity, "claims"):
        if IDENTIFIERS["property"].fullmatch(name) and isinstance(claims, list):
            yield from claim_statements(claims, subject, name, line)
        else:
            yield Rejected(
                line, 0, "these are no claims of a property", f"{identifier} {name}"[:200]
            )


def _groups(entity: Mapping[str, Any], key: str) -> Iterator[tuple[str, Any]]:
    """The members of an entity's part; PHP writes an empty object as an empty array."""
    group = entity.get(key) or {}
    yield from group.items() if isinstance(group, dict) else [("", group)]


def term_statements(
    entity: Mapping[str, Any], key: str, subject: str, predicate: str, line: int
) -> Iterator[Statement | Rejected]:
    """The labels, aliases or descriptions of an entity, in all languages."""
    for language, found in _groups(entity, key):
        for term in found if isinstance(found, list) else [found]:
            try:
                yield Statement(subject, predicate, language_text(term, "value"), line)
            except ValueError as error:
                yield Rejected(line, 0, f"{key}: {error}", f"{subject} {language}"[:200])


def claim_statements(
    claims: Sequence[Any], subject: str, name: str, line: int
) -> Iterator[Statement | Rejected]:
    """What the claims about one property say."""
    ranks = [claim.get("rank") if isinstance(claim, dict) else None for claim in claims]
    best = "preferred" if "preferred" in ranks else "normal"
    predicate = DIRECT + name
    for claim, rank in zip(claims, ranks, strict=True):
        try:
            value = truthy_value(claim, rank, best)
        except ValueError as error:
            identifier = claim.get("id") if isinstance(claim, dict) else None
            yield Rejected(line, 0, str(error), f"{subject} {predicate} {identifier}"[:200])
            continue
        yield Statement(subject, predicate, value, line)
        if name == INSTANCE_OF and isinstance(value, str):
            yield Statement(subject, v.RDF_TYPE, value, line)


def truthy_value(claim: object, rank: object, best: str) -> Term:
    """The value of a claim of the best rank.

    Raises:
        ValueError: why the claim is no truthy statement, or what is wrong with it.
    """
    if rank == "deprecated":
        raise ValueError(DEPRECATED_RANK)
    if rank != best:
        if rank == "normal":
            raise ValueError(OUTRANKED)
        raise ValueError("the claim has no rank")
    snak = part(claim, "mainsnak", dict)
    kind = part(snak, "snaktype", str)
    if kind in WITHOUT_VALUE:
        raise ValueError(WITHOUT_VALUE[kind])
    return snak_value(snak)
