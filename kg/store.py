"""The Oxigraph store of a graph directory: every statement once, for SPARQL."""

import itertools
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyoxigraph import BlankNode, Literal, NamedNode, Quad, RdfFormat, Store

from . import vocabulary as v
from .statements import LiteralTerm
from .tables import Int32, StatementTables

Bools = NDArray[np.bool_]
BLANK = "_:"
# Statements in one load: Oxigraph holds a whole load in memory, about a kilobyte a statement.
BATCH = 100_000
SPACE, NOTHING, END, QUOTE = (pa.scalar(text, pa.large_string()) for text in (" ", "", " .\n", '"'))
# Of N-Triples, section 2.4; the backslash first.
ESCAPES = (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r"))


def write_store(directory: Path, tables: StatementTables) -> None:
    """Write a new store; an older one at the same place is removed.

    Nearly all of it runs without Python's lock, so it can be done beside other work.
    """
    shutil.rmtree(directory, ignore_errors=True)
    store = Store(directory)
    blank = np.array([iri.startswith(BLANK) for iri in tables.entities], bool)
    for text in ntriples(tables, ~blank):
        # Terms were checked when they were read.
        store.bulk_load(bytes(text), RdfFormat.N_TRIPLES, lenient=True)
    # A load gives blank nodes new names, so theirs are handed over as objects.
    remaining = _quads_of(tables, blank)
    while batch := list(itertools.islice(remaining, BATCH)):
        store.bulk_extend(batch)
    store.flush()


def ntriples(tables: StatementTables, wanted: Bools) -> Iterator[memoryview]:
    """The statements about (entities,) wanted entities alone as N-Triples text, in parts."""
    resources = pa.array([f"<{iri}>" for iri in tables.entities], pa.large_string())
    relations = pa.array([f"<{iri}>" for iri in tables.relations], pa.large_string())
    rows = tables.triples[wanted[tables.triples[:, 0]] & wanted[tables.triples[:, 2]]]
    yield from _lines(rows, resources, relations, resources)
    predicates = pa.array([f"<{iri}>" for iri in tables.literal_predicates], pa.large_string())
    rows = tables.literals[wanted[tables.literals[:, 0]]]
    yield from _lines(rows, resources, predicates, _literals(tables.literal_terms))


def _quads_of(tables: StatementTables, wanted: Bools) -> Iterator[Quad]:
    """The statements about any of the (entities,) wanted entities, in the default graph."""
    rows = tables.triples[wanted[tables.triples[:, 0]] | wanted[tables.triples[:, 2]]]
    for head, relation, tail in rows.tolist():
        subject, item = _node(tables.entities[head]), _node(tables.entities[tail])
        yield Quad(subject, NamedNode(tables.relations[relation]), item)
    for entity, predicate, term in tables.literals[wanted[tables.literals[:, 0]]].tolist():
        named = NamedNode(tables.literal_predicates[predicate])
        yield Quad(_node(tables.entities[entity]), named, _literal(tables.literal_terms[term]))


def _node(iri: str) -> NamedNode | BlankNode:
    return BlankNode(iri[len(BLANK) :]) if iri.startswith(BLANK) else NamedNode(iri)


def _literal(term: LiteralTerm) -> Literal:
    if term.language:
        return Literal(term.value, language=term.language)
    return Literal(term.value, datatype=NamedNode(term.datatype))


def _lines(
    rows: Int32, subjects: pa.Array, predicates: pa.Array, objects: pa.Array
) -> Iterator[memoryview]:
    """Rows (n, 3) of numbers as lines; a column's numbers are places in its array of terms."""
    for start in range(0, len(rows), BATCH):
        part = rows[start : start + BATCH]
        columns = [
            terms.take(pa.array(np.ascontiguousarray(part[:, place])))
            for place, terms in enumerate((subjects, predicates, objects))
        ]
        joined = pc.binary_join_element_wise(*columns, SPACE)
        yield _text(pc.binary_join_element_wise(joined, END, NOTHING))


def _text(lines: pa.Array) -> memoryview:
    """The characters of an array's texts, one after another, without a copy."""
    _, offsets, characters = lines.buffers()
    ends = np.frombuffer(offsets, np.int64)[[lines.offset, lines.offset + len(lines)]]
    return memoryview(characters)[ends[0] : ends[1]]


def _literals(terms: Sequence[LiteralTerm]) -> pa.Array:
    """Literals with their language, or with their datatype."""
    values = pa.array([term.value for term in terms], pa.large_string())
    for character, escape in ESCAPES:
        values = pc.replace_substring(values, character, escape)
    kinds = {(term.datatype, term.language) for term in terms}
    suffixes = {kind: _suffix(*kind) for kind in kinds}
    endings = pa.array(
        [suffixes[term.datatype, term.language] for term in terms], pa.large_string()
    )
    return pc.binary_join_element_wise(QUOTE, values, endings, NOTHING)


def _suffix(datatype: str, language: str) -> str:
    if language:
        return f'"@{language}'
    return '"' if datatype == v.XSD_STRING else f'"^^<{datatype}>'
