from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from infact.kg import vocabulary as v
from infact.kg.prefixes import Prefixes
from infact.kg.readers.obo_source import obo_statements
from infact.kg.readers.sources import Source
from infact.kg.statements import LiteralTerm, Rejected, Statement

PIZZA = """format-version: 1.2
ontology: pizza.obo
idspace: tops http://toppings.org/ "toppings"
property_value: dc:creator "Ann" xsd:string

! what pizzas are
[Term]
id: PZ:1
name: margherita ! the usual
def: "With \\"mozzarella\\"." [PMID:1 "a paper"] {note="x"}
comment: Common.
alt_id: PZ:9
namespace: pizzas
subset: italian
synonym: "Margarita" EXACT misspelling []
synonym: "pizza" BROAD []
xref: WIKI:42 "elsewhere"
is_a: PZ:0 {source="y"} ! pizza
! has what on it
relationship: has_topping tops:cheese ! cheese
relationship: likes PZ:2
property_value: rdfs:seeAlso http://pizza.org/1
property_value: dc:date "2020-01-01" xsd:date
intersection_of: PZ:0
created_by: ann

[Term]
id: PZ:2
name: old
is_obsolete: true
replaced_by: PZ:1
consider: PZ:0

[Instance]
id: PZ:100
name: mine
instance_of: PZ:1

[Typedef]
id: has_topping
name: has topping
xref: RO:0001
is_a: has_part
"""
OBO = "http://purl.obolibrary.org/obo/"


def read(path: Path, text: str) -> list[Statement | Rejected]:
    path.write_text(text, encoding="utf-8")
    return list(obo_statements(Source(path, "pizza.obo"), Prefixes()))


def text(value: str, datatype: str = "string") -> LiteralTerm:
    return LiteralTerm(value, v.XSD + datatype, "")


def test_every_clause_is_mapped_with_its_line(tmp_path: Path) -> None:
    found = read(tmp_path / "pizza.obo", PIZZA)
    lines = PIZZA.split("\n")
    said = {(item[0], item[1], item[2]): lines[item.line - 1] for item in found}  # type: ignore[misc]
    assert len(said) == len(found)
    one, two, topping = OBO + "PZ_1", OBO + "PZ_2", OBO + "RO_0001"
    expected = {
        (OBO + "pizza.owl", v.DC + "creator", text("Ann")): "property_value: dc:creator",
        (one, v.RDF_TYPE, v.OWL + "Class"): "id: PZ:1",
        (one, v.RDFS_LABEL, text("margherita")): "name: margherita",
        (one, v.IAO + "0000115", text('With "mozzarella".')): "def:",
        (one, v.RDFS + "comment", text("Common.")): "comment:",
        (one, v.OBO_IN_OWL + "hasAlternativeId", text("PZ:9")): "alt_id:",
        (one, v.OBO_IN_OWL + "hasOBONamespace", text("pizzas")): "namespace:",
        (one, v.OBO_IN_OWL + "inSubset", OBO + "pizza#italian"): "subset:",
        (one, v.OBO_IN_OWL + "hasExactSynonym", text("Margarita")): "synonym:",
        (one, v.OBO_IN_OWL + "hasBroadSynonym", text("pizza")): "synonym:",
        (one, v.OBO_IN_OWL + "hasDbXref", text("WIKI:42")): "xref:",
        (one, v.RDFS + "subClassOf", OBO + "PZ_0"): "is_a: PZ:0",
        (one, topping, "http://toppings.org/cheese"): "relationship: has_topping",
        (one, OBO + "pizza#likes", two): "relationship: likes",
        (one, v.RDFS + "seeAlso", "http://pizza.org/1"): "property_value: rdfs:seeAlso",
        (one, v.DC + "date", text("2020-01-01", "date")): "property_value: dc:date",
        (one, v.OBO_IN_OWL + "intersection_of", text("PZ:0")): "intersection_of:",
        (one, v.OBO_IN_OWL + "created_by", text("ann")): "created_by:",
        (two, v.OWL_DEPRECATED, text("true", "boolean")): "is_obsolete:",
        (two, v.IAO + "0100001", one): "replaced_by:",
        (two, v.OBO_IN_OWL + "consider", OBO + "PZ_0"): "consider:",
        (OBO + "PZ_100", v.RDF_TYPE, one): "instance_of:",
        (OBO + "PZ_100", v.RDFS_LABEL, text("mine")): "name: mine",
        (topping, v.RDFS_LABEL, text("has topping")): "name: has topping",
        (topping, v.RDFS + "subPropertyOf", OBO + "pizza#has_part"): "is_a: has_part",
    }
    for statement, line in expected.items():
        assert said.get(statement, "").startswith(line), statement
    assert len(found) - len(expected) == 9  # 4 types, 3 header clauses, the name of PZ:2, an xref


@pytest.mark.parametrize(
    "bad",
    [
        'def: "open',
        "is_a:",
        "nonsense",
        'synonym: "x" FOO []',
        "foo: bar",
        "is_obsolete: perhaps",
        "comment:",
        "is_a: a<b:1",
        'synonym: "x" EXACT [\\',
    ],
)
def test_one_bad_line_is_rejected_and_the_rest_goes_in(tmp_path: Path, bad: str) -> None:
    clauses = ["name: a", "is_a: X:2", "comment: c"]
    whole = "\n".join(["[Term]", "id: X:1", *clauses])
    good = read(tmp_path / "a.obo", whole)
    spoilt = "\n".join(["[Term]", "id: X:1", clauses[0], bad, *clauses[1:]])
    found = read(tmp_path / "b.obo", spoilt)
    (rejected,) = (item for item in found if isinstance(item, Rejected))
    assert (rejected.line, rejected.text) == (4, bad)
    assert rejected.reason
    kept = [item[:3] for item in found if isinstance(item, Statement)]
    assert kept == [item[:3] for item in good]


@pytest.mark.parametrize(
    "frame", ["[Term]\nname: a", "[Odd]\nid: X:1", "[Term]\nid: A B\nname: a", "[Term]\nid:"]
)
def test_a_frame_about_nothing_known_is_rejected_line_by_line(tmp_path: Path, frame: str) -> None:
    found = read(tmp_path / "a.obo", "[Term]\nid: X:1\n\n" + frame)
    assert [item.line for item in found if isinstance(item, Rejected)] == [
        4 + number for number in range(frame.count("\n") + 1)
    ]


SPOIL = st.lists(
    st.tuples(
        st.integers(0, len(PIZZA) - 1), st.sampled_from('!"\\{}[]: \n\t,\x00é\x85\r\u2028<>')
    ),
    max_size=8,
)


@settings(max_examples=150, deadline=None)
@given(SPOIL)
def test_spoilt_files_lose_no_line(
    tmp_path_factory: pytest.TempPathFactory, spoilt: list[tuple[int, str]]
) -> None:
    letters = list(PIZZA)
    for place, letter in spoilt:
        letters[place] = letter
    content = "".join(letters)
    path = tmp_path_factory.mktemp("obo") / "pizza.obo"
    path.write_bytes(content.encode())
    found = list(obo_statements(Source(path, "pizza.obo"), Prefixes()))
    with path.open(encoding="utf-8") as file:
        stripped = [line.strip() for line in file]
    meant = [
        number for number, line in enumerate(stripped, start=1) if line and line[0] not in "!["
    ]
    assert {item.line for item in found} >= set(meant)
