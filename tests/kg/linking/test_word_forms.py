"""Endings learned from names, and the forms that they join."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from infact.kg.linking.word_forms import (
    MAX_FORMS,
    MIN_STEM,
    MIN_STEMS,
    WordForms,
    learn_endings,
    shared_beginning,
    shared_stems,
)

PAIRS = [("dysplasia", "dysplastic"), ("hypoplasia", "hypoplastic"), ("aplasia", "aplastic")]


def names(*pairs: tuple[str, str]) -> list[list[frozenset[str]]]:
    return [[frozenset([first, "nail"]), frozenset([second, "nail"])] for first, second in pairs]


def numbered(*words: str) -> dict[str, int]:
    return {word: number for number, word in enumerate(words)}


def test_an_ending_that_enough_stems_show_is_a_rule() -> None:
    assert learn_endings(names(*PAIRS)) == {"ia": ("tic",), "tic": ("ia",)}
    assert learn_endings(names(*PAIRS[: MIN_STEMS - 1])) == {}
    assert learn_endings(names(PAIRS[0], PAIRS[0], PAIRS[0])) == {}, "one stem, three times"


def test_names_that_differ_in_more_than_forms_teach_nothing() -> None:
    longer = frozenset(["lipid", "urine"]), frozenset(["lipiduria"])
    assert list(shared_stems(*longer)) == []
    unlike = frozenset(["cold", "hand", "axon"]), frozenset(["warm", "foot", "axonal"])
    assert list(shared_stems(*unlike)) == []
    both = frozenset(["dysplastic", "patella"]), frozenset(["patellar", "dysplasia"])
    assert sorted(shared_stems(*both)) == [("dysplas", ("ia", "tic")), ("patella", ("", "r"))]


def test_forms_share_a_class_and_unseen_forms_have_it() -> None:
    forms = WordForms(
        numbered("nail", "dysplasia", "dysplastic", "ataxia"), learn_endings(names(*PAIRS))
    )
    assert forms.classes == [0, 1, 1, 3]
    assert forms.class_of("dysplastic") == 1
    assert forms.class_of("nail") == 0
    assert forms.class_of("atactic") is None


@pytest.mark.parametrize("short", ["tic", "xtic"])
def test_short_stems_join_nothing(short: str) -> None:
    forms = WordForms(numbered(short[:-3] + "ia", short), {"ia": ("tic",), "tic": ("ia",)})
    assert forms.classes == [0, 1]


def test_a_chain_of_coincidences_ends() -> None:
    chain = ["stem" + "x" * length for length in range(3 * MAX_FORMS)]
    forms = WordForms(numbered(*chain), {"": ("x",), "x": ("",)})
    sizes = [forms.classes.count(number) for number in set(forms.classes)]
    assert max(sizes) <= MAX_FORMS


@given(st.text("ab", max_size=8), st.text("ab", max_size=8))
def test_shared_beginning(one: str, other: str) -> None:
    shared = shared_beginning(one, other)
    assert one.startswith(shared)
    assert other.startswith(shared)
    longer = [one[:end] for end in range(len(shared) + 1, len(one) + 1)]
    assert not any(other.startswith(beginning) for beginning in longer)


@given(st.lists(st.text("abcde", min_size=1, max_size=9), unique=True, max_size=12))
def test_classes_are_the_smallest_members(words: list[str]) -> None:
    forms = WordForms(numbered(*words), {"a": ("b", ""), "b": ("a",), "": ("a",)})
    for number, form in enumerate(forms.classes):
        assert form <= number
        assert forms.classes[form] == form
        if form != number:
            assert min(len(words[form]), len(words[number])) >= MIN_STEM
