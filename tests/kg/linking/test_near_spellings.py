"""One slip, against every edit made by hand."""

from hypothesis import given
from hypothesis import strategies as st
from infact.kg.linking.near_spellings import MIN_LETTERS, NearSpellings, is_one_slip

LETTERS = "abc"


def edits(word: str) -> set[str]:
    found = set()
    for at in range(len(word) + 1):
        found.update(word[:at] + letter + word[at:] for letter in LETTERS)
        if at < len(word):
            found.add(word[:at] + word[at + 1 :])
            found.update(word[:at] + letter + word[at + 1 :] for letter in LETTERS)
            found.add(word[:at] + word[at : at + 2][::-1] + word[at + 2 :])
    return found - {word}


@given(st.text(LETTERS, max_size=7), st.text(LETTERS, max_size=7))
def test_one_slip_is_one_edit(one: str, other: str) -> None:
    assert is_one_slip(one, other) == (other in edits(one)) == is_one_slip(other, one)


@given(
    st.lists(st.text(LETTERS, min_size=MIN_LETTERS - 1, max_size=9), unique=True, max_size=8),
    st.text(LETTERS, min_size=MIN_LETTERS, max_size=9),
)
def test_the_only_word_in_reach_is_found(words: list[str], word: str) -> None:
    ends = word[0], word[-1]
    reach = [other for other in words if other in edits(word) and (other[0], other[-1]) == ends]
    expected = reach[0] if len(reach) == 1 else None
    assert NearSpellings(words).find(word) == expected


def test_short_words_and_words_with_digits_are_left_alone() -> None:
    near = NearSpellings(["kidney", "receptor1"])
    assert near.find("kidnet") is None
    assert NearSpellings(["mongolian"]).find("mongolia") is None
    assert near.find("receptor2") is None
