import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from infact.errors import UserError
from infact.kg.readers.blocks import statements_in
from infact.kg.readers.rdf_source import rdf_blocks
from infact.kg.readers.sources import Source
from infact.kg.statements import LiteralTerm, Rejected, Statement
from pyoxigraph import BlankNode, Literal, NamedNode, Quad, RdfFormat, parse, serialize

STRING = "http://www.w3.org/2001/XMLSchema#string"
TURTLE = b"""@prefix e: <http://e.org/> .
e:a a e:Thing ; e:name "A"@en-GB , "one" ; e:near [ e:name "inner" ] .
"""


def read(path: Path, content: bytes, number: int = 0) -> list[Statement | Rejected]:
    path.write_bytes(content)
    blocks = rdf_blocks(Source(path, path.name), number)
    found = [item for block in blocks for item in statements_in(block)]
    return sorted(found, key=place)


def place(item: Statement | Rejected) -> tuple[int, str]:
    return item.line, str(item)


def test_turtle(tmp_path: Path) -> None:
    found = read(tmp_path / "a.ttl", TURTLE, number=3)
    blank = "_:s3b0"
    assert {item.line for item in found} == {2}
    assert {item._replace(line=0) for item in found} == {
        Statement(
            "http://e.org/a",
            "http://www.w3.org/1999/02/22-rdf-syntax-ns#type",
            "http://e.org/Thing",
        ),
        Statement(
            "http://e.org/a",
            "http://e.org/name",
            LiteralTerm("A", "http://www.w3.org/1999/02/22-rdf-syntax-ns#langString", "en-gb"),
        ),
        Statement("http://e.org/a", "http://e.org/name", LiteralTerm("one", STRING, "")),
        Statement("http://e.org/a", "http://e.org/near", blank),
        Statement(blank, "http://e.org/name", LiteralTerm("inner", STRING, "")),
    }
    assert read(tmp_path / "a.ttl", TURTLE, number=3) == found


@pytest.mark.parametrize(
    ("name", "rdf_format"),
    [
        ("a.ttl", RdfFormat.TURTLE),
        ("a.nt", RdfFormat.N_TRIPLES),
        ("a.nq", RdfFormat.N_QUADS),
        ("a.trig", RdfFormat.TRIG),
        ("a.rdf", RdfFormat.RDF_XML),
        ("a.jsonld", RdfFormat.JSON_LD),
    ],
)
def test_every_format_says_the_same(tmp_path: Path, name: str, rdf_format: RdfFormat) -> None:
    triples = [quad for quad in parse(TURTLE, RdfFormat.TURTLE) if "inner" not in str(quad)]
    triples = [quad for quad in triples if not isinstance(quad.object, BlankNode)]
    content = serialize(triples, format=rdf_format)
    assert content is not None
    found = {item._replace(line=0) for item in read(tmp_path / name, content)}  # type: ignore[arg-type]
    assert len(found) == 3
    assert found == {
        item._replace(line=0)
        for item in read(tmp_path / "b.ttl", TURTLE)
        if isinstance(item, Statement) and "_:" not in f"{item.subject} {item.object}"
    }


iris = st.from_regex(r"http://e\.org/[a-z0-9]{1,6}", fullmatch=True).map(NamedNode)
texts = st.text(st.characters(blacklist_categories=["Cs"]), max_size=20)
quads = st.builds(Quad, iris, iris, st.one_of(iris, texts.map(Literal)))


@settings(max_examples=50, deadline=None)
@given(st.lists(quads, max_size=15), st.lists(st.booleans(), min_size=15, max_size=15))
def test_n_triples_keep_text_and_line_among_bad_lines(
    tmp_path_factory: pytest.TempPathFactory, triples: list[Quad], spoilt: list[bool]
) -> None:
    lines, expected = [], []
    for quad, bad in zip(triples, spoilt, strict=False):
        if bad:
            lines += [b"# a comment", b"", b"<http://e.org/a> nonsense ."]
        lines.append((serialize([quad], format=RdfFormat.N_TRIPLES) or b"").rstrip(b"\n"))
        item = quad.object
        value = item.value if isinstance(item, NamedNode) else LiteralTerm(item.value, STRING, "")  # type: ignore[union-attr]
        expected.append((quad.subject.value, quad.predicate.value, value, len(lines)))  # type: ignore[union-attr]
    path = tmp_path_factory.mktemp("nt") / "a.nt"
    found = read(path, b"\n".join(lines))
    assert [item[:4] for item in found if isinstance(item, Statement)] == expected
    rejected = [item for item in found if isinstance(item, Rejected)]
    assert [lines[item.line - 1] for item in rejected] == [b"<http://e.org/a> nonsense ."] * len(
        rejected
    )
    assert len(rejected) == sum(spoilt[: len(triples)])


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        (
            "a.jsonld",
            json.dumps({"@context": "https://schema.org/", "name": "x"}).encode(),
            "context",
        ),
        ("a.jsonld", b'{"a":', "N-Triples"),
        ("a.rdf", b"<rdf:RDF", "N-Triples"),
    ],
)
def test_errors_say_how_to_mend(tmp_path: Path, name: str, content: bytes, word: str) -> None:
    with pytest.raises(UserError, match=r"(?s).*") as raised:
        read(tmp_path / name, content)
    assert word in raised.value.fix


RDF_XML = """<?xml version="1.0"?><!DOCTYPE r [%s]>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:e="http://e.org/">
<rdf:Description rdf:about="http://e.org/a"><e:b>%s</e:b></rdf:Description></rdf:RDF>"""


@pytest.mark.parametrize(
    "declared",
    [
        '<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">',
        '<!ENTITY b SYSTEM "file:///etc/passwd">',
        f'<!ENTITY b "{"x" * 1000}">',
        '<!ENTITY % p "x"><!ENTITY b "y">',
    ],
)
def test_xml_entities_that_can_grow_are_refused(tmp_path: Path, declared: str) -> None:
    with pytest.raises(UserError, match="entities"):
        read(tmp_path / "a.rdf", (RDF_XML % (declared, "&b;")).encode())


def test_plain_xml_entities_are_read(tmp_path: Path) -> None:
    found = read(tmp_path / "a.rdf", (RDF_XML % ('<!ENTITY b "text">', "&b;")).encode())
    assert [item.object.value for item in found] == ["text"]  # type: ignore[union-attr]


def test_triple_terms_are_rejected_with_their_line(tmp_path: Path) -> None:
    line = b"<http://e.org/a> <http://e.org/b> <<( <http://e.org/a> <http://e.org/b> <http://e.org/c> )>> .\n"
    (item,) = read(tmp_path / "a.nt", line)
    assert isinstance(item, Rejected)
    assert item.line == 1


def test_compressed_files_are_read_and_bombs_refused(tmp_path: Path) -> None:
    assert len(read(tmp_path / "a.ttl.gz", gzip.compress(TURTLE))) == 5
    bomb = gzip.compress(b"# " + b" " * 30_000_000 + b"\n" + TURTLE)
    with pytest.raises(UserError, match="decompresses"):
        read(tmp_path / "b.ttl.gz", bomb)
    with pytest.raises(UserError, match="decompressed"):
        read(tmp_path / "c.ttl.gz", gzip.compress(TURTLE)[:-12])


def test_progress_sums_to_the_size_on_disk(tmp_path: Path) -> None:
    path = tmp_path / "a.ttl"
    path.write_bytes(TURTLE)
    steps: list[int] = []
    list(rdf_blocks(Source(path, "a"), 0, steps.append))
    assert sum(steps) == len(TURTLE)
