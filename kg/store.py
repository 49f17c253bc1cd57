"""The Oxigraph store of a graph directory: every statement once, for SPARQL."""

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path

from pyoxigraph import BlankNode, Literal, NamedNode, Quad, Store

from . import vocabulary as v
from .statements import LiteralTerm
from .tables import StatementTables

BATCH = 100_000  # quads; Oxigraph holds a whole bulk load in memory, about a kilobyte a quad


def write_store(directory: Path, tables: StatementTables) -> None:
    """Write a new store; an older one at the same place is removed."""
    shutil.rmtree(directory, ignore_errors=True)
    store = Store(directory)
    remaining = quads(tables)
    while batch := list(itertools.islice(remaining, BATCH)):
        store.bulk_extend(batch)
    store.flush()


def quads(tables: StatementTables) -> Iterator[Quad]:
    """All statements as Oxigraph's quads in the default graph."""
    nodes = [resource(iri) for iri in tables.entities]
    relations = [NamedNode(iri) for iri in tables.relations]
    for head, relation, tail in tables.triples.tolist():
        yield Quad(nodes[head], relations[relation], nodes[tail])
    predicates = [NamedNode(iri) for iri in tables.literal_predicates]
    for entity, predicate, term in tables.literals.tolist():
        yield Quad(nodes[entity], predicates[predicate], literal(tables.literal_terms[term]))


def resource(iri: str) -> NamedNode | BlankNode:
    """An entity's IRI, or `_:label` for a blank node."""
    return BlankNode(iri[2:]) if iri.startswith("_:") else NamedNode(iri)


def literal(term: LiteralTerm) -> Literal:
    """The term with its language, or with its datatype."""
    if term.language:
        return Literal(term.value, language=term.language)
    if term.datatype == v.XSD_STRING:
        return Literal(term.value)
    return Literal(term.value, datatype=NamedNode(term.datatype))
