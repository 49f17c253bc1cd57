"""The store holds just the statements of the tables, whatever characters are in them."""

from pathlib import Path

import numpy as np
import pyoxigraph
from hypothesis import given, settings
from hypothesis import strategies as st
from infact.kg import store
from infact.kg.statements import LiteralTerm, Statement
from infact.kg.store import ntriples, write_store
from infact.kg.tables import StatementCollector, StatementTables
from pyoxigraph import BlankNode, Literal, NamedNode, RdfFormat, Store, parse

XSD = "http://www.w3.org/2001/XMLSchema#"
RESOURCES = st.sampled_from(["http://e/a", "http://e/b", "http://e/\u00e9#%20", "_:s0b0", "_:s1b2"])
TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
TERMS = st.one_of(
    st.builds(LiteralTerm, TEXTS, st.just(f"{XSD}string"), st.just("")),
    st.builds(LiteralTerm, TEXTS, st.just(f"{XSD}integer"), st.just("")),
    st.builds(
        LiteralTerm,
        TEXTS,
        st.just("http://www.w3.org/1999/02/22-rdf-syntax-ns#langString"),
        st.sampled_from(["en", "de-at"]),
    ),
)
STATEMENTS = st.lists(
    st.builds(
        Statement,
        RESOURCES,
        st.sampled_from(["http://e/p", "http://e/q"]),
        st.one_of(RESOURCES, TERMS),
        st.just(0),
        st.just(1),
    ),
    max_size=12,
)


def tables_of(statements: list[Statement]) -> StatementTables:
    collector = StatementCollector()
    collector.add(statements, 0, [])
    return collector.tables()


def resource(text: str) -> NamedNode | BlankNode:
    return BlankNode(text[2:]) if text.startswith("_:") else NamedNode(text)


def triple(statement: Statement) -> pyoxigraph.Triple:
    value = statement.object
    if isinstance(value, str):
        node: NamedNode | BlankNode | Literal = resource(value)
    elif value.language:
        node = Literal(value.value, language=value.language)
    else:
        node = Literal(value.value, datatype=NamedNode(value.datatype))
    return pyoxigraph.Triple(resource(statement.subject), NamedNode(statement.predicate), node)


@given(STATEMENTS)
def test_the_text_reads_back_as_the_statements_without_blank_nodes(
    statements: list[Statement],
) -> None:
    tables = tables_of(statements)
    named = np.array([not iri.startswith("_:") for iri in tables.entities], bool)
    text = b"".join(bytes(part) for part in ntriples(tables, named))
    read = [quad.triple for quad in parse(text, RdfFormat.N_TRIPLES)]
    assert len(read) == len(set(read))
    assert set(read) == {
        triple(s) for s in statements if "_:" not in (s.subject + str(s.object)[:2])
    }


@settings(max_examples=10, deadline=None)
@given(statements=STATEMENTS)
def test_a_store_written_in_several_loads_holds_them_all(
    tmp_path_factory, statements: list[Statement]
) -> None:
    folder: Path = tmp_path_factory.mktemp("store")
    whole, store.BATCH = store.BATCH, 2
    try:
        write_store(folder, tables_of(statements))
    finally:
        store.BATCH = whole
    found = {quad.triple for quad in Store.read_only(str(folder))}
    assert found == {triple(statement) for statement in statements}


def test_an_older_store_is_replaced(tmp_path: Path) -> None:
    old = [Statement("http://e/a", "http://e/p", "http://e/b")]
    new = [Statement("http://e/a", "http://e/p", "http://e/c")]
    write_store(tmp_path / "store", tables_of(old))
    write_store(tmp_path / "store", tables_of(new))
    found = [quad.triple for quad in Store.read_only(str(tmp_path / "store"))]
    assert found == [triple(new[0])]
