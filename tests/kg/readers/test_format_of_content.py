import pytest
from hypothesis import given
from hypothesis import strategies as st
from infact.kg.readers.format_of_content import format_of
from infact.kg.readers.sources import FORMATS
from pyoxigraph import DefaultGraph, Literal, NamedNode, Quad, RdfFormat, serialize

XML = b'<?xml version="1.0"?>\n<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/>'


@pytest.mark.parametrize(
    ("beginning", "expected"),
    [
        (b"<http://a> <http://b> _:x .", "nt"),
        (b"# a comment\n\n<http://a> <http://b> <http://c> .\n", "nt"),
        (b'<http://a> <http://b> "a \\"b\\" c"@en-GB .\n', "nt"),
        (b'<http://a> <http://b> "1"^^<http://c> <http://g> .\n', "nq"),
        (b"<http://a> <http://b> <http://c> .\n<http://a> <http://b> _:c <http://g> .\n_:", "nq"),
        (b"\xef\xbb\xbf@prefix e: <http://e/> .\ne:a e:b e:c .", "ttl"),
        (b"PREFIX e: <http://e/>\ne:a e:b [ e:c e:d ] .", "ttl"),
        (b"@prefix e: <http://e/> .\ne:g { e:a e:b e:c }", "trig"),
        (b"@prefix e: <http://e/> .\nGRAPH e:g { e:a e:b e:c }", "trig"),
        (b' {"@context": {}, "@id": "x:y"}', "jsonld"),
        (b'[{"@id": "x:y"}]', "jsonld"),
        (b'{"a": 1}', ""),
        (XML, "rdf"),
        (b"<?xml version='1.0'?><html/>", ""),
        (b"format-version: 1.2\n", "obo"),
        (b"id,name\n1,x\n", "csv"),
        (b"id\tname\n1\tx\n", "tsv"),
        (b"id\tcategory\tname\r\nA:1\tbiolink:Gene\tx\r\n", "kgx"),
        (b"\xef\xbb\xbfsubject\tpredicate\tobject\n", "kgx"),
        (b"id\tsubject\tobject\n1\t2\t3\n", "tsv"),
        (b'[\n{"type":"item","id":"Q31","labels":{', "wikidata"),
        (b'{"id": "P6", "type": "property"}', "wikidata"),
        (b'{"type": "item", "id": "x"}', ""),
        (b"Some words,\nand some, more, and more\n", ""),
        (b"", ""),
    ],
)
def test_a_beginning_tells_its_format(beginning: bytes, expected: str) -> None:
    assert format_of(beginning) == expected


@given(st.binary(max_size=300))
def test_any_bytes_give_a_known_format_or_none(beginning: bytes) -> None:
    assert format_of(beginning) in {"", *FORMATS.values()}


@given(st.text(max_size=30), st.sampled_from(["", "http://g.org/"]))
def test_what_oxigraph_writes_is_told(text: str, graph: str) -> None:
    name = NamedNode(graph) if graph else DefaultGraph()
    quad = Quad(NamedNode("http://a.org/"), NamedNode("http://b.org/"), Literal(text), name)
    form = RdfFormat.N_QUADS if graph else RdfFormat.N_TRIPLES
    written = serialize([quad] * 3, format=form)
    assert written is not None
    assert format_of(written) == ("nq" if graph else "nt")
