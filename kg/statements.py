"""What a parser yields: statements, and lines that it couldn't take. Tuples, because there are millions."""

from typing import NamedTuple

BLANK = "_:"  # how the text of a blank node begins


# Reasons of Rejected that find no fault: the source itself says that something isn't so, or isn't known.
DEPRECATED_RANK = "deprecated rank"
OUTRANKED = "a claim of preferred rank stands beside it"
UNKNOWN_VALUE = "the value is unknown (somevalue)"
NO_VALUE = "there is no value (novalue)"
NEGATED = "the edge is negated"
NO_FAULT = frozenset({DEPRECATED_RANK, OUTRANKED, UNKNOWN_VALUE, NO_VALUE, NEGATED})


class LiteralTerm(NamedTuple):
    """An RDF literal. The datatype is an IRI; the language is lower case, empty when none."""

    value: str
    datatype: str
    language: str


class Statement(NamedTuple):
    """One RDF statement and the place where it was read.

    Subject and resource objects are absolute IRIs, or blank nodes written `_:label`.
    `line` counts from 1 and is 0 where the format has no lines. `times` says how often the source
    makes this statement, for parsers that gather repetitions (a table's rows) before they yield.
    `graph` is the IRI or blank node of the named graph, empty for the default graph.
    """

    subject: str
    predicate: str
    object: str | LiteralTerm
    line: int = 0
    times: int = 1
    graph: str = ""


class Rejected(NamedTuple):
    """A line, row or clause that was left out. Line and column count from 1; 0 is unknown."""

    line: int
    column: int
    reason: str
    text: str
