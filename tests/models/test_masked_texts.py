"""What is masked for a masked model to learn: the units drawn, at their rates, and nothing else."""

from collections import Counter

import numpy as np
import pytest
from infact.models.language_model import LanguageModel
from infact.models.masked_scoring import masked_rows
from infact.models.masked_texts import (
    MaskableText,
    MaskingRates,
    answered_texts,
    maskable_text,
    masked_names,
    masked_text,
)
from infact.models.predicted_texts import PredictedText, WeightedText

TEXT = "Norway, whose capital is Oslo, lies in Northern Europe."
MENTIONS = tuple((TEXT.index(name), TEXT.index(name) + len(name)) for name in ("Norway", "Oslo"))


@pytest.fixture
def text(tiny_masked: LanguageModel) -> MaskableText:
    return maskable_text(tiny_masked.tokenizer, WeightedText(TEXT, 0, 1.0, MENTIONS), 99)


def surface(base: LanguageModel, text: MaskableText, places: tuple[int, ...]) -> str:
    return base.tokenizer.decode([text.tokens[place] for place in places]).strip().lower()


def test_mentions_and_words_are_those_of_the_text(
    tiny_masked: LanguageModel, text: MaskableText
) -> None:
    assert [surface(tiny_masked, text, of) for of in text.mentions] == ["norway", "oslo"]
    words = [place for word in text.words for place in word]
    special = tiny_masked.tokenizer.all_special_ids
    assert words == [at for at, token in enumerate(text.tokens) if token not in special]


@pytest.mark.parametrize(
    ("rates", "kind"),
    [
        (MaskingRates(0.4, 0, 0), "mentions"),
        (MaskingRates(0, 0.4, 0), "words"),
        (MaskingRates(0, 0, 0.4), "tokens"),
    ],
)
def test_units_are_drawn_whole_at_their_rate(
    tiny_masked: LanguageModel, text: MaskableText, rates: MaskingRates, kind: str
) -> None:
    units = {
        "mentions": text.mentions,
        "words": text.words,
        "tokens": tuple((place,) for word in text.words for place in word),
    }[kind]
    random = np.random.default_rng(0)
    drawn = [masked_text(text, rates, tiny_masked.tokenizer, random) for _ in range(600)]
    for found in drawn:
        assert list(found.targets) == [text.tokens[place] for place in found.places]
        away = set(range(len(text))) - set(found.places)
        assert all(found.tokens[place] == text.tokens[place] for place in away)
    counted = [
        sum(set(unit) <= set(found.places) for found in drawn) / len(drawn) for unit in units
    ]
    # Where nothing is drawn one word is, so that the least is a little more than the rate.
    assert min(counted) > 0.32
    assert max(counted) < 0.55


def test_of_what_is_drawn_eight_tenths_are_masked_and_a_tenth_replaced(
    tiny_masked: LanguageModel, text: MaskableText
) -> None:
    random, tokenizer = np.random.default_rng(1), tiny_masked.tokenizer
    seen: Counter[str] = Counter()
    for _ in range(2000):
        found = masked_text(text, MaskingRates(0, 0, 0.3), tokenizer, random)
        for place, target in zip(found.places, found.targets, strict=True):
            token = found.tokens[place]
            masked = token == tokenizer.mask_token_id
            seen["masked" if masked else "kept" if token == target else "replaced"] += 1
    total = sum(seen.values())
    assert abs(seen["masked"] / total - 0.8) < 0.03
    assert abs(seen["replaced"] / total - 0.1) < 0.03
    assert abs(seen["kept"] / total - 0.1) < 0.03


def test_a_text_of_which_nothing_is_drawn_still_teaches_a_word(
    tiny_masked: LanguageModel, text: MaskableText
) -> None:
    found = masked_text(
        text, MaskingRates(0, 0, 0), tiny_masked.tokenizer, np.random.default_rng(0)
    )
    assert found.places in text.words


def test_a_name_is_masked_whole_or_as_it_is_asked(tiny_masked: LanguageModel) -> None:
    tokenizer, random = tiny_masked.tokenizer, np.random.default_rng(0)
    mask = tokenizer.mask_token_id
    (start, end) = MENTIONS[1]
    text = maskable_text(tokenizer, WeightedText(TEXT, 0, 1.0, ((start, end),)), 99)
    whole = masked_names(text, 1.0, tokenizer, random)
    assert whole.places == text.mentions[0]
    assert [at for at, token in enumerate(whole.tokens) if token == mask] == list(whole.places)
    asked = {masked_names(text, 0.0, tokenizer, random) for _ in range(60)}
    expected = {
        PredictedText(row.tokens, (row.place,), (row.target,), (1.0,))
        for row in masked_rows(tokenizer, TEXT)
        if row.place in text.mentions[0]
    }
    assert len(expected) > 1
    assert asked == expected


def test_every_name_of_a_text_is_taught_at_once(tiny_masked: LanguageModel) -> None:
    tokenizer, random = tiny_masked.tokenizer, np.random.default_rng(0)
    text = maskable_text(tokenizer, WeightedText(TEXT, 0, 1.0, MENTIONS), 99)
    both = [place for name in text.mentions for place in name]
    assert list(masked_names(text, 1.0, tokenizer, random).places) == both
    asked = masked_names(text, 0.0, tokenizer, random)
    assert all(at in name for at, name in zip(asked.places, text.mentions, strict=True))
    assert asked.targets == tuple(text.tokens[place] for place in asked.places)


def test_an_answer_is_taught_as_it_is_asked(tiny_masked: LanguageModel) -> None:
    prompt = "The capital of Norway is"
    texts = [WeightedText(f"{prompt} Oslo\n", len(prompt), 0.0)]
    found = answered_texts(tiny_masked.tokenizer, texts, 99)
    rows = masked_rows(tiny_masked.tokenizer, "Oslo", f"{prompt} ")
    assert found == [PredictedText(row.tokens, (row.place,), (row.target,), (1.0,)) for row in rows]


def test_a_text_too_long_is_refused(tiny_masked: LanguageModel) -> None:
    with pytest.raises(ValueError, match="is over 4"):
        maskable_text(tiny_masked.tokenizer, WeightedText(TEXT, 0, 1.0), 4)
