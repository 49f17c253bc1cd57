"""Lines cut by columns say what Oxigraph's parser says, statement by statement, and refuse the same."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from hypothesis import example, given, settings
from hypothesis import strategies as st
from infact.kg.readers.blocks import Block, block_of
from infact.kg.readers.line_blocks import PLAIN_IRI, is_iri, line_block
from infact.kg.readers.parsed_quads import QuadConverter, single_lines
from infact.kg.statements import Rejected
from pyoxigraph import BlankNode, Literal, NamedNode, Quad, RdfFormat, serialize

Line = tuple[int, bytes]
IRIS = st.sampled_from(
    ["http://e.org/a", "http://e.org:80/b?c=d#e", "urn:x:y", "mailto:a@b.c", "http://é.org/%20"]
)
NODES = IRIS.map(NamedNode)
TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=8)
LITERALS = st.one_of(
    TEXTS.map(Literal),
    st.builds(
        lambda text, tag: Literal(text, language=tag), TEXTS, st.sampled_from(["en", "de-AT"])
    ),
    st.builds(lambda text, iri: Literal(text, datatype=iri), TEXTS, NODES),
)
BLANKS = st.sampled_from(["b0", "b1"]).map(BlankNode)
QUADS = st.builds(
    Quad,
    st.one_of(NODES, BLANKS),
    NODES,
    st.one_of(NODES, BLANKS, LITERALS),
    st.one_of(st.none(), NODES, BLANKS),
)
SPOILT = st.lists(
    st.tuples(st.integers(0, 2000), st.sampled_from(list('<>"\\ .@^_:#\t\r\n{é0'))), max_size=3
)


def rows(block: Block) -> list[dict[str, object]]:
    """Every row of its tables, sorted."""
    found = [row for table in (*block.triples, *block.literals) for row in table.to_pylist()]
    return sorted(found, key=lambda row: str(sorted(row.items())))


def one_by_one(lines: list[Line]) -> Block:
    """The oracle: each line parsed alone by Oxigraph."""
    filled = [(number, line) for number, line in lines if line.strip() and line.strip()[:1] != b"#"]
    return block_of(list(single_lines(filled, RdfFormat.N_QUADS, QuadConverter(0))))


def cut(data: bytes) -> tuple[Block, list[Line]]:
    """The block, and the lines that weren't written plainly."""
    left: list[Line] = []

    def others(lines: list[Line]) -> Block:
        left.extend(lines)
        return one_by_one(lines)

    return line_block(data, np.arange(1, data.count(b"\n") + 1), others), left


IRI_LETTERS = st.text(st.sampled_from(list("ab0:/?#[]@!$&'()*+,;=%-._~é {|\\^`<")), max_size=12)


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(["http:", "http://a", "urn:", "", "http://a:8", "a+b:/"]), IRI_LETTERS)
@example("http://e.org:", "_0/b")
def test_plain_iris_are_valid_iris(beginning: str, rest: str) -> None:
    text = beginning + rest
    if pc.match_substring_regex(pa.array([text]), PLAIN_IRI)[0].as_py():
        assert is_iri(text)


@settings(max_examples=300, deadline=None)
@given(st.lists(QUADS, min_size=1, max_size=6), SPOILT)
@example([Quad(NamedNode("urn:a"), NamedNode("urn:b"), Literal("<x> <y> ."))], [])
def test_columns_agree_with_the_parser(quads: list[Quad], spoilt: list[tuple[int, str]]) -> None:
    text = serialize(quads, format=RdfFormat.N_QUADS)
    assert text is not None
    letters = list(text.decode())
    for place, letter in spoilt:
        letters[place % len(letters)] = letter
    unified = "".join(letters).replace("\r\n", "\n").replace("\r", "\n")  # as lines are read
    data = (unified.rstrip("\n") + "\n").encode()
    found, _ = cut(data)
    expected = one_by_one(list(enumerate(data.split(b"\n"), 1)))
    assert rows(found) == rows(expected)
    assert found.read == expected.read
    assert sorted(found.rejected) == sorted(expected.rejected)
    assert sorted(found.text.splitlines()) == sorted(expected.text.splitlines())


def test_plain_lines_need_no_parser() -> None:
    plain = (
        b"<http://e/a> <http://e/p> <http://e/b> .\n"
        b'<http://e/a> <http://e/p> "text <x> . y" .\n'
        b'<http://e/a> <http://e/p> "text"@en-gb <http://e/g> .\n'
        b'<http://e/a> <http://e/p> "7"^^<http://www.w3.org/2001/XMLSchema#integer> .\n'
    )
    block, left = cut(plain)
    assert (block.read, left, block.text) == (4, [], plain)


def test_what_is_not_plain_is_left_to_the_parser() -> None:
    lines = [
        b"# a comment",
        b'<http://e/a> <http://e/p> "a \\"quoted\\" text" .',
        b"_:b <http://e/p> <http://e/b> .",
        b"<http://e/a>  <http://e/p> <http://e/b> .",
        b"<http://e/a> <http://e/p> <no iri> .",
        b'<http://e/a> <http://e/p> "x"@EN .',
        b"<http://e/a> <http://e/p> <http://e/b> . # why",
        b'<http://e/a> <http://e/p> "x"^^<http://www.w3.org/1999/02/22-rdf-syntax-ns#langString> .',
    ]
    block, left = cut(b"\n".join(lines) + b"\n")
    assert [line for _, line in left] == lines
    assert [item.line for item in block.rejected if isinstance(item, Rejected)] == [5, 8]
    assert block.read == 7
