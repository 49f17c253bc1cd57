"""IBM Model 1 on names, against its formulas written out, and what it learns."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from infact.kg.linking.word_translation import (
    MIN_COUNT,
    differences,
    expected_counts,
    learn_translations,
)

NAMES = st.lists(
    st.lists(st.frozensets(st.integers(0, 4), min_size=1, max_size=3), max_size=3), max_size=4
)


@given(NAMES)
def test_one_round_of_expectation_maximisation(entities: list[list[frozenset[int]]]) -> None:
    pairs = list(differences(entities))
    first = expected_counts(pairs, {})
    totals = {u: sum(count for (word, _), count in first.items() if word == u) for u in range(5)}
    table = {(u, v): count / totals[u] for (u, v), count in first.items()}
    expected = {
        (u, v): sum(
            table[u, v] / sum(table[word, v] for word in sources)
            for sources, targets in pairs
            if u in sources and v in targets
        )
        for u, v in table
    }
    assert expected_counts(pairs, table) == pytest.approx(expected)


@given(NAMES)
def test_each_word_is_explained_once(entities: list[list[frozenset[int]]]) -> None:
    pairs = list(differences(entities))
    words = sum(len(targets) for _, targets in pairs)
    assert sum(expected_counts(pairs, {}).values()) == pytest.approx(words)


def test_a_word_becomes_its_like_and_not_its_neighbours() -> None:
    high, low, raised, reduced, blood, serum = range(6)
    entities = [
        [frozenset([high, blood, noun]), frozenset([raised, serum, noun])] for noun in range(6, 10)
    ] + [
        [frozenset([low, blood, noun]), frozenset([reduced, serum, noun])] for noun in range(10, 14)
    ]
    learned = learn_translations(entities)
    assert learned[high][0][0] == raised
    assert learned[low][0][0] == reduced
    assert learned[blood][0][0] == serum
    assert all(noun not in learned for noun in range(6, 14)), "words that both names have"


def test_what_was_seen_once_is_no_translation() -> None:
    assert MIN_COUNT > 1
    assert learn_translations([[frozenset([0, 9]), frozenset([1, 9])]]) == {}
