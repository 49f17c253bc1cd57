"""Pairs of sentences in one window: read as the tokenizer joins them, their units drawn like any text's."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from infact.models.language_model import LanguageModel
from infact.models.masked_texts import MaskingRates, maskable_text
from infact.models.predicted_texts import WeightedText
from infact.models.sentence_pairs import (
    FOLLOWS,
    OTHER,
    MaskablePair,
    SentencePair,
    collate_pairs,
    maskable_pair,
    masked_pair,
    visible_pair,
)

FIRST, SECOND = "The capital of Norway is Oslo.", "Oslo lies in the south."


def named(text: str, *names: str) -> WeightedText:
    mentions = tuple((text.index(name), text.index(name) + len(name)) for name in names)
    return WeightedText(text, 0, 1.0, mentions)


@pytest.fixture
def pair(tiny_masked: LanguageModel) -> MaskablePair:
    both = SentencePair(named(FIRST, "Norway", "Oslo"), named(SECOND, "Oslo"), True)
    return maskable_pair(tiny_masked.tokenizer, both, 99)


def test_it_is_read_as_the_tokenizer_joins_two_texts(
    tiny_masked: LanguageModel, pair: MaskablePair
) -> None:
    joined = tiny_masked.tokenizer(FIRST, SECOND, return_token_type_ids=True)
    assert list(pair.text.tokens) == joined["input_ids"]
    assert list(pair.types) == joined["token_type_ids"]
    assert set(pair.types) == {0, 1}


def test_words_and_mentions_are_those_of_both_sentences(
    tiny_masked: LanguageModel, pair: MaskablePair
) -> None:
    alone = [
        maskable_text(tiny_masked.tokenizer, text, 99)
        for text in (named(FIRST, "Norway", "Oslo"), named(SECOND, "Oslo"))
    ]
    behind = len(alone[0].tokens) - 1  # the second's [CLS] is the first's [SEP]

    def moved(units: tuple[tuple[int, ...], ...]) -> tuple[tuple[int, ...], ...]:
        return tuple(tuple(place + behind for place in unit) for unit in units)

    assert pair.text.words == alone[0].words + moved(alone[1].words)
    assert pair.text.mentions == alone[0].mentions + moved(alone[1].mentions)


@given(st.integers(0, 2**32 - 1), st.floats(0, 1))
def test_a_masked_pair_keeps_its_types_and_predicts_what_was_there(
    tiny_masked: LanguageModel, seed: int, rate: float
) -> None:
    pair = maskable_pair(
        tiny_masked.tokenizer, SentencePair(named(FIRST), named(SECOND), False), 99
    )
    random, rates = np.random.default_rng(seed), MaskingRates(0, rate, 0)
    drawn = masked_pair(pair, rates, tiny_masked.tokenizer, random)
    assert (drawn.types, drawn.follows) == (pair.types, False)
    assert drawn.text.places
    assert [pair.text.tokens[place] for place in drawn.text.places] == list(drawn.text.targets)


def test_a_batch_is_padded_and_tells_the_classes(
    tiny_masked: LanguageModel, pair: MaskablePair
) -> None:
    short = SentencePair(named("Oslo."), named("Lima."), False)
    other = maskable_pair(tiny_masked.tokenizer, short, 99)
    batch = collate_pairs([visible_pair(other), visible_pair(pair)])
    assert batch.classes.tolist() == [OTHER, FOLLOWS]
    assert torch.equal(batch.types[0, len(other.types) :].any(), torch.tensor(False))
    assert batch.types[1].tolist() == list(pair.types)
    assert batch.size == len(pair.types) + len(other.types)


def test_nothing_is_cut_silently(tiny_masked: LanguageModel, pair: MaskablePair) -> None:
    both, length = SentencePair(named(FIRST), named(SECOND), True), len(pair.types)
    assert maskable_pair(tiny_masked.tokenizer, both, length).types == pair.types
    with pytest.raises(ValueError, match=f"{length} tokens"):
        maskable_pair(tiny_masked.tokenizer, both, length - 1)
