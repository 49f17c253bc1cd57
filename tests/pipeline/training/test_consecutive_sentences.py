"""Pairs of sentences: which may follow which, whatever texts and entities there are."""

from collections import Counter
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from infact.models.predicted_texts import WeightedText
from infact.pipeline.training.consecutive_sentences import (
    Consecutive,
    Followers,
    consecutive_sentences,
)
from infact.pipeline.training.teaching_data import LinkedText

SENTENCES = tuple(f"{letter} is here." for letter in "ABCDEF")
TEXTS = st.lists(
    st.builds(
        lambda sentences, entities: LinkedText(
            WeightedText(" ".join(sentences), 0, 1.0), frozenset(entities)
        ),
        st.lists(st.sampled_from(SENTENCES), min_size=1, max_size=4),
        st.sets(st.integers(0, 7), min_size=1, max_size=3),
    ),
    max_size=12,
)
WITHHELD = st.dictionaries(st.integers(0, 7), st.sets(st.integers(0, 7), max_size=3), max_size=4)


def words(those: list[Consecutive]) -> set[tuple[str, str]]:
    return {each.words for each in those}


@given(TEXTS, WITHHELD, st.integers(0, 99))
def test_halves_follow_each_other_and_halves_neither_do_nor_tell_anything(
    texts: list[LinkedText], withheld: dict[int, set[int]], seed: int
) -> None:
    found = consecutive_sentences(texts, lambda sentence: True)
    followers = Followers(words(found), withheld)
    pairs = followers.twins(found, range(len(found)), np.random.default_rng(seed))
    own, others = pairs[::2], pairs[1::2]
    assert [pair.follows for pair in pairs] == [True, False] * len(own)
    assert [pair.first for pair in own] == [pair.first for pair in others]
    assert {(pair.first.text, pair.second.text) for pair in own} <= words(found)
    for pair in others:
        together = (pair.first.text, pair.second.text)
        # In no text does it follow, and it isn't the same sentence again.
        assert together not in words(found)
        assert together[0] != together[1]
        # Some text that it follows in and some that it is put into say nothing together that is withheld.
        assert any(
            one.text != other.text
            and len(one.entities & other.entities) < 2
            and not _told(one.entities | other.entities, withheld)
            for one in found
            for other in found
            if one.first.text == together[0] and other.second.text == together[1]
        )


def _told(entities: frozenset[int], withheld: dict[int, set[int]]) -> bool:
    return any(
        subject in entities and each in entities
        for subject, objects in withheld.items()
        for each in objects
    )


@given(TEXTS)
def test_every_two_sentences_of_a_text_are_found_once(texts: list[LinkedText]) -> None:
    found = consecutive_sentences(texts, lambda sentence: True)
    expected: Counter[tuple[str, str]] = Counter()
    for text in {each.text.text for each in texts}:
        expected.update(pairwise(f"{part}." for part in text.removesuffix(".").split(". ")))
    assert Counter(each.words for each in found) == expected
    for each in found:
        # What any of the texts that say so is about.
        assert each.entities == frozenset().union(
            *(text.entities for text in texts if text.text.text == each.text)
        )


def test_mentions_go_with_their_sentence() -> None:
    text = "Oslo lies in Norway. It is near Oslo."
    places = [text.index("Oslo"), text.index("Norway"), text.rindex("Oslo")]
    mentions = tuple((at, at + length) for at, length in zip(places, (4, 6, 4), strict=True))
    (found,) = consecutive_sentences(
        [LinkedText(WeightedText(text, 0, 1.0, mentions), frozenset({1, 2}))], lambda _: True
    )
    named = [
        [sentence.text[start:end] for start, end in sentence.mentions]
        for sentence in (found.first, found.second)
    ]
    assert named == [["Oslo", "Norway"], ["Oslo"]]


def test_a_sentence_that_does_not_fit_is_in_no_pair() -> None:
    text = LinkedText(WeightedText("A is. B is long. C is. D is.", 0, 1.0), frozenset({1, 2}))
    found = consecutive_sentences([text], lambda sentence: len(sentence) < 6)
    assert [each.words for each in found] == [("C is.", "D is.")]
