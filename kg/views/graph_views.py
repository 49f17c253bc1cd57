"""Parts of a graph in the forms that other libraries take: arrow tables, networkx, rdflib."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from .. import vocabulary as v

if TYPE_CHECKING:
    import networkx
    import rdflib

    from ..graph import KnowledgeGraph

BLANK = "_:"
Direction = Literal["out", "in", "both"]


def neighbours(
    graph: "KnowledgeGraph", entity: int, relation: int | None, direction: Direction
) -> pa.Table:
    """Columns relation, entity (int32), direction ("out" or "in") and row (int64, of `triples`).

    What the entity points to stands before what points to it; each sorted by relation and entity. A
    triple from an entity to itself stands in both.
    """
    parts = []
    for way, rows, end in (("out", graph.outgoing, 2), ("in", graph.incoming, 0)):
        if direction in (way, "both"):
            found = rows(entity)
            triples = graph.triples[found]
            if relation is not None:
                found, triples = (part[triples[:, 1] == relation] for part in (found, triples))
            ways = np.full(len(found), way)
            parts.append((triples[:, 1], triples[:, end], ways, found))
    columns = (pa.array(np.concatenate(column)) for column in zip(*parts, strict=True))
    return pa.table(list(columns), names=["relation", "entity", "direction", "row"])


def triples_table(graph: "KnowledgeGraph") -> pa.Table:
    """Columns head, head_label, relation, relation_label, tail, tail_label; row-aligned with `triples`.

    All are dictionary arrays, so a row costs 24 bytes however long its IRIs are; `to_reader()` of the
    table gives it in batches. A label is null where an entity has none.
    """
    iris, labels = (graph.entities_table[name].combine_chunks() for name in ("iri", "label"))
    relations = [
        pa.array([getattr(relation, name) for relation in graph.relations], pa.string())
        for name in ("iri", "label")
    ]
    columns = {}
    for place, name, texts in (
        (0, "head", (iris, labels)),
        (1, "relation", relations),
        (2, "tail", (iris, labels)),
    ):
        numbers = pa.array(np.ascontiguousarray(graph.triples[:, place]))
        for column, dictionary in zip((name, f"{name}_label"), texts, strict=True):
            columns[column] = pa.DictionaryArray.from_arrays(numbers, dictionary)
    return pa.table(columns)


def subgraph(
    graph: "KnowledgeGraph", entities: Iterable[int], steps: int
) -> "networkx.MultiDiGraph":
    """The triples among some entities and all that are at most so many triples away, either way.

    Nodes are entity numbers with iri and label, edges are keyed by relation number, with iri and label.
    """
    import networkx  # a tenth of a second, and few callers need it

    heads, _, tails = graph.triples.T
    inside = np.zeros(graph.entity_count, bool)
    inside[list(entities)] = True
    for _ in range(steps):
        touched = inside[heads] | inside[tails]
        inside[heads[touched]] = True
        inside[tails[touched]] = True
    made = networkx.MultiDiGraph()
    for entity in np.flatnonzero(inside).tolist():
        made.add_node(entity, iri=graph.iri(entity), label=graph.label(entity))
    for head, relation, tail in graph.triples[inside[heads] & inside[tails]].tolist():
        described = graph.relations[relation]
        made.add_edge(head, tail, key=relation, iri=described.iri, label=described.label)
    return made


def to_rdflib(
    graph: "KnowledgeGraph", entities: Iterable[int] | None, prefixes: Mapping[str, str] | None
) -> "rdflib.Graph":
    """The statements as an rdflib Graph.

    It is what rdflib's own parser makes of the sources: numbers and dates are normalized unless
    `rdflib.NORMALIZE_LITERALS` is False, and a string has no datatype.

    Args:
        graph: what is taken from.
        entities: only what these say, with the blank nodes that hang from it; None for everything.
        prefixes: bound beside the usual ones.
    """
    import rdflib

    from ..prefixes import Prefixes

    made = rdflib.Graph()
    for prefix, space in Prefixes(prefixes).spaces.items():
        made.bind(prefix, space)
    for statement in _rdflib_statements(graph, entities):
        made.add(statement)
    return made


def _rdflib_statements(
    graph: "KnowledgeGraph", entities: Iterable[int] | None
) -> "Iterator[tuple[rdflib.term.Node, rdflib.term.Node, rdflib.term.Node]]":
    from rdflib import BNode, URIRef
    from rdflib import Literal as RdflibLiteral

    def node(text: str) -> "URIRef | BNode":
        return BNode(text.removeprefix(BLANK)) if text.startswith(BLANK) else URIRef(text)

    nodes = [node(iri) for iri in graph.entities_table["iri"].to_pylist()]
    relations = [URIRef(relation.iri) for relation in graph.relations]
    triples, literals = graph.triples[:], graph.literals_table
    if entities is not None:
        inside = _described(graph, entities)
        triples = triples[inside[triples[:, 0]]]
        literals = literals.filter(pa.array(inside[literals["entity"].to_numpy()]))
    for head, relation, tail in triples.tolist():
        yield nodes[head], relations[relation], nodes[tail]
    columns = ("entity", "predicate", "value", "datatype", "language")
    for entity, predicate, value, datatype, language in zip(
        *(literals[name].to_pylist() for name in columns), strict=True
    ):
        if language:
            term = RdflibLiteral(value, lang=language)
        else:
            # RDF 1.1 gives every string this datatype, and rdflib tells the two apart.
            kind = None if datatype == v.XSD_STRING else URIRef(datatype)
            term = RdflibLiteral(value, datatype=kind)
        yield nodes[entity], URIRef(predicate), term


def _described(graph: "KnowledgeGraph", entities: Iterable[int]) -> NDArray[np.bool_]:
    """The entities, and the blank nodes that are reached from them over blank nodes; (entities,)."""
    inside = np.zeros(graph.entity_count, bool)
    waiting = list(entities)
    inside[waiting] = True
    while waiting:
        for tail in graph.triples[graph.outgoing(waiting.pop()), 2].tolist():
            if not inside[tail] and graph.iri(tail).startswith(BLANK):
                inside[tail] = True
                waiting.append(tail)
    return inside
