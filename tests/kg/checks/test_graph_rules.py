"""Every rule finds what ROBOT's own query of that name finds in the same store."""

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from infact.kg import row_buckets, stored_column
from infact.kg import vocabulary as v
from infact.kg.checks import statement_rows
from infact.kg.checks.findings import check_graph
from infact.kg.checks.graph_rules import DEFAULT_PROFILE, RULES
from infact.kg.checks.statement_rows import StatementRows
from infact.kg.graph import KnowledgeGraph
from infact.kg.ingest import ingest
from infact.kg.readers.sources import Source
from pyoxigraph import BlankNode, Store

QUERIES = Path(__file__).parent / "robot_queries"
ALL = {**DEFAULT_PROFILE, "multiple_asserted_superclasses": "WARN"}

PREFIXES = "\n".join(
    f"@prefix {name}: <{space}> ."
    for name, space in {
        "rdf": v.RDF,
        "rdfs": v.RDFS,
        "owl": v.OWL,
        "xsd": v.XSD,
        "skos": v.SKOS,
        "dct": v.DCTERMS,
        "obo": v.OBO,
        "oio": v.OBO_IN_OWL,
        "ex": "http://example.org/",
    }.items()
)
# A fault of each kind, and beside it something like it that is none.
FAULTS = """
ex:o a owl:Ontology .
ex:note a owl:AnnotationProperty ; rdfs:label "note" ; obo:IAO_0000115 "A note." .
ex:a a owl:Class ; rdfs:label "same" , "other" ; ex:note " padded" ; rdfs:subClassOf ex:b , ex:c ;
  obo:IAO_0000115 "Defined." ; oio:hasExactSynonym "Stra\u00dfe" ; oio:hasDbXref "no curie" , "MESH:1" .
ex:b a owl:Class ; rdfs:label "same" ; obo:IAO_0000115 "Defined." , "Again." ;
  oio:hasExactSynonym "STRASSE" , "third" ; oio:hasBroadSynonym "third" ; rdfs:subClassOf ex:gone .
ex:c a owl:Class ; rdfs:label "third\\t" ; obo:IAO_0000115 "lower." ; obo:IAO_0100001 ex:a ;
  owl:deprecated "true" ; oio:inSubset ex:slim , ex:declared .
ex:declared rdfs:subPropertyOf oio:SubsetProperty .
ex:d a owl:Class ; rdfs:label "third" ; rdfs:subClassOf ex:c .
ex:gone a owl:Class ; rdfs:label "gone" ; owl:deprecated true ; rdfs:subClassOf owl:Thing , ex:c .
ex:gone2 a owl:Class ; rdfs:label "OBSOLETE one" ; owl:deprecated true ; obo:IAO_0100001 ex:a .
ex:hidden a owl:Class ; rdfs:label "obsolete but in use" ; rdfs:subClassOf ex:a .
ex:nameless a owl:Class ; rdfs:subClassOf ex:a .
ex:top a owl:Class ; rdfs:label "top" .
ex:typed a owl:Class ; rdfs:label "typed" ; owl:equivalentClass ex:top ,
  [ a owl:Restriction ; owl:onProperty ex:p ; owl:someValuesFrom ex:gone ] .
ex:both a owl:Class ; rdfs:label "both" ; owl:equivalentClass
  [ owl:intersectionOf ( ex:a ex:b ) ] , [ owl:intersectionOf ( ex:a ex:c ) ] .
ex:old a owl:ObjectProperty ; rdfs:label "obsolete old" ; owl:deprecated true .
ex:new a owl:ObjectProperty ; rdfs:label "new" ; rdfs:subPropertyOf ex:old .
ex:user ex:old ex:a ; rdfs:label "user" .
[] a owl:Axiom ; owl:annotatedSource ex:a ; owl:annotatedProperty oio:hasExactSynonym ;
  owl:annotatedTarget "x" ; oio:hasSynonymType ex:kind .
rdf:type rdfs:label "type" .
<http://purl.org/obo/X_1> a owl:Class ; rdfs:label "near miss" .
"""
FOUND = {  # rule → local names of the entities that it must find
    "annotation_whitespace": "a",
    "deprecated_boolean_datatype": "c",
    "deprecated_class_reference": "- gone",
    "deprecated_property_reference": "old user",
    "duplicate_definition": "a b",
    "duplicate_exact_synonym": "a b",
    "duplicate_label": "a b",
    "duplicate_label_synonym": "d",
    "duplicate_scoped_synonym": "b",
    "equivalent_class_axiom_no_genus": "typed",
    "equivalent_pair": "typed",
    "illegal_use_of_built_in_vocabulary": "type",
    "invalid_entity_uri": "X_1",
    "invalid_xref": "a",
    "label_formatting": "c",
    "label_whitespace": "c",
    "lowercase_definition": "c",
    "missing_definition": "X_1 d hidden nameless new top type typed user both",
    "missing_label": "nameless",
    "missing_obsolete_label": "gone",
    "missing_ontology_description": "o",
    "missing_ontology_license": "o",
    "missing_ontology_title": "o",
    "missing_subset_declaration": "slim",
    "missing_superclass": "X_1 c top typed both",
    "missing_synonymtype_declaration": "kind",
    "misused_obsolete_label": "hidden",
    "misused_replaced_by": "c",
    "multiple_asserted_superclasses": "a gone",
    "multiple_definitions": "b",
    "multiple_equivalent_class_definitions": "both",
    "multiple_equivalent_classes": "typed both",
    "multiple_labels": "a",
}


def graph_of(text, folder):
    """The graph of a Turtle or N-Triples text, ingested."""
    folder.mkdir(exist_ok=True)
    file = folder / "graph.ttl"
    file.write_text(text, encoding="utf-8")
    ingest([Source(file, "graph.ttl")], folder / "graph")
    return KnowledgeGraph(folder / "graph")


def by_query(store, rule):
    """What ROBOT's query gives: (entity, property, value) as texts."""
    text = (QUERIES / f"{rule}.rq").read_text(encoding="utf-8")
    # Jena knows a SELECT's alias in HAVING; the specification, and Oxigraph, don't.
    text = text.replace("HAVING (?cnt > 1)", "HAVING (COUNT(DISTINCT ?entity) > 1)")
    solutions = store.query(text, use_default_graph_as_union=True)
    return {
        tuple(plain(solution[name]) for name in ("entity", "property", "value"))
        for solution in solutions
    }


def plain(term):
    """The text of a term; the queries write "blank node" for one, and sometimes for a literal."""
    if term is None:
        return ""
    return "blank node" if isinstance(term, BlankNode) else str(term.value)


def by_rule(graph, rules=ALL):
    """Rule → (entity, property, value) that our rules give."""
    found = {rule: set() for rule in rules}
    for row in check_graph(graph.directory, rules).to_pylist():
        triple = tuple(
            "blank node" if row[name].startswith("_:") else row[name]
            for name in ("subject", "property", "value")
        )
        found[row["rule"]].add(triple)
    return found


LITERAL_UNTOLD = ("deprecated_property_reference", "illegal_use_of_built_in_vocabulary")


def agree(rule, ours, robots):
    """Whether both find the same.

    Two queries say "blank node" for a literal, where we have its text; one binds no property.
    """
    if rule in LITERAL_UNTOLD:
        return {found[:2] for found in ours} == {found[:2] for found in robots}
    if rule == "invalid_entity_uri":
        return {found[::2] for found in ours} == {found[::2] for found in robots}
    return ours == robots


@pytest.fixture(scope="module")
def faulty(tmp_path_factory):
    return graph_of(PREFIXES + FAULTS, tmp_path_factory.mktemp("faulty"))


def test_levels_are_those_of_robots_default_profile():
    told = (QUERIES / "report_profile.txt").read_text(encoding="utf-8").split()
    assert dict(zip(told[1::2], told[0::2], strict=True)) == DEFAULT_PROFILE
    assert {path.stem for path in QUERIES.glob("*.rq")} == set(RULES)


@pytest.mark.parametrize("rule", sorted(RULES))
def test_rule_finds_the_fault_and_nothing_else(faulty, rule):
    ours = by_rule(faulty, {rule: "ERROR"})[rule]
    names = {re.split("[/#]", entity)[-1].replace("blank node", "-") for entity, _, _ in ours}
    assert names == set(FOUND[rule].split())
    assert agree(rule, ours, by_query(stated(faulty), rule))


def test_statements_and_texts_in_small_parts_give_the_same(faulty, monkeypatch):
    whole = check_graph(faulty.directory, ALL)
    monkeypatch.setattr(row_buckets, "AT_ONCE", 3)
    monkeypatch.setattr(statement_rows, "AT_ONCE", 2)
    monkeypatch.setattr(stored_column, "HELD", 0)
    assert check_graph(faulty.directory, ALL).equals(whole)


def test_texts_of_one_hash_are_told_apart(faulty, monkeypatch):
    whole = check_graph(faulty.directory, ALL)
    monkeypatch.setattr(statement_rows, "hash", len, raising=False)
    assert check_graph(faulty.directory, ALL).equals(whole)


def test_a_predicate_that_is_not_held_is_a_mistake(faulty):
    with pytest.raises(ValueError, match="not among the predicates"):
        StatementRows(faulty).rows("http://example.org/note")


# Random graphs of few entities, texts and predicates, so that faults are frequent.

ENTITIES = [f"<http://example.org/{name}>" for name in "abcd"]
BLANKS = ["_:x", "_:y", "_:z"]
SPECIAL = [
    f"<{v.RDF_TYPE}>",
    f"<{v.OBO_IN_OWL}ObsoleteClass>",
    f"<{v.OWL}Thing>",
    "<http://purl.org/obo/X_1>",
    "<https://purl.obolibrary.org/obo/X_1>",
    "<http://example.org/property>",
]
TYPES = [
    *(f"{v.OWL}{name}" for name in ("Class", "ObjectProperty", "DatatypeProperty", "Restriction")),
    *(f"{v.OWL}{name}" for name in ("AnnotationProperty", "Ontology", "NamedIndividual", "Axiom")),
]
TEXTS = [
    *("", "a", "A", " a", "a ", "a\\n", "a\\tb", "a\\u00A0", "\\u001Ca", "Stra\\u00DFe", "STRASSE"),
    *("obsolete a", "OBSOLETE b", "ob\\u017Folete", "9", "x:y", "GO:1", "GO:1 2", "GO:\\u2003"),
]
RESOURCE_PREDICATES = [
    *(f"{v.RDFS}{name}" for name in ("subClassOf", "subPropertyOf")),
    *(f"{v.OWL}{name}" for name in ("equivalentClass", "disjointWith", "equivalentProperty")),
    *(f"{v.OWL}{name}" for name in ("inverseOf", "someValuesFrom", "allValuesFrom", "onProperty")),
    *(f"{v.OWL}{name}" for name in ("intersectionOf", "unionOf", "annotatedSource", "sameAs")),
    *(f"{v.OBO_IN_OWL}{name}" for name in ("inSubset", "hasSynonymType")),
    *(v.IAO + "0100001", "http://example.org/property", v.RDFS + "label"),
]
TEXT_PREDICATES = [
    *(v.RDFS_LABEL, v.IAO + "0000115", v.IAO + "0000600", v.IAO + "0000118"),
    *(f"{v.OBO_IN_OWL}has{scope}Synonym" for scope in ("Exact", "Broad", "Narrow")),
    *(v.OBO_IN_OWL + "hasDbXref", v.OBO_IN_OWL + "is_inferred", v.OWL + "annotatedTarget"),
    *(v.DCTERMS + "title", v.DC + "description", v.DCTERMS + "license"),
    "http://example.org/property",
]

subjects = st.sampled_from(ENTITIES * 4 + BLANKS * 2 + SPECIAL)
literals = st.tuples(st.sampled_from(TEXTS), st.sampled_from(["", "", "@en", "@de"])).map(
    lambda parts: f'"{parts[0]}"{parts[1]}'
)
booleans = st.sampled_from(
    [f'"{text}"^^<{v.XSD_BOOLEAN}>' for text in ("true", "1", "false")] + ['"true"', '"true"@en']
)
statements = st.one_of(
    st.tuples(subjects, st.just(v.RDF_TYPE), st.sampled_from([f"<{iri}>" for iri in TYPES])),
    st.tuples(subjects, st.sampled_from(RESOURCE_PREDICATES), subjects),
    st.tuples(subjects, st.sampled_from(TEXT_PREDICATES), literals),
    st.tuples(subjects, st.just(v.OWL_DEPRECATED), booleans),
    st.tuples(  # an axiom's pieces, on one node more often than chance would
        st.just("_:axiom"),
        st.just(v.OWL + "annotatedProperty"),
        st.sampled_from([f"<{v.RDFS}subClassOf>", f"<{v.OBO_IN_OWL}hasExactSynonym>"]),
    ),
    st.tuples(
        st.just("_:axiom"),
        st.just(v.OBO_IN_OWL + "hasSynonymType"),
        st.sampled_from([f"<{v.OBO}OMO_0003000>", f"<{v.OBO}OMO_0003012>"]),
    ),
    st.tuples(
        st.just("_:axiom"),
        st.sampled_from([v.OWL + "annotatedSource", v.OWL + "annotatedTarget"]),
        subjects,
    ),
    st.tuples(st.just("_:axiom"), st.just(v.OWL + "annotatedTarget"), literals),
    st.just(("_:axiom", v.RDF_TYPE, f"<{v.OWL}Axiom>")),
    st.just(("_:axiom", v.OBO_IN_OWL + "is_inferred", '"true"')),
)


def stated(graph):
    """A store of what the source states: without the edges that ingestion derives."""
    derived = [n for n, entry in enumerate(graph.sources) if entry["format"] == "derived"]
    rows = graph.triples[np.isin(graph.triple_origin[:, 0], derived)].tolist()
    left_out = {(graph.iri(h), graph.relation_iri(r), graph.iri(t)) for h, r, t in rows}
    store = Store()
    store.extend(
        quad
        for quad in graph.store()
        if (quad.subject.value, quad.predicate.value, quad.object.value) not in left_out
    )
    return store


def document(triples):
    return "".join(f"{subject} <{predicate}> {item} .\n" for subject, predicate, item in triples)


quick = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@quick
@given(triples=st.lists(statements, min_size=10, max_size=120))
def test_rules_equal_robots_queries_on_random_graphs(tmp_path_factory, triples):
    graph = graph_of(document(triples), tmp_path_factory.mktemp("random"))
    ours, store = by_rule(graph), stated(graph)
    for rule in RULES:
        theirs = by_query(store, rule)
        assert agree(rule, ours[rule], theirs), (rule, ours[rule] ^ theirs)


SKOS_WORDS = {
    v.RDFS_LABEL: v.SKOS + "prefLabel",
    v.IAO + "0000115": v.SKOS + "definition",
    v.OBO_IN_OWL + "hasExactSynonym": v.SKOS + "altLabel",
    v.RDFS + "subClassOf": v.SKOS + "broader",
    v.OWL + "Class": v.SKOS + "Concept",
}
SAME_IN_SKOS = (
    *("duplicate_label", "duplicate_label_synonym", "duplicate_exact_synonym"),
    *("duplicate_definition", "label_whitespace", "label_formatting", "lowercase_definition"),
    *("missing_label", "missing_definition", "missing_superclass"),
    *("missing_obsolete_label", "misused_obsolete_label"),
)


@quick
@given(triples=st.lists(statements, min_size=10, max_size=60))
def test_a_skos_graph_has_the_faults_of_the_same_graph_in_obos_words(tmp_path_factory, triples):
    def in_skos(text):
        return SKOS_WORDS.get(text.strip("<>"), text.strip("<>"))

    translated = [
        (subject, in_skos(predicate), f"<{in_skos(item)}>" if item.startswith("<") else item)
        for subject, predicate, item in triples
    ]
    folder = tmp_path_factory.mktemp("skos")
    store = stated(graph_of(document(triples), folder / "obo"))
    theirs = {rule: by_query(store, rule) for rule in SAME_IN_SKOS}
    ours = by_rule(graph_of(document(translated), folder / "skos"))
    for rule in SAME_IN_SKOS:
        assert {one[0] for one in ours[rule]} == {one[0] for one in theirs[rule]}, rule


def test_skos_allows_one_label_a_language(tmp_path):
    text = 'ex:a skos:prefLabel "red"@en , "rouge"@fr . ex:b skos:prefLabel "red"@en , "ruby"@en .'
    found = by_rule(graph_of(PREFIXES + text, tmp_path))["multiple_labels"]
    assert {entity for entity, _, _ in found} == {"http://example.org/b"}


def test_a_schema_name_is_a_label_that_others_may_share(tmp_path):
    text = "".join(f'ex:{one} <https://schema.org/name> "Ann " ; ex:knows ex:a .' for one in "ab")
    found = by_rule(graph_of(PREFIXES + text, tmp_path))
    assert not found["missing_label"]
    assert not found["duplicate_label"]
    assert len(found["label_whitespace"]) == 2


def test_the_top_of_a_scheme_needs_no_broader_concept(tmp_path):
    text = """ex:top a skos:Concept ; skos:prefLabel "top" ; skos:topConceptOf ex:scheme .
    ex:lost a skos:Concept ; skos:prefLabel "lost" . ex:top skos:narrower ex:child .
    ex:child a skos:Concept ; skos:prefLabel "child" ."""
    found = by_rule(graph_of(PREFIXES + text, tmp_path))["missing_superclass"]
    assert found == {("http://example.org/lost", v.SKOS + "broader", "")}


def test_a_subset_declared_in_an_obo_header_is_declared(tmp_path):
    file = tmp_path / "terms.obo"
    lines = ["ontology: t", 'subsetdef: slim "A slim"', "", "[Term]", "id: T:1", "name: one"]
    file.write_text("\n".join([*lines, "subset: slim", "subset: fat", ""]))
    ingest([Source(file, "terms.obo")], tmp_path / "graph")
    found = check_graph(tmp_path / "graph", {"missing_subset_declaration": "WARN"}).to_pylist()
    assert [row["subject"] for row in found] == [f"{v.OBO}t#fat"]
    assert (found[0]["source"], found[0]["line"]) == ("terms.obo", 8)
