"""The store holds just the statements of the tables, whatever characters are in them."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pyoxigraph
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from infact.errors import UserError
from infact.kg.readers.blocks import block_of
from infact.kg.statements import LiteralTerm, Statement
from infact.kg.storage import store
from infact.kg.storage.store import StoreWriter
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
        st.just(""),
    ),
    max_size=12,
)


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


def write(folder: Path, statements: Iterable[Statement]) -> None:
    with StoreWriter(folder) as writer:
        for statement in statements:
            writer.add(block_of([statement]))
        writer.finish()


def held(folder: Path) -> set[pyoxigraph.Triple]:
    return {quad.triple for quad in Store.read_only(str(folder))}


@given(STATEMENTS)
def test_the_text_reads_back_as_the_statements_without_blank_nodes(
    statements: list[Statement],
) -> None:
    read = [quad.triple for quad in parse(block_of(statements).text, RdfFormat.N_QUADS)]
    named = [s for s in statements if "_:" not in (s.subject[:2], str(s.object)[:2])]
    assert read == [triple(statement) for statement in named]


@settings(max_examples=15, deadline=None)
@given(statements=STATEMENTS)
def test_a_store_written_in_several_loads_holds_them_all(
    tmp_path_factory: pytest.TempPathFactory, statements: list[Statement]
) -> None:
    folder = tmp_path_factory.mktemp("store") / "store"
    whole, store.LOAD = store.LOAD, 100
    try:
        write(folder, statements)
    finally:
        store.LOAD = whole
    assert held(folder) == {triple(statement) for statement in statements}


OLD = [Statement("http://e/a", "http://e/p", "http://e/b")]
NEW = [Statement("http://e/a", "http://e/p", "http://e/c")]


def test_an_older_store_is_replaced(tmp_path: Path) -> None:
    write(tmp_path / "store", OLD)
    write(tmp_path / "store", NEW)
    assert held(tmp_path / "store") == {triple(NEW[0])}
    assert [path.name for path in tmp_path.iterdir()] == ["store"]


def test_an_older_store_stays_where_reading_fails(tmp_path: Path) -> None:
    def broken() -> Iterator[Statement]:
        yield NEW[0]
        raise UserError("the file breaks off here", "a.ttl:2", "mend it")

    write(tmp_path / "store", OLD)
    with pytest.raises(UserError):
        write(tmp_path / "store", broken())
    assert held(tmp_path / "store") == {triple(OLD[0])}
    assert [path.name for path in tmp_path.iterdir()] == ["store"]


def test_an_error_of_a_load_is_raised_where_it_is_waited_for(tmp_path: Path) -> None:
    bad = [Statement("http://e/a b>", "http://e/p", "http://e/b")]
    with pytest.raises(SyntaxError):
        write(tmp_path / "store", bad)
    assert list(tmp_path.iterdir()) == []
