"""Restrictions as edges: golden ontologies, and what must give nothing."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from infact.kg import vocabulary as v
from infact.kg.prefixes import Prefixes
from infact.kg.readers.blocks import statements_in
from infact.kg.readers.obo_source import obo_statements
from infact.kg.readers.owl_edges import restriction_edges
from infact.kg.readers.rdf_source import rdf_blocks
from infact.kg.readers.sources import Source
from infact.kg.statements import LiteralTerm, Rejected, Statement
from pyoxigraph import RdfFormat, Store

from .obo_and_owl import OBO_TEXT, OWL_TEXT

E = "http://e.org/"
PREFIXES = f"""@prefix owl: <{v.OWL}> . @prefix rdf: <{v.RDF}> . @prefix rdfs: <{v.RDFS}> .
@prefix xsd: <{v.XSD}> . @prefix : <{E}> .
"""
PROTEGE = """<?xml version="1.0"?>
<rdf:RDF xmlns="http://e.org/" xml:base="http://e.org/"
     xmlns:owl="http://www.w3.org/2002/07/owl#"
     xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
     xmlns:rdfs="http://www.w3.org/2000/01/rdf-schema#">
    <owl:Class rdf:about="http://e.org/Margherita">
        <owl:equivalentClass>
            <owl:Class>
                <owl:intersectionOf rdf:parseType="Collection">
                    <rdf:Description rdf:about="http://e.org/Pizza"/>
                    <owl:Restriction>
                        <owl:onProperty rdf:resource="http://e.org/hasTopping"/>
                        <owl:someValuesFrom rdf:resource="http://e.org/Mozzarella"/>
                    </owl:Restriction>
                    <owl:Restriction>
                        <owl:onProperty rdf:resource="http://e.org/hasTopping"/>
                        <owl:allValuesFrom>
                            <owl:Class>
                                <owl:unionOf rdf:parseType="Collection">
                                    <rdf:Description rdf:about="http://e.org/Mozzarella"/>
                                    <rdf:Description rdf:about="http://e.org/Tomato"/>
                                </owl:unionOf>
                            </owl:Class>
                        </owl:allValuesFrom>
                    </owl:Restriction>
                    <owl:Class>
                        <owl:complementOf rdf:resource="http://e.org/Dessert"/>
                    </owl:Class>
                </owl:intersectionOf>
            </owl:Class>
        </owl:equivalentClass>
        <rdfs:subClassOf>
            <owl:Restriction>
                <owl:onProperty rdf:resource="http://e.org/hasCountryOfOrigin"/>
                <owl:hasValue rdf:resource="http://e.org/Italy"/>
            </owl:Restriction>
        </rdfs:subClassOf>
        <rdfs:subClassOf>
            <owl:Restriction>
                <owl:onProperty rdf:resource="http://e.org/hasTopping"/>
                <owl:someValuesFrom rdf:resource="http://e.org/Mozzarella"/>
            </owl:Restriction>
        </rdfs:subClassOf>
    </owl:Class>
</rdf:RDF>
"""


def read(path: Path, content: str) -> list[Statement]:
    path.write_text(content, encoding="utf-8")
    found = [
        item for block in rdf_blocks(Source(path, path.name), 0) for item in statements_in(block)
    ]
    assert not any(isinstance(item, Rejected) for item in found)
    return [item for item in found if isinstance(item, Statement)]


def with_blank_nodes(statements: list[Statement]) -> list[Statement]:
    return [
        statement
        for statement in statements
        if statement.subject.startswith("_:")
        or (isinstance(statement.object, str) and statement.object.startswith("_:"))
    ]


def edges(path: Path, content: str) -> list[tuple[str, str, str]]:
    found = restriction_edges(with_blank_nodes(read(path, content)))
    return [
        tuple(str(term).removeprefix(E).removeprefix(v.RDFS) for term in edge[:3])  # type: ignore[misc]
        for edge in found
    ]


def test_what_protege_writes(tmp_path: Path) -> None:
    assert edges(tmp_path / "pizza.owl", PROTEGE) == [
        ("Margherita", "subClassOf", "Pizza"),
        ("Margherita", "hasTopping", "Mozzarella"),
        ("Margherita", "hasCountryOfOrigin", "Italy"),
    ]


SOME = "[ a owl:Restriction ; owl:onProperty :p ; owl:someValuesFrom :B ]"
PB, SUB = ("A", "p", "B"), ("A", "subClassOf", "G")


@pytest.mark.parametrize(
    ("turtle", "expected"),
    [
        (f":A rdfs:subClassOf {SOME} .", [PB]),
        (f":A owl:equivalentClass {SOME} .", [PB]),
        (f"{SOME} owl:equivalentClass :A .", [PB]),
        (f":A rdfs:subClassOf [ owl:intersectionOf (:G {SOME}) ] .", [SUB, PB]),
        (f":A owl:intersectionOf (:G {SOME}) .", [SUB, PB]),  # OWL 1
        (f":A owl:equivalentClass [ owl:intersectionOf (:A :G [ owl:intersectionOf ({SOME}) ])] .",
         [SUB, PB]),
        (f":A rdfs:subClassOf {SOME}, {SOME} .", [PB]),
        ("_:r a owl:Restriction, owl:Class ; owl:onProperty :p ; owl:hasValue :B ."
         ":A rdfs:subClassOf _:r . :C rdfs:subClassOf _:r .", [PB, ("C", "p", "B")]),
        (f"[] a owl:Axiom ; owl:annotatedTarget _:r ; owl:annotatedSource :A . _:r {SOME[1:-1]} ."
         ":A rdfs:subClassOf [ owl:intersectionOf (:G _:r) ] .", [SUB, PB]),
    ],
)  # fmt: skip
def test_what_is_an_edge(tmp_path: Path, turtle: str, expected: list[tuple[str, str, str]]) -> None:
    found = edges(tmp_path / "a.ttl", PREFIXES + turtle)
    assert sorted(found) == sorted(expected)


@pytest.mark.parametrize(
    "expression",
    [
        "[ a owl:Restriction ; owl:onProperty :p ; owl:allValuesFrom :B ]",
        "[ a owl:Restriction ; owl:onProperty :p ; owl:someValuesFrom [ a owl:Class ] ]",
        f"[ a owl:Restriction ; owl:onProperty :p ; owl:someValuesFrom {SOME} ]",
        "[ a owl:Restriction ; owl:onProperty [ owl:inverseOf :p ] ; owl:someValuesFrom :B ]",
        '[ a owl:Restriction ; owl:onProperty :p ; owl:hasValue "B" ]',
        "[ a owl:Restriction ; owl:onProperty :p ; owl:someValuesFrom xsd:integer ]",
        "[ a owl:Restriction ; owl:onProperty :p ; owl:someValuesFrom rdfs:Literal ]",
        "[ a owl:Restriction ; owl:onProperty :p ; owl:onClass :B ; owl:qualifiedCardinality 1 ]",
        "[ a owl:Restriction ; owl:onProperty :p ; owl:minCardinality 1 ]",
        "[ a owl:Restriction ; owl:onProperty :p ; owl:hasSelf true ]",
        "[ a owl:Restriction ; owl:onProperty :p ]",
        "[ a owl:Restriction ; owl:someValuesFrom :B ]",
        "[ rdfs:seeAlso owl:Restriction ; owl:onProperty :p ; owl:someValuesFrom :B ]",  # no type
        "[ a owl:Restriction ; owl:onProperty :p, :q ; owl:someValuesFrom :B ]",
        "[ a owl:Restriction ; owl:onProperty :p ; owl:someValuesFrom :B, :C ]",
        "[ a owl:Restriction ; owl:onProperty :p ; owl:someValuesFrom :B ; owl:allValuesFrom :C ]",
        f"[ owl:unionOf (:G {SOME}) ]",
        f"[ owl:complementOf {SOME} ]",
        "[ owl:oneOf (:G :B) ]",
        f"(:G {SOME})",  # a list is no class
        f"[ owl:intersectionOf [ rdf:first :G ; rdf:rest [ rdf:first {SOME} ] ] ]",  # no end
        f"[ owl:intersectionOf [ rdf:first :G, {SOME} ; rdf:rest rdf:nil ] ]",
        f"[ owl:intersectionOf [ rdf:first {SOME} ; rdf:rest rdf:nil, (:G) ] ]",
        '[ owl:intersectionOf ("G") ]',
        "[ owl:intersectionOf () ]",
    ],
)
def test_what_is_no_edge(tmp_path: Path, expression: str) -> None:
    assert edges(tmp_path / "a.ttl", f"{PREFIXES} :A rdfs:subClassOf {expression} .") == []


@pytest.mark.parametrize(
    "turtle",
    [
        f"_:l rdf:first {SOME} ; rdf:rest _:l . :A owl:intersectionOf _:l .",
        f"_:l rdf:first {SOME} ; rdf:rest _:m . _:m rdf:first :G ; rdf:rest _:l ."
        ":A rdfs:subClassOf [ owl:intersectionOf _:l ] .",
        f"_:x owl:intersectionOf (:G _:x {SOME}) . :A rdfs:subClassOf _:x .",
        ":A owl:equivalentClass _:x . _:x owl:equivalentClass _:x .",
        f"_:l rdf:first {SOME} ; rdf:rest rdf:nil . :A owl:intersectionOf _:l ."
        ":C owl:intersectionOf _:l .",
        f"{SOME} rdfs:subClassOf :A . :A owl:disjointWith {SOME} . :A a {SOME} .",
    ],
)
def test_cycles_shared_lists_and_other_axioms_give_nothing(tmp_path: Path, turtle: str) -> None:
    assert edges(tmp_path / "a.ttl", PREFIXES + turtle) == []


def test_an_edge_has_the_line_of_its_axiom(tmp_path: Path) -> None:
    lines = [
        f"_:r <{v.RDF_TYPE}> <{v.OWL}Restriction> .",
        f"<{E}A> <{v.RDFS}subClassOf> _:r .",
        f"_:r <{v.OWL}onProperty> <{E}p> .",
        f"_:r <{v.OWL}someValuesFrom> <{E}B> .",
        f"<{E}A> <{v.RDFS}subClassOf> _:r .",
    ]
    statements = read(tmp_path / "a.nt", "\n".join(lines))
    assert list(restriction_edges(statements)) == [Statement(E + "A", E + "p", E + "B", 2)]


NODES = st.sampled_from([f"_:{letter}" for letter in "abcd"] + [E + "A", E + "B", v.RDF + "nil"])
LINKS = st.sampled_from(
    [v.RDFS + "subClassOf", v.RDF + "first", v.RDF + "rest", v.RDF_TYPE]
    + [v.OWL + name for name in ("equivalentClass", "intersectionOf", "someValuesFrom")]
)
OBJECTS = NODES | st.just(v.OWL + "Restriction") | st.just(LiteralTerm("x", v.XSD_STRING, ""))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(NODES, LINKS, OBJECTS), max_size=25))
def test_any_statements_end_and_name_no_blank_node(
    triples: list[tuple[str, str, str | LiteralTerm]],
) -> None:
    statements = [Statement(*triple, line) for line, triple in enumerate(triples, 1)]
    found = list(restriction_edges(statements))
    assert found == list(restriction_edges(statements))
    assert len({edge[:3] for edge in found}) == len(found)
    assert not any(str(term).startswith("_:") for edge in found for term in edge[:3])


LEAVES = st.sampled_from(
    [
        *(":A", ":G", ":H", SOME),
        "[ a owl:Restriction ; owl:onProperty :q ; owl:hasValue :H ]",
        "[ a owl:Restriction ; owl:onProperty :q ; owl:allValuesFrom :C ]",
        f"[ owl:unionOf (:D {SOME}) ]",
        f"[ owl:complementOf {SOME} ]",
    ]
)
EXPRESSIONS = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, min_size=1, max_size=3).map(
        lambda members: f"[ owl:intersectionOf ({' '.join(members)}) ]"
    ),
    max_leaves=6,
)
AXIOMS = st.tuples(
    st.sampled_from([":A", ":B"]),
    st.sampled_from(["rdfs:subClassOf", "owl:equivalentClass"]),
    EXPRESSIONS.filter(lambda expression: expression.startswith("[")),
).map(" ".join)
# What W3C's tables say of well-formed expressions, as one query; too slow for a large ontology.
QUERY = """SELECT ?a ?p ?b {
  ?a (rdfs:subClassOf | owl:equivalentClass) / (owl:intersectionOf / rdf:rest* / rdf:first)* ?c
  OPTIONAL { ?c a owl:Restriction ; owl:onProperty ?q ; owl:someValuesFrom | owl:hasValue ?f }
  BIND (IF(isBlank(?c), ?q, rdfs:subClassOf) AS ?p)
  BIND (IF(isBlank(?c), ?f, ?c) AS ?b)
  FILTER (isIRI(?a) && isIRI(?b) && ?c != ?a)
}"""


@settings(max_examples=100, deadline=None)
@given(st.lists(AXIOMS, min_size=1, max_size=4))
def test_well_formed_ontologies_give_what_a_query_of_w3cs_tables_gives(
    tmp_path_factory: pytest.TempPathFactory, axioms: list[str]
) -> None:
    turtle = PREFIXES + " . ".join(axioms) + " ."
    path = tmp_path_factory.mktemp("owl") / "a.ttl"
    found = {edge[:3] for edge in restriction_edges(with_blank_nodes(read(path, turtle)))}
    store = Store()
    store.load(turtle.encode(), RdfFormat.TURTLE)
    prefixes = {"owl": v.OWL, "rdf": v.RDF, "rdfs": v.RDFS}
    rows = store.query(QUERY, prefixes=prefixes)
    assert found == {tuple(row[name].value for name in ("a", "p", "b")) for row in rows}  # type: ignore[union-attr]


COMPARED = {
    v.RDFS_LABEL,
    v.RDFS + "comment",
    v.RDFS + "subClassOf",
    v.IAO + "0000115",
    v.IAO + "0100001",
    v.OWL_DEPRECATED,
    v.OBO + "BFO_0000051",
    v.OBO + "RO_0000052",
    *(v.OBO_IN_OWL + f"has{word}" for word in ("AlternativeId", "DbXref")),
    *(f"{v.OBO_IN_OWL}has{scope}Synonym" for scope in ("Exact", "Narrow", "Broad", "Related")),
}


def test_obo_and_what_robot_makes_of_it_say_the_same(tmp_path: Path) -> None:
    (tmp_path / "hp.obo").write_text(OBO_TEXT, encoding="utf-8")
    from_obo = obo_statements(Source(tmp_path / "hp.obo", "hp.obo"), Prefixes())
    owl = read(tmp_path / "hp.owl", OWL_TEXT)
    from_owl = [*owl, *restriction_edges(with_blank_nodes(owl))]
    merged = v.OBO + "HP_0001505"  # the alternative id, to which OWL gives a class of its own
    told = [
        {
            statement[:3]
            for statement in statements
            if isinstance(statement, Statement)
            and statement.predicate in COMPARED
            and not statement.subject.startswith("_:")
            and not str(statement.object).startswith("_:")
        }
        for statements in (from_obo, from_owl)
    ]
    only_owl = {
        (merged, v.OWL_DEPRECATED, LiteralTerm("true", v.XSD_BOOLEAN, "")),
        (merged, v.IAO + "0100001", v.OBO + "HP_0001166"),
    }
    assert told[1] - told[0] == only_owl
    assert told[0] - told[1] == set()
    assert {predicate for _, predicate, _ in told[0]} == COMPARED
