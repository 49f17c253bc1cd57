"""A file of SHACL shapes: its statements, and what of a graph they can look at.

Queries in it may not name other graphs or servers.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from ...errors import UserError
from .. import vocabulary as v
from ..readers.blocks import statements_in
from ..readers.rdf_source import RDF_FORMATS, rdf_blocks
from ..readers.sources import Source, check_file, source_format
from ..statements import LiteralTerm, Rejected, Statement

SH = "http://www.w3.org/ns/shacl#"
ALWAYS = (v.RDF_TYPE, v.RDFS + "subClassOf")  # what a class target and sh:class follow
QUERIES = tuple(SH + name for name in ("select", "ask", "construct", "update"))
ELSEWHERE = re.compile(r"\b(SERVICE|FROM|LOAD)\b", re.IGNORECASE)
CODEPOINT = re.compile(r"\\u([0-9A-Fa-f]{4})|\\U([0-9A-Fa-f]{8})")


@dataclass(frozen=True)
class Shapes:
    """The statements of a shapes file, and what of a graph they can look at.

    Attributes:
        name: of the file.
        statements: in its order.
        predicates: IRIs of the predicates that they follow; None for every predicate.
    """

    name: str
    statements: tuple[Statement, ...]
    predicates: frozenset[str] | None


def read_shapes(path: Path, name: str = "") -> Shapes:
    """The shapes in an RDF file of any format that `ingest` reads.

    Args:
        path: of the file.
        name: what messages call it; its path where empty.

    Raises:
        UserError: no such file, a syntax error, no shape, or a query that would ask elsewhere.
    """
    source = Source(path, name or str(path))
    check_file(source)
    if source_format(source) not in RDF_FORMATS:
        raise UserError(
            "shapes are written in RDF", source.name, "name a Turtle file, or another RDF"
        )
    statements = []
    read = (item for block in rdf_blocks(source, 0) for item in statements_in(block))
    for item in read:
        if isinstance(item, Rejected):
            raise UserError(item.reason, f"{source.name}:{item.line}", "mend the shapes")
        statements.append(item)
    if not any(SH in (one.predicate[: len(SH)], str(one.object)[: len(SH)]) for one in statements):
        raise UserError("the file holds no SHACL shapes", source.name, f"they use names of {SH}")
    _refuse_fetching(statements, source.name)
    return Shapes(source.name, tuple(statements), _followed(statements))


def _refuse_fetching(statements: list[Statement], where: str) -> None:
    for one in statements:
        if one.predicate in QUERIES and isinstance(one.object, LiteralTerm):
            text = CODEPOINT.sub(lambda found: chr(int(found[1] or found[2], 16)), one.object.value)
            if found := ELSEWHERE.search(text):
                problem = f"a shape's query says {found[0]}, which may ask another server"
                raise UserError(problem, where, "write the query over this graph alone")


def _followed(statements: list[Statement]) -> frozenset[str] | None:
    """Every IRI of the shapes, among which are all predicates that core constraints follow."""
    named = set(ALWAYS)
    for one in statements:
        if one.predicate in (SH + "closed", SH + "sparql", *QUERIES):
            return None
        named.add(one.predicate)
        if isinstance(one.object, str):
            named.add(one.object)
        named.add(one.subject)
    validators = (SH + "validator", SH + "nodeValidator", SH + "propertyValidator")
    return None if named & set(validators) else frozenset(named)
