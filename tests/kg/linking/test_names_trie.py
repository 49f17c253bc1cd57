"""The trie and the unordered index against quadratic search."""

from hypothesis import given
from hypothesis import strategies as st
from infact.kg.linking.names_trie import (
    UNKNOWN,
    NamesTrie,
    UnorderedIndex,
    Vocabulary,
    unordered_words,
)

WORDS = 5
NAMES = st.lists(st.lists(st.integers(0, WORDS - 1), min_size=1, max_size=4), max_size=12)
TEXT = st.lists(st.integers(UNKNOWN, WORDS - 1), max_size=14)


@given(NAMES, TEXT)
def test_trie_finds_the_longest_name(names: list[list[int]], text: list[int]) -> None:
    trie = NamesTrie(WORDS)
    keys = [trie.add(name, number) for number, name in enumerate(names)]
    for start in range(len(text)):
        for stop in range(start, len(text) + 1):
            fitting = [name for name in names if text[start : start + len(name)] == name]
            fitting = [name for name in fitting if start + len(name) <= stop]
            longest = max(fitting, key=len, default=[])
            key = keys[names.index(longest)] if longest else -1
            assert trie.longest(text, start, stop) == (start + len(longest), key)


@given(NAMES)
def test_equal_names_share_a_key(names: list[list[int]]) -> None:
    trie = NamesTrie(WORDS)
    keys = [trie.add(name, number) for number, name in enumerate(names)]
    assert keys == [names.index(name) for name in names]


@given(NAMES, TEXT, st.sets(st.integers(0, WORDS - 1), max_size=2))
def test_unordered_index_finds_the_longest_window(
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
        expected: tuple[int, tuple[int, ...]] = (start, ())
        for end in range(start + 1, len(text) + 1):
            window = sorted(word for word in text[start:end] if word not in stop_words)
            keys = tuple(key for key, bag in enumerate(bags) if bag == window)
            if keys and not stops[end - 1]:
                expected = (end, keys)
        assert index.longest(text, stops, start, len(text)) == expected


def test_vocabulary_folds_names_and_texts_alike() -> None:
    vocabulary = Vocabulary()
    assert vocabulary.add("Kidneys") == vocabulary["KIDNEY"] == vocabulary["kidneys"] == 0
    assert vocabulary["liver"] == UNKNOWN
    assert vocabulary.add("liver") == 1 == vocabulary["Livers"]


def test_vocabulary_forgets_spellings_but_no_words() -> None:
    vocabulary = Vocabulary()
    vocabulary.MAX_SPELLINGS = 3
    vocabulary.add("kidney")
    for number in range(20):
        assert vocabulary[f"word{number}"] == UNKNOWN
    assert len(vocabulary) <= 3
    assert vocabulary["kidney"] == 0


def test_stop_words_leave_a_name_but_capitals_stay() -> None:
    assert unordered_words(["Abnormality", "of", "the", "hand"], [5, 1, 2, 3]) == (3, 5)
    assert unordered_words(["vitamin", "A", "deficiency"], [2, 1, 0]) == (0, 1, 2)


def test_single_words_long_names_and_unspaced_scripts_keep_their_order() -> None:
    assert unordered_words(["hand"], [0]) == ()
    assert unordered_words(list("bcdefgh"), list(range(7))) == ()
    assert unordered_words(["日", "本"], [0, 1]) == ()
