"""A difference of graphs as RDF Patch (https://afs.github.io/rdf-delta/rdf-patch.html), to be applied.

Blank nodes that stand in the old graph go by their names in its store. New ones get names that no
node of the old graph has.
"""

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
from pyoxigraph import Literal, NamedNode

from ..graph import KnowledgeGraph
from ..vocabulary import XSD_STRING
from .graph_diff import BLANK, GraphDiff, is_blank
from .shared_numbers import Int64

NEW = "n"
ROWS = 50_000  # lines whose terms are in memory at once


def patch_lines(diff: GraphDiff) -> Iterator[str]:
    """Lines without their ends: what is taken away, then what is added, in one transaction."""
    yield "TX ."
    removed = diff.removed_triples, diff.removed_literals
    yield from (
        f"D {statement}" for statement in _statements(diff.old, *removed, _own_names(diff.old))
    )
    added = diff.added_triples, diff.added_literals
    yield from (f"A {statement}" for statement in _statements(diff.new, *added, _names(diff)))
    yield "TC ."


def _own_names(graph: KnowledgeGraph) -> pa.Array:
    return graph.entities_table["iri"].combine_chunks()


def _names(diff: GraphDiff) -> pa.Array:
    """The entities of the new graph by the names that they have, or get, in the old one."""
    old, new = _own_names(diff.old), _own_names(diff.new)
    blank = is_blank(diff.new)
    if not blank.any():
        return new
    prefix = NEW
    taken = old.filter(pa.array(is_blank(diff.old))).to_pylist()
    while any(name.startswith(BLANK + prefix) for name in taken):
        prefix += NEW
    names = new.to_pylist()
    for entity in np.flatnonzero(blank).tolist():
        partner = diff.partners[entity]
        own = names[entity].removeprefix(BLANK)
        names[entity] = f"{BLANK}{prefix}{own}" if partner < 0 else old[partner].as_py()
    return pa.array(names, pa.string())


def _statements(
    graph: KnowledgeGraph, triples: Int64, literals: Int64, names: pa.Array
) -> Iterator[str]:
    relations = [f"<{relation.iri}>" for relation in graph.relations]
    for rows in _parts(triples):
        heads, labels, tails = graph.triples[rows].T
        for head, label, tail in zip(
            _nodes(names, heads), labels.tolist(), _nodes(names, tails), strict=True
        ):
            yield f"{head} {relations[label]} {tail} ."
    columns = ["entity", "predicate", "value", "datatype", "language"]
    for rows in _parts(literals):
        table = graph.literals_table.select(columns).take(pa.array(rows))
        heads = _nodes(names, table["entity"].to_numpy())
        texts = zip(*(table[name].to_pylist() for name in columns[1:]), strict=True)
        for head, (predicate, *term) in zip(heads, texts, strict=True):
            yield f"{head} <{predicate}> {_literal(*term)} ."


def _parts(rows: Int64) -> Iterable[Int64]:
    return (rows[start : start + ROWS] for start in range(0, len(rows), ROWS))


def _nodes(names: pa.Array, entities: np.ndarray) -> list[str]:
    texts = names.take(pa.array(entities)).to_pylist()
    return [text if text.startswith(BLANK) else f"<{text}>" for text in texts]


def _literal(value: str, datatype: str, language: str) -> str:
    if language:
        return str(Literal(value, language=language))
    return str(Literal(value, datatype=NamedNode(datatype or XSD_STRING)))
