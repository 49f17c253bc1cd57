"""Statements from KGX TSV files of nodes or edges, one record a line.

The format is "KGX Format" (https://github.com/biolink/kgx, docs/kgx_format.md): no quoting, several
values in a cell parted by `|`. The mapping is that of KGX's own RDF writer (kgx/sink/rdf_sink.py),
with three differences:

* Synonyms and cross-references get the predicates of oboInOwl, by which names are found.
* An edge is one statement. KGX's writer also makes a node of every edge and hangs the edge's
  attributes on it; in a graph of facts those nodes would outnumber the entities, and
  `rdf:subject` would be a relation among others. Attributes (knowledge source, publications,
  qualifiers …) stay in the file, and the statement's file and line lead to them: of edges that
  state the same, those of the first.
* A negated edge says what is not so. It is rejected, so that it is counted and shown.

Without the Biolink Model at hand, a column that isn't named below is text, as it is for KGX where
the model doesn't know the column.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import quote

from ...errors import UserError
from .. import vocabulary as v
from ..prefixes import ExpansionError, Prefixes
from ..statements import NEGATED, LiteralTerm, Rejected, Statement
from .bounded_lines import bounded_lines
from .format_of_content import kgx_records
from .sources import Advance, Source, open_source

MAX_LINE = 64 << 20  # bytes
SEPARATOR = "|"
LITERALS = {  # column of a nodes file → predicate; any other is biolink:<column>
    "name": v.RDFS_LABEL,
    "description": v.DCTERMS + "description",
    "deprecated": v.OWL_DEPRECATED,
    "synonym": v.OBO_IN_OWL + "hasExactSynonym",
    "synonyms": v.OBO_IN_OWL + "hasExactSynonym",
    "exact_synonym": v.OBO_IN_OWL + "hasExactSynonym",
    "narrow_synonym": v.OBO_IN_OWL + "hasNarrowSynonym",
    "broad_synonym": v.OBO_IN_OWL + "hasBroadSynonym",
    "related_synonym": v.OBO_IN_OWL + "hasRelatedSynonym",
    "xref": v.OBO_IN_OWL + "hasDbXref",
    "xrefs": v.OBO_IN_OWL + "hasDbXref",
    "has_db_xref": v.OBO_IN_OWL + "hasDbXref",
}
RESOURCES = {  # columns whose values are CURIEs or IRIs of entities
    "category": v.RDF_TYPE,
    "type": v.RDF_TYPE,
    "in_taxon": v.BIOLINK + "in_taxon",
    "same_as": v.BIOLINK + "same_as",
}
SINGLE = ("name", "description", "deprecated")  # a | is part of the text
UNSAID = ("id", "iri")  # the node itself
TRUTHS = {"true": "true", "t": "true", "1": "true", "false": "false", "f": "false", "0": "false"}
Row = Sequence[str]


@dataclass(frozen=True)
class NodeColumn:
    """What a column of a nodes file says: its predicate, and whether its values are entities."""

    place: int
    name: str
    predicate: str
    resource: bool

    def values(self, row: Row) -> list[str]:
        """The values of its cell that aren't empty."""
        cell = row[self.place].strip()
        if self.name in SINGLE or SEPARATOR not in cell:
            return [cell] if cell else []
        return [value for part in cell.split(SEPARATOR) if (value := part.strip())]


def kgx_statements(
    source: Source, prefixes: Prefixes, advance: Advance | None = None
) -> Iterator[Statement | Rejected]:
    """Statements of one KGX file, each with its line.

    Every line under the header that isn't blank gives at least one statement or rejection; an edge
    gives exactly one.

    Raises:
        UserError: the header is neither that of a nodes file nor that of an edges file.
    """
    with open_source(source, advance) as file:
        lines = bounded_lines(file, MAX_LINE)
        header = next(lines, (1, b""))[1]
        columns = cells_of(header.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace"))
        records = kgx_records(columns)
        if not records:
            raise UserError(
                "the header is neither that of KGX nodes nor that of KGX edges",
                f"{source.name}:1",
                "name the columns id and category, or subject, predicate and object",
            )
        read = (
            NodeReader(columns, prefixes) if records == "nodes" else EdgeReader(columns, prefixes)
        )
        for number, line in lines:
            if line.strip():
                yield from read_line(number, line, len(columns), read)


def read_line(
    number: int, line: bytes, width: int, read: "NodeReader | EdgeReader"
) -> Iterator[Statement | Rejected]:
    """What one line says, or why it can't be read."""
    beginning = line[:200].decode("utf-8", "replace").rstrip("\r")
    if len(line) > MAX_LINE:
        yield Rejected(number, 0, f"the line is longer than {MAX_LINE:,} bytes", beginning)
        return
    try:
        row = cells_of(line.decode("utf-8"))
    except UnicodeDecodeError:
        yield Rejected(number, 0, "the line is not UTF-8 text", beginning)
        return
    if len(row) != width:
        reason = f"{len(row)} cells where the header has {width}"
        yield Rejected(number, 0, reason, beginning)
        return
    for item in read(row, number):
        yield Rejected(number, 0, item, beginning) if isinstance(item, str) else item


def cells_of(line: str) -> list[str]:
    """The cells of a line; its end may be that of Windows."""
    return line.removesuffix("\r").split("\t")


class NodeReader:
    """Rows of a nodes file to statements; a text is the reason why a value gives none."""

    def __init__(self, columns: Sequence[str], prefixes: Prefixes) -> None:
        self._prefixes = prefixes
        self._identifier = columns.index("id")
        self._columns = [
            NodeColumn(place, name, predicate_of(name, prefixes), name in RESOURCES)
            for place, name in enumerate(columns)
            if name not in UNSAID
        ]

    def __call__(self, row: Row, line: int) -> Iterator[Statement | str]:
        try:
            subject = self._prefixes.expand(row[self._identifier].strip())
        except ExpansionError as error:
            yield f"the node's id can't be used: {error}"
            return
        said = False
        for column in self._columns:
            for value in column.values(row):
                said = True
                try:
                    term = self._term(column, value)
                except ValueError as error:
                    yield f"{column.name}: {error}"
                else:
                    yield Statement(subject, column.predicate, term, line)
        if not said:
            yield "nothing is said of the node"

    def _term(self, column: NodeColumn, value: str) -> str | LiteralTerm:
        if column.resource:
            return self._prefixes.expand(value)
        if column.predicate == v.OWL_DEPRECATED:
            return LiteralTerm(truth(value), v.XSD_BOOLEAN, "")
        return LiteralTerm(value, v.XSD_STRING, "")


class EdgeReader:
    """Rows of an edges file to one statement each; a text is the reason why there is none."""

    def __init__(self, columns: Sequence[str], prefixes: Prefixes) -> None:
        self._prefixes = prefixes
        self._places = [columns.index(name) for name in ("subject", "predicate", "object")]
        self._negated = columns.index("negated") if "negated" in columns else None

    def __call__(self, row: Row, line: int) -> Iterator[Statement | str]:
        try:
            if self._is_negated(row):
                yield NEGATED
                return
            subject, predicate, item = (
                self._prefixes.expand(row[place].strip()) for place in self._places
            )
        except ValueError as error:
            yield f"the edge can't be used: {error}"
        else:
            yield Statement(subject, predicate, item, line)

    def _is_negated(self, row: Row) -> bool:
        word = "" if self._negated is None else row[self._negated].strip()
        return bool(word) and truth(word) == "true"


def predicate_of(column: str, prefixes: Prefixes) -> str:
    """The predicate of a nodes file's column: named above, a CURIE or IRI, else biolink:<column>.

    KGX writes `:` before a name that the Biolink Model lacks.
    """
    known = RESOURCES.get(column) or LITERALS.get(column)
    if known:
        return known
    name = column.strip().removeprefix(":")
    if ":" in name:
        with suppress(ExpansionError):
            return prefixes.expand(name)
    return v.BIOLINK + quote(name.replace(" ", "_"))


def truth(word: str) -> str:
    """`true` or `false`, as XML Schema writes what pandas and others write as True, t or 1.

    Raises:
        ValueError: the word is neither.
    """
    found = TRUTHS.get(word.lower())
    if not found:
        raise ValueError(f"{word[:50]!r} is neither true nor false")
    return found
