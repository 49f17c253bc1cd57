"""The trie against quadratic search."""

from hypothesis import given
from hypothesis import strategies as st
from infact.kg.linking.names_trie import NamesTrie
from infact.kg.linking.spellings import UNKNOWN

WORDS = 5
NAMES = st.lists(st.lists(st.integers(0, WORDS - 1), min_size=1, max_size=4), max_size=12)
TEXT = st.lists(st.integers(UNKNOWN, WORDS - 1), max_size=14)


@given(NAMES, TEXT)
def test_trie_finds_every_name(names: list[list[int]], text: list[int]) -> None:
    trie = NamesTrie(WORDS)
    keys = [trie.add(name, number) for number, name in enumerate(names)]
    for start in range(len(text)):
        for stop in range(start, len(text) + 1):
            fitting = [name for name in names if text[start : start + len(name)] == name]
            fitting = [name for name in fitting if start + len(name) <= stop]
            expected = {(start + len(name), keys[names.index(name)]) for name in fitting}
            assert trie.matches(text, start, stop) == sorted(expected)


@given(NAMES)
def test_equal_names_share_a_key(names: list[list[int]]) -> None:
    trie = NamesTrie(WORDS)
    keys = [trie.add(name, number) for number, name in enumerate(names)]
    assert keys == [names.index(name) for name in names]
