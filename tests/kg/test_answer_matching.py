import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from infact.kg.answer_matching import matches_any

WORDS = st.text(st.characters(categories=("Lu", "Ll", "Nd")), min_size=4, max_size=12)


@pytest.mark.parametrize(
    ("answer", "names"),
    [
        ("Paris", ["Paris"]),
        ("paris.", ["Paris"]),
        ("Paris, the capital of France", ["Paris"]),
        ("The FBN1 gene.", ["FBN1"]),
        ("gene FBN1", ["FBN1"]),
        ("It is Marfan syndrome", ["Marfan syndrome"]),
        ("Nail–Patella  syndrome", ["nail patella syndrome"]),
        ("ＦＢＮ１", ["FBN1"]),
        ("AR", ["AR"]),
        ("AR gene", ["AR"]),
        ("Fibrillin", ["FBN1", "fibrillin"]),
        ("東京", ["東京"]),
        ("दिल्ली शहर", ["दिल्ली"]),
    ],
)
def test_right(answer: str, names: list[str]) -> None:
    assert matches_any(answer, names)


@pytest.mark.parametrize(
    ("answer", "names"),
    [
        ("FBN10", ["FBN1"]),
        ("FBN", ["FBN1"]),
        ("Not Paris", ["Paris"]),
        ("Lima or Paris", ["Paris"]),
        ("ar", ["AR"]),
        ("कमलेश", ["कमल"]),
        ("Marfan", ["Marfan syndrome"]),
        ("", ["Paris"]),
        ("Paris", []),
        ("Paris", [""]),
        ("...", ["---"]),
        ("anything", ["!!!"]),
    ],
)
def test_wrong(answer: str, names: list[str]) -> None:
    assert not matches_any(answer, names)


@given(WORDS, st.sampled_from(["", ".", " is the answer", ", I think", "\t!"]))
def test_a_name_with_free_words_after_it_is_right(name: str, after: str) -> None:
    assert matches_any(name + after, [name])


@given(WORDS, WORDS)
def test_a_longer_word_is_not_the_name(name: str, more: str) -> None:
    # Letters that fold into two words (Ŀ is L and a middle dot) end a word by themselves.
    assume(unicodedata.normalize("NFKC", name + more).isalnum())
    assert not matches_any(f"{name}{more}", [name])


@given(WORDS, st.lists(WORDS, max_size=4), st.integers(0, 4))
def test_any_name_will_do_in_any_order(name: str, others: list[str], at: int) -> None:
    assert matches_any(name, [*others[:at], name, *others[at:]])


@given(st.text(max_size=30), st.lists(st.text(max_size=10), max_size=3))
def test_any_text_has_a_verdict_that_layout_does_not_change(answer: str, names: list[str]) -> None:
    assert matches_any(answer, names) == matches_any(f" {answer}\n", names)
