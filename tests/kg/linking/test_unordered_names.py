"""Names in any order, against quadratic search."""

from hypothesis import given
from hypothesis import strategies as st
from infact.kg.linking.spellings import UNKNOWN
from infact.kg.linking.unordered_names import UnorderedIndex, bag_of, movable_words

WORDS = 5
NAMES = st.lists(st.lists(st.integers(0, WORDS - 1), min_size=1, max_size=4), max_size=12)
TEXT = st.lists(st.integers(UNKNOWN, WORDS - 1), max_size=14)


@given(NAMES, TEXT, st.sets(st.integers(0, WORDS - 1), max_size=2))
def test_windows_are_all_those_whose_words_are_a_name(
    names: list[list[int]], text: list[int], stop_words: set[int]
) -> None:
    bags = [sorted(word for word in name if word not in stop_words) for name in names]
    bags = [bag for bag in bags if len(bag) > 1]
    index = UnorderedIndex(WORDS)
    for key, bag in enumerate(bags):
        index.add(bag, key)
    stops = [word in stop_words for word in text]
    for start, word in enumerate(text):
        if word == UNKNOWN or stops[start]:
            continue
        expected = []
        for end in range(start + 1, len(text) + 1):
            window = sorted(word for word in text[start:end] if word not in stop_words)
            keys = tuple(key for key, bag in enumerate(bags) if bag == window)
            if keys and not stops[end - 1]:
                expected.append((end, keys))
        first = index.first(word, start)
        windows = index.grown(text, stops, word, first, start + 1, len(text))
        found = [(end, index.keys_of(total)) for end, total, _ in windows if total in index.keys]
        assert found == expected


def test_stop_words_leave_a_name_but_capitals_stay() -> None:
    assert movable_words(["Abnormality", "of", "the", "hand"], [5, 1, 2, 3]) == (5, 3)
    assert movable_words(["vitamin", "A", "deficiency"], [2, 1, 0]) == (2, 1, 0)


def test_single_words_long_names_and_unspaced_scripts_keep_their_order() -> None:
    assert bag_of([2, 0]) == (0, 2)
    assert bag_of([0]) == ()
    assert bag_of(range(7)) == ()
    assert movable_words(["日", "本"], [0, 1]) == ()
