"""RDF/XML cut into elements: the same as parsed whole, with lines, and past errors."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from infact.kg.readers import statement_groups, written, xml_groups
from infact.kg.readers.blocks import block_of, statements_in
from infact.kg.readers.parsed_quads import QuadConverter
from infact.kg.readers.statement_groups import blocks_of_groups
from infact.kg.statements import Rejected, Statement
from pyoxigraph import RdfFormat, parse

HEAD = """<?xml version="1.0" encoding="utf-8"?>
<!-- it's a <head> -->
<!DOCTYPE rdf:RDF [ <!ENTITY e "http://e.org/" > <!ENTITY odd "it is" > ]>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xml:lang="en"
  xmlns:e="http://e.org/" xml:base="http://e.org/base"
  xmlns:f="http://f/>">"""
END = "</rdf:RDF>"


def read(text: str) -> list[Statement | Rejected]:
    data = text.encode()
    head = xml_groups.xml_head(data)
    file = io.BytesIO(data)
    file.read(len(head))
    groups = xml_groups.xml_groups(file, head)
    blocks = blocks_of_groups(groups, xml_groups.XML_GRAMMAR, QuadConverter(0))
    return [item for block in blocks for item in statements_in(block)]


def whole(text: str) -> set[Statement | Rejected]:
    convert = QuadConverter(0)
    quads = parse(text.encode(), RdfFormat.RDF_XML)
    return set(statements_in(block_of([convert(quad, 0) for quad in quads])))


def element(parts: tuple[str, list[tuple[str, str]]]) -> str:
    name, inner = parts
    within = "".join(before + each for before, each in inner)
    return f'<e:T rdf:about="{name}">{within}</e:T>' if within else f"<e:T rdf:nodeID='{name}'/>"


texts = st.lists(
    st.sampled_from(["a", " ", "\n", "&e;", "&odd;", "&lt;/e:T&gt;", "/>", ">", '"', "'", "é"]),
    max_size=5,
).map("".join)
values = st.lists(st.sampled_from(["a", "/>", ">", "'", "&e;", "&#10;"]), max_size=4).map("".join)
quiet = st.sampled_from(
    ["", "\n", "<!-- <e:T> -- it's -->".replace(" -- ", " "), "<?a <b>?>", "\n\n"]
)
properties = st.one_of(
    texts.map(lambda text: f"<e:p>{text}</e:p>"),
    texts.map(lambda text: f"<e:p xml:lang='de'\n>{text}</e:p >"),
    st.just('<e:p rdf:resource="&e;a" />'),
    st.just("<e:p><![CDATA[</e:p> <e:q>]]></e:p>"),
    st.just("<e:p rdf:parseType='Resource'><e:q>x</e:q></e:p>"),
    values.map(lambda value: f'<e:p e:q="{value}"/>'),
)
elements = st.recursive(
    st.tuples(st.sampled_from(["a", "b"]), st.lists(st.tuples(quiet, properties), max_size=3)),
    lambda inner: st.tuples(
        st.sampled_from(["a", "b"]),
        st.lists(st.tuples(quiet, inner.map(element).map("<e:p>{}</e:p>".format)), max_size=2),
    ),
    max_leaves=4,
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(quiet, elements.map(element)), max_size=5), st.integers(1, 60))
def test_it_is_as_if_parsed_whole(parts: list[tuple[str, str]], size: int) -> None:
    text = HEAD + "".join(before + each for before, each in parts) + END
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(written, "BLOCK", size)
        patch.setattr(statement_groups, "TOGETHER", 80)
        found = read(text)
    assert {item._replace(line=0) for item in found} == whole(text)


def test_a_statement_has_the_line_of_its_element() -> None:
    text = f"""{HEAD}
<e:T rdf:about="a">
  <e:p>b</e:p>
</e:T>
<!-- c -->
<e:T rdf:about="d"/></rdf:RDF>
"""
    lines = {(item.subject[-1], item.line) for item in read(text) if isinstance(item, Statement)}
    assert lines == {("a", 7), ("d", 11)}


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ('<e:T rdf:about="http://a b"/>', "IRI"),
        ("<e:T><e:p>&what;</e:p></e:T>", "what"),
        ("<e:T><e:p></e:T></e:p>", "ill-formed"),
        ("text", "text"),
        ('<x:T rdf:about="a"/>', "x"),
    ],
)
def test_a_bad_element_alone_is_rejected(bad: str, reason: str) -> None:
    others = [f'<e:T rdf:about="{number}"><e:p>"</e:p></e:T>' for number in range(9)]
    text = "\n".join([HEAD, *others[:4], bad, *others[4:], END])
    found = read(text)
    (item,) = (item for item in found if isinstance(item, Rejected))
    assert (item.line, item.text) == (11, bad)
    assert reason in item.reason
    assert len(found) == 1 + 2 * len(others)


@pytest.mark.parametrize(
    ("tail", "line", "reason"),
    [
        ("<e:T><e:p>", 8, xml_groups.OPEN),
        ("</e:T></rdf:RDF>", 8, xml_groups.BEHIND),
        ("</rdf:RDF><e:T/>", 8, xml_groups.BEHIND),
        ("", 9, xml_groups.CUT),
    ],
)
def test_what_isnt_well_formed_ends_the_reading(tail: str, line: int, reason: str) -> None:
    found = read(f'{HEAD}\n<e:T rdf:about="a"/>\n{tail}')
    rejected = [(item.line, item.reason) for item in found if isinstance(item, Rejected)]
    assert rejected == [(line, reason)]
    assert any(isinstance(item, Statement) for item in found)


@pytest.mark.parametrize(
    "text", ["", "<e:T/>", "<a>" * 9, HEAD.replace('"it is"', "'it is'"), "<rdf:RDF/>"]
)
def test_another_document_has_no_head(text: str) -> None:
    assert xml_groups.xml_head(text.encode()) == b""
