"""Mentions found window by window are those found at once."""

import re
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from infact.kg.linking import long_texts
from infact.kg.linking.long_texts import mentions_in
from infact.kg.linking.mentions import Mention

from .test_linker import linker

LINKER = linker("gout", "red apple tree", "apple", "日本", "東京 都")
WORDS = ("gout", "red", "apple", "tree", "日本", "東京", "都", "x", "\U0001f9ec")
GAPS = (" ", ". ", "\n\n", "", "-", "。", "  ", ", ")


@st.composite
def texts(draw: st.DrawFn) -> str:
    parts = draw(st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(GAPS)), max_size=60))
    return "".join(word + gap for word, gap in parts)


@settings(deadline=None, max_examples=300)
@given(text=texts(), window=st.integers(48, 200))
def test_windows_find_what_the_whole_text_has(text: str, window: int) -> None:
    found = list(mentions_in(text, LINKER.link, window))
    assert found == LINKER.link(text)
    assert all(text[mention.start : mention.end] == mention.surface for mention in found)


def nested(text: str) -> list[Mention]:
    """All places of two names, one within the other, as a linker that keeps all would find them."""
    spans = [m.span() for name in ("a b c", "b c d", "b") for m in re.finditer(name, text)]
    spans.sort(key=lambda span: (span[0], -span[1]))
    return [Mention(start, end, text[start:end], None, ()) for start, end in spans]


@settings(deadline=None)
@given(text=st.text(st.sampled_from("abcd  ."), max_size=400), window=st.integers(40, 90))
def test_no_overlapping_mention_is_cut(text: str, window: int) -> None:
    assert list(mentions_in(text, nested, window)) == nested(text)


def test_no_piece_is_longer_than_the_window_where_there_are_words() -> None:
    seen: list[int] = []

    def find(text: str) -> Sequence[Mention]:
        seen.append(len(text))
        return LINKER.link(text)

    text = "one red apple tree, " * 400
    assert len(list(mentions_in(text, find, 100))) == 400
    assert max(seen) == 100
    assert sum(seen) < 2 * len(text)


@pytest.mark.parametrize("text", ["a" * 5000, "a" * 3000 + " gout", "gout " + "\n" * 3000])
def test_a_word_longer_than_the_window(text: str) -> None:
    assert list(mentions_in(text, LINKER.link, 100)) == LINKER.link(text)


def test_short_texts_are_linked_at_once() -> None:
    seen = []
    assert list(mentions_in("gout", lambda text: seen.append(text) or [])) == []  # type: ignore[func-returns-value]
    assert seen == ["gout"]
    assert long_texts.MARGIN < long_texts.TAIL < long_texts.WINDOW
