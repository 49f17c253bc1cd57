"""SHACL shapes (W3C 2017) over a graph, validated by pySHACL.

pySHACL works on an rdflib graph, which is slow to fill. Core constraints follow only the predicates
that the shapes name, and classes: where no shape is closed or asks in SPARQL, only statements of
those predicates are handed over, and the verdicts are those over the whole graph. Nothing is
fetched: owl:imports isn't followed, and queries may not name other graphs or servers. JavaScript and
SHACL's advanced features (rules, functions) are off.
"""

import logging
import re
from collections.abc import Iterator
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyoxigraph import BlankNode, Literal, NamedNode, Store

from ...errors import UserError
from .. import vocabulary as v
from ..graph import KnowledgeGraph
from ..names import clean_name
from ..statements import LiteralTerm
from .findings import FINDING_SCHEMA, LEVELS
from .shapes_file import SH, Shapes
from .statement_rows import StatementRows

if TYPE_CHECKING:
    import rdflib

SEVERITIES = {SH + "Violation": "ERROR", SH + "Warning": "WARN", SH + "Info": "INFO"}
TARGETS = tuple(
    SH + name for name in ("targetClass", "targetNode", "targetSubjectsOf", "targetObjectsOf")
)
KINDS = (SH + "NodeShape", SH + "PropertyShape")
ANYTHING = "urn:infact:anything"
# One core: 78,821 statements of hp.obo and three property shapes took 5.6 s, 3,030 findings.
STATEMENTS_A_SECOND = 14_000


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
    import rdflib

    described = _described(shapes)
    data = rdflib.Graph()
    for triple in _followed_triples(graph.store(), shapes.predicates):
        data.add(triple)
    return _table(_validated(data, described, shapes.name), described, graph)


def try_shapes(shapes: Shapes) -> None:
    """Hold a made-up entity to the shapes: what is wrong with most is found without any graph.

    Raises:
        UserError: pySHACL doesn't take the shapes.
    """
    import rdflib

    described = _described(shapes)
    for one in shapes.statements:
        if one.predicate in TARGETS or (one.predicate == v.RDF_TYPE and one.object in KINDS):
            target = rdflib.URIRef(SH + "targetNode")
            described.add((_node(one.subject), target, rdflib.URIRef(ANYTHING)))
    _validated(rdflib.Graph(), described, shapes.name)


def _described(shapes: Shapes) -> "rdflib.Graph":
    import rdflib

    described = rdflib.Graph()
    for one in shapes.statements:
        described.add((_node(one.subject), rdflib.URIRef(one.predicate), _object(one.object)))
    return described


def _validated(data: "rdflib.Graph", described: "rdflib.Graph", name: str) -> "rdflib.Graph":
    """pySHACL's results; raises UserError where it doesn't take the shapes."""
    import pyshacl  # half a second
    import rdflib
    from pyparsing import ParseException
    from pyshacl.errors import ReportableRuntimeError

    logging.getLogger("pyshacl-validate").disabled = True  # it prints what it raises
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
    except (ReportableRuntimeError, ParseException, re.error) as error:
        raise _unusable(str(getattr(error, "message", error)), name) from error
    if not isinstance(results, rdflib.Graph):
        raise _unusable(text, name)
    return results


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
    places = {iri: statements.iris.find(iri) for iri in sorted(set(columns["subject"]))}
    entity = np.array([-1 if (n := places[iri]) is None else n for iri in columns["subject"]])
    first = np.where(entity < 0, -1, statements.first[entity])
    known = first >= 0
    names = [str(source["name"]) for source in graph.sources]
    source, line = statements.all.origin(first)
    columns |= {
        "entity": entity,
        "source": [
            names[number] if there else "" for number, there in zip(source, known, strict=True)
        ],
        "line": line,
    }
    return pa.table({name: columns[name] for name in FINDING_SCHEMA.names}).cast(FINDING_SCHEMA)
