"""A graph written in any format and ingested is the same graph in the store, blank nodes renamed."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
import rdflib
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from infact.errors import UserError
from infact.kg.ingest import examine, ingest, source_blocks
from infact.kg.prefixes import Prefixes
from infact.kg.readers.sources import FORMATS, Source, TripleTemplate
from pyoxigraph import (
    BlankNode,
    CanonicalizationAlgorithm,
    Dataset,
    DefaultGraph,
    Literal,
    NamedNode,
    Quad,
    RdfFormat,
    Store,
    serialize,
)

from .malformed_files import FRAMES, valid

# The store's files are flushed to a disk, which takes most of the time where there is one.
FOLDER = "/dev/shm" if Path("/dev/shm").is_dir() else None
XSD = "http://www.w3.org/2001/XMLSchema#"
PREFIXES = Prefixes({"e": "http://e.org/"})
TRIPLE_FORMATS = {"nt": RdfFormat.N_TRIPLES, "ttl": RdfFormat.TURTLE, "rdf": RdfFormat.RDF_XML}
QUAD_FORMATS = {"nq": RdfFormat.N_QUADS, "trig": RdfFormat.TRIG, "jsonld": RdfFormat.JSON_LD}
RDFLIB = {"nt": "nt", "ttl": "turtle", "rdf": "xml", "jsonld": "json-ld"}

# Every character of XML 1.0, for RDF/XML can say no other; the line formats are given all of Unicode.
XML_TEXT = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")
    | st.sampled_from("\t\n \"'\\<>&"),
    max_size=12,
)
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NODES = st.from_regex(r"[a-z][a-z0-9é中_-]{0,5}", fullmatch=True).map(
    lambda name: NamedNode(f"http://e.org/{name}")
) | st.sampled_from(["urn:isbn:1", "http://e.org/a?b=c&d=%20#e", "http://e.org/"]).map(NamedNode)
PREDICATES = st.sampled_from(["p", "q_1", "étage"]).map(
    lambda name: NamedNode(f"http://e.org/{name}")
)
BLANK_NODES = st.sampled_from(["a", "b1", "c"]).map(BlankNode)
LANGUAGES = st.sampled_from(["en", "de-ch", "zh-hans-cn", "x-private"])
OWN_TYPE = st.just(NamedNode("http://e.org/type"))  # rdflib writes numbers of XSD as it sees fit
DATATYPES = OWN_TYPE | st.sampled_from(
    ["integer", "double", "boolean", "date", "decimal", "unknown"]
).map(lambda name: NamedNode(XSD + name))
# Oxigraph's store keeps numbers by value, so "01" comes back as "1"; literals.parquet keeps "01".
NUMBERS = st.sampled_from(["7", "true", "2020-02-30", "not a number", " a ", ""])


def quads(
    texts: st.SearchStrategy[str], datatypes: st.SearchStrategy[NamedNode]
) -> st.SearchStrategy[list[Quad]]:
    """Graphs of up to a dozen statements, with all kinds of terms; blank nodes are shared."""
    literals = (
        texts.map(Literal)
        | st.builds(lambda text, tag: Literal(text, language=tag), texts, LANGUAGES)
        | st.builds(lambda text, type_: Literal(text, datatype=type_), NUMBERS, datatypes)
    )
    graphs = st.sampled_from([DefaultGraph(), NamedNode("http://e.org/g"), BlankNode("h")])
    subjects = NODES | BLANK_NODES
    return st.lists(
        st.builds(Quad, subjects, PREDICATES, NODES | BLANK_NODES | literals, graphs),
        min_size=1,
        max_size=12,
    )


def compared(quads: list[Quad]) -> Dataset:
    """A dataset, its blank nodes named by RDFC-1.0."""
    dataset = Dataset(quads)
    dataset.canonicalize(CanonicalizationAlgorithm.RDFC_1_0)
    return dataset


def written(extension: str, graph: list[Quad]) -> list[Quad]:
    """What of the statements a format can say: without the names of graphs in formats of triples."""
    if extension in QUAD_FORMATS:
        return graph
    return [Quad(quad.subject, quad.predicate, quad.object) for quad in graph]


def ingested(name: str, content: bytes) -> Dataset:
    """What the store holds after the file was ingested."""
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        summary = ingest([Source(path, name)], Path(folder) / "graph")
        assert summary.rejected == 0
        return compared(list(Store.read_only(str(Path(folder) / "graph/store"))))


def by_oxigraph(extension: str) -> Callable[[list[Quad]], bytes]:
    if extension in QUAD_FORMATS:
        return lambda quads: serialize(quads, format=QUAD_FORMATS[extension]) or b""
    rdf_format = TRIPLE_FORMATS[extension]
    return lambda quads: serialize((quad.triple for quad in quads), format=rdf_format) or b""


def by_rdflib(extension: str) -> Callable[[list[Quad]], bytes]:
    def write(quads: list[Quad]) -> bytes:
        graph = rdflib.Graph()
        text = serialize((quad.triple for quad in quads), format=RdfFormat.N_TRIPLES) or b""
        graph.parse(data=text, format="nt")
        return graph.serialize(format=RDFLIB[extension], encoding="utf-8")

    return write


few = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize("extension", ["nt", "nq", "ttl", "trig"])
@few
@given(graph=quads(ANY_TEXT, DATATYPES))
def test_text_formats_of_oxigraph(extension: str, graph: list[Quad]) -> None:
    content = by_oxigraph(extension)(graph)
    assert ingested(f"a.{extension}", content) == compared(written(extension, graph))


@pytest.mark.parametrize("extension", ["rdf", "jsonld"])
@few
@given(graph=quads(XML_TEXT, DATATYPES))
def test_trees_of_oxigraph(extension: str, graph: list[Quad]) -> None:
    content = by_oxigraph(extension)(graph)
    assert ingested(f"a.{extension}", content) == compared(written(extension, graph))


@pytest.mark.parametrize("extension", RDFLIB)
@few
@given(graph=quads(XML_TEXT, OWN_TYPE))
def test_formats_of_rdflib(extension: str, graph: list[Quad]) -> None:
    content = by_rdflib(extension)(graph)
    # Its writer of JSON-LD leaves out blank nodes that only they themselves point to.
    assume(len(rdflib.Graph().parse(data=content, format=RDFLIB[extension])) == size(graph))
    assert ingested(f"a.{extension}", content) == compared(written("nt", graph))


def size(graph: list[Quad]) -> int:
    """How many triples there are, whatever graph they are in."""
    return len({quad.triple for quad in graph})


def read_or_refused(name: str, content: bytes) -> None:
    """Raises what isn't a UserError, and where more is stored or rejected than read."""
    template = TripleTemplate("{id}", "rdfs:label", literal="{label}")
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        triples = (template,) if name.endswith((".csv", ".tsv")) else ()
        source = Source(path, name, triples=triples)
        try:
            examine(source)
            blocks = list(source_blocks(source, 0, PREFIXES))
        except UserError:
            return
    for block in blocks:
        rows = sum(table.num_rows for table in (*block.triples, *block.literals))
        assert block.read >= rows + len(block.rejected)


EXTENSIONS = st.sampled_from([*sorted(FORMATS), "gz", "bz2", "zst", "unknown", ""])


@settings(max_examples=80, deadline=None)
@given(EXTENSIONS, st.binary(max_size=200))
@example("", b"\x1f\x8b")
@example("ttl", b"BZh")
@example("nt", b"\x28\xb5\x2f\xfd")
def test_any_bytes_are_read_or_refused(extension: str, content: bytes) -> None:
    read_or_refused(f"a.{extension}", content)


@settings(max_examples=250, deadline=None)
@given(st.sampled_from(sorted(FRAMES)), st.data())
def test_any_change_of_a_valid_file_is_read_or_refused(extension: str, data: st.DataObject) -> None:
    content = valid(extension)
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(content)))
        end = data.draw(st.integers(start, min(len(content), start + 20)))
        new = data.draw(
            st.binary(max_size=4)
            | st.sampled_from([b'"', b"'", b"\\", b"<", b"\n", b"[", b"}", b"."])
        )
        content = content[:start] + new + content[end:]
    read_or_refused(f"a.{extension}", content)
