"""Abbreviations by Schwartz and Hearst's rule, and what their short forms are linked to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from infact.kg.linking.abbreviations import abbreviations, occurrences

from .test_linker import found, linker


@pytest.mark.parametrize(
    ("text", "short", "long_form"),
    [
        ("with basal cell carcinoma (BCC).", "BCC", "basal cell carcinoma"),
        ("many basal cell carcinomas (BCCs).", "BCC", "basal cell carcinomas"),
        ("in NF2 (neurofibromatosis type 2) we", "NF2", "neurofibromatosis type 2"),
        ("hypoxia-inducible factor 1α (HIF-1α)", "HIF-1α", "hypoxia-inducible factor 1α"),
        ("basal cell nevus syndrome (BCNS, #109400)", "BCNS", "basal cell nevus syndrome"),
        ("the 'Angelman syndrome' [AS; 1] is", "AS", "Angelman syndrome"),
    ],
)
def test_definitions(text: str, short: str, long_form: str) -> None:
    (one,) = abbreviations(text)
    assert one.short == short
    assert text[one.start : one.end].strip("'") == long_form


@pytest.mark.parametrize(
    "text",
    [
        "He ran (see below).",
        "the kidney (XYZ)",
        "A brick can. It crumbles (BCC)",
        "an unbearable climate (BCC)",
        "BCC (2 of 7)",
        "(BCC)",
        "()",
    ],
)
def test_brackets_that_define_nothing(text: str) -> None:
    assert abbreviations(text) == []


@given(
    st.lists(
        st.sampled_from(["basal ", "cell ", "(BC", "BCs)", "[", ") ", "(", "𝔹 ", "é", ". "])
    ).map("".join)
)
def test_offsets_lie_in_the_text_and_short_forms_stand_in_order(text: str) -> None:
    for one in abbreviations(text):
        assert 0 <= one.start < one.end <= len(text)
        letters = iter(text[one.start : one.end].lower())
        assert all(letter in letters for letter in one.short.lower() if letter.isalnum())
        for start, end in occurrences(text, one.short):
            assert text[start:end].removeprefix(one.short) in ("", "s", "'s", "’s")


def test_a_short_form_is_linked_as_its_long_form_is() -> None:
    links = linker("Basal cell carcinoma", "BCC")
    text = "Basal cell carcinoma (BCC) came first; BCCs followed, and BCC too."
    assert found(links.link_all(text)) == [
        ("Basal cell carcinoma", 0),
        ("BCC", 0),
        ("BCCs", 0),
        ("BCC", 0),
    ]
    assert found(links.link("BCC is a symbol here.")) == [("BCC", 1)]


def test_a_name_that_the_document_defines_otherwise_is_nil() -> None:
    links = linker("AS", "Gout")
    assert found(links.link("Angelman syndrome (AS) and gout; AS is rare.")) == [
        ("AS", None),
        ("gout", 1),
        ("AS", None),
    ]
