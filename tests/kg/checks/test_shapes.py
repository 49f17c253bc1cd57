"""SHACL findings against pySHACL over everything, and nothing from the network."""

import socket
import threading

import pyshacl
import pytest
import rdflib
from infact.errors import UserError
from infact.kg.checks.findings import FINDING_SCHEMA
from infact.kg.checks.shapes import SEVERITIES, shape_findings, statements_followed, try_shapes
from infact.kg.checks.shapes_file import SH, read_shapes
from infact.kg.graph import KnowledgeGraph
from infact.kg.ingest import ingest
from infact.kg.readers.sources import Source

PREFIXES = """
@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix ex: <http://example.org/> .
"""
DATA = """
ex:Drug rdfs:subClassOf ex:Substance .
ex:a a ex:Drug ; rdfs:label "a", "b" ; ex:dose 5 ; ex:treats ex:x ; ex:note "unseen" .
ex:b a ex:Substance ; ex:dose "much" ; ex:treats [ rdfs:label "no disease" ] ; ex:other ex:a .
ex:x a ex:Disease ; rdfs:label "x"@en ; ex:causes ex:y .
ex:y a ex:Disease ; rdfs:label "y" ; ex:causes ex:z ; ex:maximum 3 ; ex:minimum 4 .
ex:z ex:causes ex:b .
"""
CORE = """
ex:Shape a sh:NodeShape ; sh:targetClass ex:Substance ;
  sh:property ex:Label ;
  sh:property [ sh:path ex:dose ; sh:datatype xsd:integer ; sh:severity sh:Info ] ;
  sh:property [ sh:path ex:treats ; sh:class ex:Disease ; sh:severity sh:Warning ] .
ex:Label a sh:PropertyShape ; sh:path rdfs:label ; sh:maxCount 1 ; sh:minCount 1 ; sh:message "one name" .
ex:Disease a rdfs:Class , sh:NodeShape ;
  sh:property [ sh:path ( [ sh:oneOrMorePath ex:causes ] rdfs:label ) ; sh:maxCount 0 ] ;
  sh:property [ sh:path [ sh:inversePath ex:treats ] ; sh:minCount 1 ] ;
  sh:property [ sh:path ex:minimum ; sh:lessThan ex:maximum ] ;
  sh:not [ sh:property [ sh:path ex:maximum ; sh:hasValue 3 ] ] .
ex:Objects a sh:NodeShape ; sh:targetObjectsOf ex:treats ; sh:nodeKind sh:IRI .
"""
CLOSED = "ex:Shut a sh:NodeShape ; sh:targetClass ex:Drug ; sh:closed true ; sh:ignoredProperties ( rdfs:label ) ."
ASKED = """
ex:Asking a sh:NodeShape ; sh:targetClass ex:Drug ; sh:sparql [ sh:message "noted" ;
  sh:select "SELECT $this WHERE { $this <http://example.org/note> ?note }" ] .
"""


@pytest.fixture(scope="module")
def graph(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shapes")
    (folder / "data.ttl").write_text(PREFIXES + DATA)
    ingest([Source(folder / "data.ttl", "data.ttl")], folder / "graph")
    return KnowledgeGraph(folder / "graph")


def shapes_of(text, folder):
    file = folder / "shapes.ttl"
    file.write_text(PREFIXES + text)
    return read_shapes(file)


def on_everything(graph, text):
    """(level, component, focus, value) of each result of pySHACL over the whole store."""
    data = rdflib.Graph().parse(
        data="".join(f"{quad.triple} .\n" for quad in graph.store()), format="nt"
    )
    shapes = rdflib.Graph().parse(data=PREFIXES + text, format="turtle")
    _, results, _ = pyshacl.validate(data, shacl_graph=shapes)
    sh = rdflib.Namespace(SH)

    def name(node):
        return "blank" if isinstance(node, rdflib.BNode) else str("" if node is None else node)

    return sorted(
        (
            SEVERITIES[str(results.value(one, sh.resultSeverity))],
            str(results.value(one, sh.sourceConstraintComponent)).removeprefix(SH),
            name(results.value(one, sh.focusNode)),
            name(results.value(one, sh.value)),
        )
        for one in results.subjects(rdflib.RDF.type, sh.ValidationResult)
        if (None, sh.result, one) in results
    )


@pytest.mark.parametrize("text", [CORE, CLOSED, ASKED, CORE + CLOSED, CORE + ASKED])
def test_verdicts_are_those_over_the_whole_graph(graph, tmp_path, text):
    found = shape_findings(graph, shapes_of(text, tmp_path))
    assert found.schema.equals(FINDING_SCHEMA)

    def name(term):
        return "blank" if term.startswith("_:") else term

    ours = sorted(
        (row["level"], row["rule"], name(row["subject"]), name(row["value"]))
        for row in found.to_pylist()
    )
    assert ours == on_everything(graph, text)
    assert ours


def test_core_shapes_look_only_at_the_predicates_that_they_name(graph, tmp_path):
    core = shapes_of(CORE, tmp_path)
    everything = len(graph.triples) + graph.literals_table.num_rows
    assert statements_followed(graph, core) == everything - 2  # ex:note and ex:other
    assert statements_followed(graph, shapes_of(CLOSED, tmp_path)) == everything
    assert statements_followed(graph, shapes_of(ASKED, tmp_path)) == everything


def test_a_finding_names_shape_path_message_and_entity(graph, tmp_path):
    rows = shape_findings(graph, shapes_of(CORE, tmp_path)).to_pylist()
    label = next(
        row
        for row in rows
        if row["rule"] == "MaxCountConstraintComponent" and row["message"] == "one name"
    )
    assert label["shape"] == "http://example.org/Label"
    assert label["property"] == "http://www.w3.org/2000/01/rdf-schema#label"
    assert graph.iri(label["entity"]) == label["subject"] == "http://example.org/a"
    assert label["source"] == "data.ttl"
    inline = next(row for row in rows if row["rule"] == "ClassConstraintComponent")
    assert inline["shape"] == "http://example.org/Shape"
    assert any("causes" in row["property"] and "/" in row["property"] for row in rows)


def test_a_graph_without_faults_gives_an_empty_table(graph, tmp_path):
    text = "ex:S a sh:NodeShape ; sh:targetClass ex:Nothing ; sh:nodeKind sh:IRI ."
    found = shape_findings(graph, shapes_of(text, tmp_path))
    assert found.num_rows == 0
    assert found.schema.equals(FINDING_SCHEMA)


@pytest.fixture
def listener():
    """A port on loopback, and how often anyone came."""
    came = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        done = threading.Event()

        def listen():
            while not done.is_set():
                try:
                    connection, _ = server.accept()
                except TimeoutError:
                    continue
                came.append(True)
                connection.close()

        thread = threading.Thread(target=listen)
        thread.start()
        yield server.getsockname()[1], came
        done.set()
        thread.join()


def test_imports_are_not_followed_and_scripts_not_run(graph, tmp_path, listener):
    port, came = listener
    address = f"http://127.0.0.1:{port}"
    text = f"""
    <{address}/o> a owl:Ontology ; owl:imports <{address}/more.ttl> ; sh:shapesGraph <{address}/s> .
    ex:S a sh:NodeShape ; sh:targetClass ex:Drug ; sh:js [ a sh:JSConstraint ;
      sh:jsFunctionName "f" ; sh:jsLibrary [ sh:jsLibraryURL "{address}/f.js"^^xsd:anyURI ] ] .
    """
    shape_findings(graph, shapes_of(text, tmp_path))
    assert not came


@pytest.mark.parametrize(
    "query",
    [
        "SELECT $this WHERE { SERVICE <ADDRESS> { $this ?p ?o } }",
        "SELECT $this FROM <ADDRESS> WHERE { $this ?p ?o }",
        "SELECT $this from named <ADDRESS> WHERE { graph ?g { $this ?p ?o } }",
        "SELECT $this WHERE { \\\\u0053ERVICE <ADDRESS> { $this ?p ?o } }",
    ],
)
def test_a_query_of_another_server_is_refused(tmp_path, listener, query):
    port, came = listener
    query = query.replace("ADDRESS", f"http://127.0.0.1:{port}/")
    text = f'ex:S a sh:NodeShape ; sh:targetClass ex:Drug ; sh:sparql [ sh:select "{query}" ] .'
    with pytest.raises(UserError, match="may ask another server"):
        shapes_of(text, tmp_path)
    assert not came


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("ex:a ex:b ex:c .", "no SHACL shapes"),
        ("ex:a ex:b", "Unexpected end"),
    ],
)
def test_a_faulty_file_is_told(tmp_path, text, what):
    with pytest.raises(UserError, match=what):
        shapes_of(text, tmp_path)


@pytest.mark.parametrize(
    "fault",
    [
        'sh:property [ sh:path ex:p ; sh:minCount "x" ]',
        'sh:property [ sh:path ex:p ; sh:pattern "(" ]',
        "sh:property [ sh:minCount 1 ]",
        'sh:property [ sh:path "p" ; sh:minCount 1 ]',
        'sh:sparql [ sh:select "SELEC" ]',
    ],
)
@pytest.mark.parametrize("target", ["sh:targetClass ex:Nothing", "a sh:NodeShape"])
def test_faults_are_found_without_a_graph(tmp_path, capfd, fault, target):
    try_shapes(
        shapes_of(f"ex:S {target} ; sh:property [ sh:path ex:p ; sh:minCount 1 ] .", tmp_path)
    )
    faulty = shapes_of(f"ex:S {target} ; {fault} .", tmp_path)
    with pytest.raises(UserError, match="can't be used") as caught:
        try_shapes(faulty)
    assert caught.value.where == str(tmp_path / "shapes.ttl")
    assert capfd.readouterr() == ("", "")


def test_a_pattern_that_cannot_be_read_is_told_with_a_graph_too(graph, tmp_path):
    text = 'ex:S a sh:NodeShape ; sh:targetClass ex:Drug ; sh:property [ sh:path ex:p ; sh:pattern "(" ] .'
    with pytest.raises(UserError, match="can't be used"):
        shape_findings(graph, shapes_of(text, tmp_path))


def test_shapes_that_pyshacl_refuses_are_told(graph, tmp_path):
    shapes = shapes_of(
        "ex:S a sh:PropertyShape ; sh:targetClass ex:Drug ; sh:minCount 1 .", tmp_path
    )
    with pytest.raises(UserError, match="can't be used"):
        shape_findings(graph, shapes)
