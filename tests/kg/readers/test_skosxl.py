from pathlib import Path

from infact.kg import vocabulary as v
from infact.kg.names import LABEL_PREDICATES, name_kinds
from infact.kg.readers.blocks import statements_in
from infact.kg.readers.rdf_source import rdf_blocks
from infact.kg.readers.skosxl import SKOS_XL_PREDICATES, skos_labels
from infact.kg.readers.sources import Source
from infact.kg.statements import LiteralTerm, Statement

E = "http://e.org/"
TURTLE = f"""@prefix xl: <{v.SKOS_XL}> . @prefix : <{E}> .
:maize xl:prefLabel :l1, :l2 ; xl:altLabel [ xl:literalForm "corn"@en ] ; xl:hiddenLabel :l3 .
:l1 a xl:Label ; xl:literalForm "maize"@en . :l2 xl:literalForm "maïs"@fr .
:l3 xl:literalForm "maze"@en, "maise"@en .
:rice xl:prefLabel :l4, "no resource" ; xl:altLabel :l1 ; xl:literalForm "not of a label" .
"""


def test_label_resources_become_the_labels_that_they_stand_for(tmp_path: Path) -> None:
    (tmp_path / "a.ttl").write_text(TURTLE, encoding="utf-8")
    statements = [
        item
        for item in (
            item
            for block in rdf_blocks(Source(tmp_path / "a.ttl", "a.ttl"), 0)
            for item in statements_in(block)
        )
        if isinstance(item, Statement) and item.predicate in SKOS_XL_PREDICATES
    ]
    told = {
        (subject.removeprefix(E), predicate.removeprefix(v.SKOS), literal[0], literal[2])
        for subject, predicate, literal, *_ in skos_labels(statements)
        if isinstance(literal, LiteralTerm)
    }
    assert told == {
        ("maize", "prefLabel", "maize", "en"),
        ("maize", "prefLabel", "maïs", "fr"),
        ("maize", "altLabel", "corn", "en"),
        ("rice", "altLabel", "maize", "en"),
    }


def test_a_label_told_twice_is_one_with_the_first_line_and_every_form_counts() -> None:
    form = LiteralTerm("maize", v.RDF_LANG_STRING, "en")
    given = [
        Statement(E + "c", v.SKOS_XL + "prefLabel", E + "l", 3),
        Statement(E + "l", v.SKOS_XL + "literalForm", form, 4),
        Statement(E + "c", v.SKOS_XL + "prefLabel", E + "l", 5),
    ]
    assert list(skos_labels(given)) == [Statement(E + "c", v.SKOS + "prefLabel", form, 3)]
    third = [LiteralTerm(text, v.XSD_STRING, "") for text in "aba"]
    several = [Statement(E + "l", v.SKOS_XL + "literalForm", form) for form in third]
    assert list(skos_labels([*given[:1], *several])) == []


def test_the_plain_labels_are_names() -> None:
    kinds = name_kinds(LABEL_PREDICATES)
    assert [kinds[v.SKOS + kind] for kind in ("prefLabel", "altLabel", "hiddenLabel")] == [
        "label",
        "exact",
        "related",
    ]
