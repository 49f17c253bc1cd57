"""File names from labels: whatever the label, one harmless name."""

import re

from hypothesis import given
from hypothesis import strategies as st
from infact.kg.questions.safe_names import safe_names


@given(st.lists(st.text()))
def test_names_are_harmless_and_differ_even_without_case(labels: list[str]) -> None:
    names = safe_names(labels)
    assert set(names) == set(labels)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,51}", name) for name in names.values())
    assert len({name.lower() for name in names.values()}) == len(names)


def test_a_plain_label_is_its_own_name() -> None:
    assert safe_names(["P36", "capital_of"]) == {"P36": "P36", "capital_of": "capital_of"}


def test_labels_that_differ_by_case_get_digests() -> None:
    assert all("-" in name for name in safe_names(["P36", "p36"]).values())


def test_a_label_cannot_take_the_name_made_for_another() -> None:
    made = safe_names(["Mode of inheritance"])["Mode of inheritance"]
    assert len(set(safe_names(["Mode of inheritance", made]).values())) == 2
