"""SHACL shapes (W3C 2017) over a graph, validated by pySHACL.

pySHACL works on an rdflib graph, which is slow to fill. Core constraints follow only the predicates
that the shapes name, and classes: where no shape is closed or asks in SPARQL, only statements of
those predicates are handed over, and the verdicts are those over the whole graph. Nothing is
fetched: owl:imports isn't followed, and queries may not name other graphs or servers. JavaScript and
SHACL's advanced features (rules, functions) are off.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
from pyoxigraph import BlankNode, Literal, NamedNode, Store

from ...errors import UserError
from .. import vocabulary as v
from ..graph import KnowledgeGraph
from ..names import clean_name
from ..readers.blocks import statements_in
from ..readers.rdf_source import RDF_FORMATS, rdf_blocks
from ..readers.sources import Source, check_file, source_format
from ..statements import LiteralTerm, Rejected, Statement
from .findings import FINDING_SCHEMA, LEVELS
from .statement_rows import StatementRows

if TYPE_CHECKING:
    import rdflib

SH = "http://www.w3.org/ns/shacl#"
SEVERITIES = {SH + "Violation": "ERROR", SH + "Warning": "WARN", SH + "Info": "INFO"}
ALWAYS = (v.RDF_TYPE, v.RDFS + "subClassOf")  # what a class target and sh:class follow
QUERIES = tuple(SH + name for name in ("select", "ask", "construct", "update"))
ELSEWHERE = re.compile(r"\b(SERVICE|FROM|LOAD)\b", re.IGNORECASE)
CODEPOINT = re.compile(r"\\u([0-9A-Fa-f]{4})|\\U([0-9A-Fa-f]{8})")
# One core: 78,821 statements of hp.obo and three property shapes took 5.6 s, 3,030 findings.
STATEMENTS_A_SECOND = 14_000


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


def read_shapes(path: Path) -> Shapes:
    """The shapes in an RDF file of any format that `ingest` reads.

    Raises:
        UserError: no such file, a syntax error, no shape, or a query that would ask elsewhere.
    """
    source = Source(path, str(path))
    check_file(source)
    if source_format(source) not in RDF_FORMATS:
        raise UserError(
            "shapes are written in RDF", str(path), "name a Turtle file, or another RDF"
        )
    statements = []
    read = (item for block in rdf_blocks(source, 0) for item in statements_in(block))
    for item in read:
        if isinstance(item, Rejected):
            raise UserError(item.reason, f"{path}:{item.line}", "mend the shapes")
        statements.append(item)
    if not any(SH in (one.predicate[: len(SH)], str(one.object)[: len(SH)]) for one in statements):
        raise UserError("the file holds no SHACL shapes", str(path), f"they use names of {SH}")
    _refuse_fetching(statements, str(path))
    return Shapes(str(path), tuple(statements), _followed(statements))


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


def statements_followed(graph: KnowledgeGraph, shapes: Shapes) -> int:
    """How many statements of the graph these shapes can look at."""
    counts = {relation.iri: relation.triples for relation in graph.relations}
    for entry in pc.value_counts(graph.literals_table["predicate"].cast(pa.string())).to_pylist():
        counts[entry["values"]] = counts.get(entry["values"], 0) + entry["counts"]
    wanted = counts if shapes.predicates is None else counts.keys() & shapes.predicates
    return sum(counts[iri] for iri in wanted)


def shape_findings(graph: KnowledgeGraph, shapes: Shapes) -> pa.Table:
    """What the shapes find, as a table of findings; worst level first.

    `rule` is the constraint's component, `shape` the IRI of the source shape, or of the nearest shape
    with one around it.

    Raises:
        UserError: pySHACL doesn't take the shapes.
    """
    import pyshacl  # half a second
    import rdflib
    from pyparsing import ParseException
    from pyshacl.errors import ReportableRuntimeError

    described = rdflib.Graph()
    for one in shapes.statements:
        described.add((_node(one.subject), rdflib.URIRef(one.predicate), _object(one.object)))
    data = rdflib.Graph()
    for triple in _followed_triples(graph.store(), shapes.predicates):
        data.add(triple)
    try:
        _, results, text = pyshacl.validate(
            data,
            shacl_graph=described,
            inplace=True,
            advanced=False,
            js=False,
            meta_shacl=False,
            do_owl_imports=False,
            inference="none",
        )
    except (ReportableRuntimeError, ParseException) as error:
        raise _unusable(str(getattr(error, "message", error)), shapes.name) from error
    if not isinstance(results, rdflib.Graph):
        raise _unusable(text, shapes.name)
    return _table(results, described, graph)


def _unusable(said: str, where: str) -> UserError:
    return UserError(
        f"the shapes can't be used: {clean_name(said)[:300]}", where, "mend the shapes"
    )


def _followed_triples(
    store: Store, predicates: frozenset[str] | None
) -> Iterator[tuple["rdflib.term.Node", "rdflib.term.Node", "rdflib.term.Node"]]:
    if predicates is None:
        patterns: list[NamedNode | None] = [None]
    else:
        patterns = [NamedNode(iri) for iri in sorted(predicates) if not iri.startswith("_:")]
    for pattern in patterns:
        for quad in store.quads_for_pattern(None, pattern, None, None):
            yield _term(quad.subject), _term(quad.predicate), _term(quad.object)


def _term(term: object) -> "rdflib.term.Node":
    import rdflib

    if isinstance(term, NamedNode):
        return rdflib.URIRef(term.value)
    if isinstance(term, BlankNode):
        return rdflib.BNode(term.value)
    assert isinstance(term, Literal)
    if term.language:
        return rdflib.Literal(term.value, lang=term.language)
    if term.datatype.value == v.XSD_STRING:
        return rdflib.Literal(term.value)
    return rdflib.Literal(term.value, datatype=rdflib.URIRef(term.datatype.value), normalize=False)


def _node(name: str) -> "rdflib.term.Node":
    import rdflib

    return rdflib.BNode(name[2:]) if name.startswith("_:") else rdflib.URIRef(name)


def _object(item: str | LiteralTerm) -> "rdflib.term.Node":
    if isinstance(item, str):
        return _node(item)
    if item.language:
        return _term(Literal(item.value, language=item.language))
    return _term(Literal(item.value, datatype=NamedNode(item.datatype)))


def _table(results: "rdflib.Graph", shapes: "rdflib.Graph", graph: KnowledgeGraph) -> pa.Table:
    import rdflib

    sh = rdflib.Namespace(SH)
    rows = []
    for result in results.objects(None, sh.result):
        told = {name: results.value(result, sh[name]) for name in RESULT}
        rows.append(
            {
                "level": SEVERITIES.get(str(told["resultSeverity"]), "ERROR"),
                "rule": str(told["sourceConstraintComponent"]).removeprefix(SH),
                "subject": _text(told["focusNode"]),
                "property": _path(results, told["resultPath"]),
                "value": _text(told["value"]),
                "message": _text(told["resultMessage"]),
                "shape": _shape(shapes, told["sourceShape"]),
            }
        )
    rows.sort(key=lambda row: (LEVELS.index(row["level"]), *row.values()))
    return _placed(rows, graph)


RESULT = (
    *("resultSeverity", "sourceConstraintComponent", "focusNode", "resultPath", "value"),
    *("resultMessage", "sourceShape"),
)


def _text(node: "rdflib.term.Node | None") -> str:
    import rdflib

    return "" if node is None else f"_:{node}" if isinstance(node, rdflib.BNode) else str(node)


def _path(results: "rdflib.Graph", path: "rdflib.term.Node | None") -> str:
    """A predicate's IRI; another path as SPARQL writes it."""
    import rdflib

    if not isinstance(path, rdflib.BNode):
        return _text(path)
    from pyshacl.helper.path_helper import shacl_path_to_sparql_path

    # It takes pySHACL's wrapper of a graph, and asks it for no more than these.
    asked: Any = SimpleNamespace(graph=results, objects=results.objects)
    return str(shacl_path_to_sparql_path(asked, path))


def _shape(shapes: "rdflib.Graph", shape: "rdflib.term.Node | None") -> str:
    """The shape's IRI; of a shape without one, that of the shape that it is part of."""
    import rdflib

    seen = set()
    while isinstance(shape, rdflib.BNode) and shape not in seen:
        seen.add(shape)
        shape = next(iter(shapes.subjects(None, shape)), shape)
    return _text(shape)


def _placed(rows: list[dict[str, str]], graph: KnowledgeGraph) -> pa.Table:
    """Rows with the number of their entity, and the place of a statement about it."""
    statements = StatementRows(graph)
    columns: dict[str, Any] = {
        name: [row[name] for row in rows] for name in (rows[0] if rows else ())
    }
    if not rows:
        return FINDING_SCHEMA.empty_table()
    wanted = pa.array(columns["subject"], pa.string())
    entity = pc.fill_null(pc.index_in(wanted, statements.iris), -1).to_numpy()
    first = statements.first_row[entity]
    known = (entity >= 0) & (first >= 0)
    names = [str(source["name"]) for source in graph.sources]
    columns |= {
        "entity": entity,
        "source": [
            names[statements.source[row]] if there else ""
            for row, there in zip(first, known, strict=True)
        ],
        "line": [
            int(statements.line[row]) if there else 0
            for row, there in zip(first, known, strict=True)
        ],
    }
    return pa.table({name: columns[name] for name in FINDING_SCHEMA.names}).cast(FINDING_SCHEMA)
