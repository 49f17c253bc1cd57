import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from infact.kg.questions.answer_matching import NamedObjects, matches_any, named_objects, outcome

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


@pytest.mark.parametrize(
    "answer",
    ["", "...", "I don't know.", "I do not know", "Unknown", "It is not known", "N/A", "Not sure",
     "Sorry, I can't say.", "I'm not sure about that", "None."],
)  # fmt: skip
def test_declining_is_not_an_attempt(answer: str) -> None:
    assert outcome(answer, ["FBN1"]) == "not attempted"


@pytest.mark.parametrize("answer", ["FBN2", "Nonesuch", "Notably FBN2", "I think FBN2", "In Oslo"])
def test_a_wrong_answer_is_an_attempt(answer: str) -> None:
    assert outcome(answer, ["FBN1"]) == "wrong"


@given(st.text(max_size=30), WORDS)
def test_right_goes_before_declining(answer: str, name: str) -> None:
    assert (outcome(answer, [name]) == "right") == matches_any(answer, [name])


OBJECTS = (
    ("Nose and throat", "NT"),
    ("Marfan syndrome",),
    ("Marfan syndrome, type 2", "MFS2"),
    ("Lima",),
)


@pytest.mark.parametrize(
    ("answer", "true", "others"),
    [
        ("Lima", {3}, 0),
        ("Lima, Lima and Oslo", {3}, 1),
        ("the Nose and Throat; Lima", {0, 3}, 0),
        ("Marfan syndrome, type 2, Lima", {2, 3}, 0),
        ("Marfan syndrome, Lima", {1, 3}, 0),
        ("Oslo / Rome or Lima", {3}, 2),
        ("I don't know, Lima", set(), 0),
        (" , ; ", set(), 0),
        ("", set(), 0),
    ],
)
def test_a_list_is_read_object_by_object(answer: str, true: set[int], others: int) -> None:
    assert named_objects(answer, OBJECTS) == NamedObjects(frozenset(true), others)


def test_precision_is_of_what_was_listed() -> None:
    assert named_objects("Lima, Oslo, Rome and NT", OBJECTS).precision == 0.5
    assert named_objects("no idea at all", OBJECTS).precision == 0
    assert named_objects("...", OBJECTS).precision is None
