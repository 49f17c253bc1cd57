"""KGX TSV to statements: the golden mapping, every line accounted for, no crash."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from infact.errors import UserError
from infact.kg import vocabulary as v
from infact.kg.ingest import GraphSettings, ingest
from infact.kg.prefixes import Prefixes
from infact.kg.readers.kgx_source import kgx_statements, truth
from infact.kg.readers.sources import Source, TripleTemplate, source_format
from infact.kg.statements import LiteralTerm, Rejected, Statement

from ..test_ingest import balanced

SPACES = {
    "HGNC": "http://identifiers.org/hgnc/",
    "MONDO": v.OBO + "MONDO_",
    "NCBITaxon": v.OBO + "NCBITaxon_",
}
NODES = """\
id\tcategory\tname\tdescription\tprovided_by\tsynonym\txref\tin_taxon\tdeprecated\t:made by
HGNC:11603\tbiolink:NamedThing|biolink:Gene\tTBX4\tOne | two.\tinfores:hgnc\tT-box 4|SPS|\t\
ENSEMBL:ENSG00000121075\tNCBITaxon:9606\t\tann
MONDO:0005002\tbiolink:Disease\tCOPD\t\t\t\tUMLS:C0024117|DOID:3083\t\tTrue\t

WIKI:1\tbiolink:Disease\tx\t\t\t\t\t\t\t
MONDO:2\tDisease\ty\t\t\t\t\t\tperhaps\t
MONDO:3\tbiolink:Disease
MONDO:4\t\t\t\t\t\t\t\t\t
"""
EDGES = """\
id\tsubject\tpredicate\tobject\trelation\tprimary_knowledge_source\tnegated\tpublications
urn:uuid:1\tHGNC:11603\tbiolink:contributes_to\tMONDO:0005002\tRO:1\tinfores:gwas\t\tPMID:1|PMID:2
urn:uuid:2\tHGNC:11603\tbiolink:causes\tMONDO:0005002\t\tinfores:gwas\tTrue\t
urn:uuid:3\tHGNC:11603\tbiolink:causes\tMONDO:2\t\tinfores:gwas\tFALSE\t
urn:uuid:4\tHGNC:11603\tbiolink:causes\t\t\tinfores:gwas\t\t
urn:uuid:5\tHGNC:11603\tbiolink:causes\tMONDO:3\t\tinfores:gwas\tno\t
"""
GENE, DISEASE = SPACES["HGNC"] + "11603", SPACES["MONDO"] + "0005002"


def write(path: Path, text: str | bytes) -> Source:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return Source(path, path.name)


def read(path: Path, text: str) -> list[Statement | Rejected]:
    return list(kgx_statements(write(path, text), Prefixes(SPACES)))


def text(value: str) -> LiteralTerm:
    return LiteralTerm(value, v.XSD_STRING, "")


def test_every_cell_of_a_node_is_mapped_with_its_line(tmp_path: Path) -> None:
    found = [item for item in read(tmp_path / "n.tsv", NODES) if isinstance(item, Statement)]
    exact, xref = v.OBO_IN_OWL + "hasExactSynonym", v.OBO_IN_OWL + "hasDbXref"
    assert found == [
        Statement(GENE, v.RDF_TYPE, v.BIOLINK + "NamedThing", 2),
        Statement(GENE, v.RDF_TYPE, v.BIOLINK + "Gene", 2),
        Statement(GENE, v.RDFS_LABEL, text("TBX4"), 2),
        Statement(GENE, v.DCTERMS + "description", text("One | two."), 2),
        Statement(GENE, v.BIOLINK + "provided_by", text("infores:hgnc"), 2),
        Statement(GENE, exact, text("T-box 4"), 2),
        Statement(GENE, exact, text("SPS"), 2),
        Statement(GENE, xref, text("ENSEMBL:ENSG00000121075"), 2),
        Statement(GENE, v.BIOLINK + "in_taxon", SPACES["NCBITaxon"] + "9606", 2),
        Statement(GENE, v.BIOLINK + "made_by", text("ann"), 2),
        Statement(DISEASE, v.RDF_TYPE, v.BIOLINK + "Disease", 3),
        Statement(DISEASE, v.RDFS_LABEL, text("COPD"), 3),
        Statement(DISEASE, xref, text("UMLS:C0024117"), 3),
        Statement(DISEASE, xref, text("DOID:3083"), 3),
        Statement(DISEASE, v.OWL_DEPRECATED, LiteralTerm("true", v.XSD_BOOLEAN, ""), 3),
        Statement(SPACES["MONDO"] + "2", v.RDFS_LABEL, text("y"), 6),
    ]


def test_what_a_nodes_file_says_wrongly_is_rejected_with_line_and_reason(tmp_path: Path) -> None:
    found = [item for item in read(tmp_path / "n.tsv", NODES) if isinstance(item, Rejected)]
    assert [(item.line, item.reason) for item in found] == [
        (5, "the node's id can't be used: the prefix 'WIKI' of 'WIKI:1' is not declared"),
        (6, "category: 'Disease' is neither an IRI nor prefix:name"),
        (6, "deprecated: 'perhaps' is neither true nor false"),
        (7, "2 cells where the header has 10"),
        (8, "nothing is said of the node"),
    ]
    assert found[3].text == "MONDO:3\tbiolink:Disease"


def test_an_edge_is_one_statement_and_a_negated_one_none(tmp_path: Path) -> None:
    assert read(tmp_path / "e.tsv", EDGES.replace("\n", "\r\n")) == [
        Statement(GENE, v.BIOLINK + "contributes_to", DISEASE, 2),
        Rejected(3, 0, "the edge is negated", EDGES.split("\n")[2]),
        Statement(GENE, v.BIOLINK + "causes", SPACES["MONDO"] + "2", 4),
        Rejected(
            5,
            0,
            "the edge can't be used: '' is neither an IRI nor prefix:name",
            EDGES.split("\n")[4],
        ),
        Rejected(
            6, 0, "the edge can't be used: 'no' is neither true nor false", EDGES.split("\n")[5]
        ),
    ]


@pytest.mark.parametrize("header", ["", "id\tname", "subject\tobject", "id;category"])
def test_another_header_is_a_users_error(tmp_path: Path, header: str) -> None:
    with pytest.raises(UserError, match="neither that of KGX nodes nor that of KGX edges"):
        read(tmp_path / "n.tsv", header + "\nHGNC:1\tx\n")


def test_an_overlong_line_and_bytes_that_are_no_text_are_rejected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infact.kg.readers.kgx_source.MAX_LINE", 50)
    lines = [b"id\tcategory", b"HGNC:1\t" + b"b" * 50, b"HGNC:\xff\tx", b"HGNC:1\tbiolink:Gene"]
    source = write(tmp_path / "n.tsv", b"\n".join(lines))
    one, two, three = kgx_statements(source, Prefixes(SPACES))
    assert isinstance(one, Rejected)
    assert (one.line, one.reason) == (2, "the line is longer than 50 bytes")
    assert isinstance(two, Rejected)
    assert (two.line, two.reason) == (3, "the line is not UTF-8 text")
    assert three == Statement(SPACES["HGNC"] + "1", v.RDF_TYPE, v.BIOLINK + "Gene", 4)


def test_a_tsv_is_kgx_by_its_header_unless_templates_explain_it(tmp_path: Path) -> None:
    nodes = write(tmp_path / "a.tsv", NODES)
    template = TripleTemplate("HGNC:{id}", "rdfs:label", literal="{name}")
    assert source_format(nodes) == "kgx"
    assert source_format(write(tmp_path / "b.tsv", EDGES)) == "kgx"
    assert source_format(write(tmp_path / "c", EDGES)) == "kgx"
    assert source_format(write(tmp_path / "d.tsv", "id\tname\n1\tx\n")) == "tsv"
    assert source_format(Source(nodes.path, "a", triples=(template,))) == "tsv"
    assert source_format(Source(nodes.path, "a", format="tsv")) == "tsv"
    assert source_format(Source(nodes.path, "a", format="kgx")) == "kgx"


def test_both_files_make_one_graph_whose_counts_balance(tmp_path: Path) -> None:
    sources = [write(tmp_path / "n.tsv", NODES), write(tmp_path / "e.tsv", EDGES)]
    summary = ingest(sources, tmp_path / "graph", SPACES)
    entries = json.loads((tmp_path / "graph" / "sources.json").read_text())
    assert balanced(entries)
    assert [entry["format"] for entry in entries] == ["kgx", "kgx"]
    assert (summary.read, summary.rejected) == (16 + 5 + 5, 5 + 3)


CELL = st.text("ab:|Tt1 é\r\u2028\x00\x85", max_size=8)


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(["id\tcategory\tname\tdeprecated", "subject\tpredicate\tobject\tnegated"]),
    st.lists(st.one_of(CELL, st.lists(CELL, min_size=4, max_size=4).map("\t".join))),
)
def test_every_line_gives_a_statement_or_a_rejection(
    tmp_path_factory: pytest.TempPathFactory, header: str, lines: list[str]
) -> None:
    path = tmp_path_factory.mktemp("kgx") / "x.tsv"
    content = "\n".join([header, *lines]).encode()
    found = list(kgx_statements(write(path, content), Prefixes({"a": "http://a/"})))
    told = [item.line for item in found]
    filled = [n for n, line in enumerate(content.split(b"\n"), 1) if line.strip() and n > 1]
    assert sorted(set(told)) == filled
    if header.startswith("subject"):
        assert told == filled


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.sampled_from([b"", b"id\tcategory\n", NODES.encode()]))
def test_any_bytes_are_read_or_a_users_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, before: bytes
) -> None:
    path = tmp_path_factory.mktemp("kgx") / "x.tsv"
    try:
        list(kgx_statements(write(path, before + content), Prefixes(SPACES)))
    except UserError:
        assert not before


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from([NODES, EDGES]),
    st.lists(
        st.tuples(st.integers(0, 600), st.sampled_from('\t\n\r\x00|:<>é\u2028 \\"')), max_size=6
    ),
)
def test_a_spoilt_files_counts_balance(
    tmp_path_factory: pytest.TempPathFactory, content: str, spoilt: list[tuple[int, str]]
) -> None:
    letters = list(content)
    for place, letter in spoilt:
        letters[place % len(letters)] = letter
    folder = tmp_path_factory.mktemp("spoilt")
    source = replace(write(folder / "x.tsv", "".join(letters)), format="kgx")
    try:
        ingest([source], folder / "graph", SPACES)
    except UserError:  # the header is spoilt
        return
    assert balanced(json.loads((folder / "graph" / "sources.json").read_text()))


@pytest.mark.parametrize(
    ("word", "expected"), [("True", "true"), ("t", "true"), ("1", "true"), ("FALSE", "false")]
)
def test_truths_are_written_as_xml_schema_does(word: str, expected: str) -> None:
    assert truth(word) == expected


def test_strict_lets_a_negated_edge_pass_and_no_fault(tmp_path: Path) -> None:
    header = "subject\tpredicate\tobject\tnegated\n"
    edges = "http://e/a\thttp://e/p\thttp://e/b\tfalse\nhttp://e/a\thttp://e/p\thttp://e/c\ttrue\n"
    path = tmp_path / "edges.tsv"
    path.write_text(header + edges)
    source, strict = Source(path, "edges.tsv", format="kgx"), GraphSettings(strict=True)
    assert ingest([source], tmp_path / "graph", settings=strict).rejected == 1
    path.write_text(header + edges + "http://e/a\tno iri\thttp://e/d\tfalse\n")
    with pytest.raises(UserError, match="can't be used"):
        ingest([source], tmp_path / "other", settings=strict)
