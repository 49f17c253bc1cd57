"""What a masked model is taught on: texts with some of their tokens masked (Devlin et al. 2019).

Three kinds of units are drawn, each at a rate of its own: mentions of entities, whole (ERNIE, Sun et al.
2019: what is masked can't be guessed from the rest of a name); whole words; and single tokens. Of the units
drawn, eight tenths are masked, one tenth is replaced by random tokens and one tenth stays, and all their
tokens are predicted.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from transformers import PreTrainedTokenizerBase

from .masked_states import answer_rows
from .predicted_texts import PredictedText, WeightedText, check_length

MASKED, REPLACED = 0.8, 0.1  # shares of the units drawn; the rest stay as they are


@dataclass(frozen=True)
class MaskingRates:
    """Share of a text's mentions, words and tokens that are drawn, each 0 to 1."""

    mention: float
    word: float
    token: float


@dataclass(frozen=True)
class MaskableText:
    """A text's tokens, and what of it may be masked as one.

    Attributes:
        tokens: ids.
        mentions: places of each mention's tokens.
        words: places of each word's tokens.
    """

    tokens: tuple[int, ...]
    mentions: tuple[tuple[int, ...], ...]
    words: tuple[tuple[int, ...], ...]

    def __len__(self) -> int:
        return len(self.tokens)


def maskable_text(
    tokenizer: PreTrainedTokenizerBase, text: WeightedText, max_tokens: int
) -> MaskableText:
    """A text with its mentions and words; special tokens are in none.

    Raises:
        ValueError: when it is longer than `max_tokens`; nothing is cut silently.
    """
    encoded = tokenizer(text.text, return_offsets_mapping=True)
    tokens = encoded["input_ids"]
    check_length(text.text, tokens, max_tokens)
    offsets = encoded["offset_mapping"]
    words: dict[int, list[int]] = {}
    for place, word in enumerate(encoded.word_ids()):
        if word is not None:
            words.setdefault(word, []).append(place)
    own = [place for places in words.values() for place in places]
    mentions = [
        tuple(place for place in own if start < offsets[place][1] <= end)
        for start, end in text.mentions
    ]
    return MaskableText(
        tuple(tokens), tuple(filter(None, mentions)), tuple(tuple(of) for of in words.values())
    )


def masked_text(
    text: MaskableText,
    rates: MaskingRates,
    tokenizer: PreTrainedTokenizerBase,
    random: np.random.Generator,
) -> PredictedText:
    """A text with units drawn; one word at least, so that every text teaches something."""
    single = [(place,) for word in text.words for place in word]
    kinds = ((text.mentions, rates.mention), (text.words, rates.word), (single, rates.token))
    units = [unit for of, rate in kinds for unit in of if random.random() < rate]
    if not units and text.words:
        units = [text.words[int(random.integers(len(text.words)))]]
    tokens = list(text.tokens)
    for unit, chance in zip(units, random.random(len(units)), strict=True):
        for place in unit:
            if chance < MASKED:
                tokens[place] = int(tokenizer.mask_token_id)
            elif chance < MASKED + REPLACED:
                tokens[place] = int(random.integers(len(tokenizer)))
    places = sorted({place for unit in units for place in unit})
    return PredictedText(
        tuple(tokens),
        tuple(places),
        tuple(text.tokens[place] for place in places),
        (1.0,) * len(places),
    )


def masked_names(
    text: MaskableText,
    whole: float,
    tokenizer: PreTrainedTokenizerBase,
    random: np.random.Generator,
) -> PredictedText:
    """A text that teaches the names that are its mentions, and nothing else of it.

    A name is masked whole, all of it predicted, with a chance of `whole`; else one token of it is,
    masked as `masked_scoring` masks what is asked: with the rest of its word, and no more.
    """
    hidden: list[int] = []
    places: list[int] = []
    for name in text.mentions:
        if random.random() < whole:
            hidden += name
            places += name
            continue
        place = name[int(random.integers(len(name)))]
        (word,) = [word for word in text.words if place in word]
        hidden += [other for other in word if other >= place and other in name]
        places.append(place)
    return _hidden(text, tokenizer, hidden, places)


def answered_texts(
    tokenizer: PreTrainedTokenizerBase, texts: Sequence[WeightedText], max_tokens: int
) -> list[PredictedText]:
    """Texts that end with an answer from their target offset on, once for each of its tokens."""
    found = []
    for text in texts:
        prompt, answer = text.text[: text.target].rstrip(), text.text[text.target :].strip()
        taught = answer_texts(tokenizer, prompt, answer)
        for row in taught:
            check_length(text.text, row.tokens, max_tokens)
        found += taught
    return found


def answer_texts(
    tokenizer: PreTrainedTokenizerBase, prompt: str, answer: str
) -> list[PredictedText]:
    """A prompt with its answer, once for each token of it, masked as when it is asked."""
    return [
        PredictedText(row.tokens, (row.place,), (row.target,), (1.0,))
        for row in answer_rows(tokenizer, prompt, answer)
    ]


def _hidden(
    text: MaskableText,
    tokenizer: PreTrainedTokenizerBase,
    hidden: Collection[int],
    places: Sequence[int],
) -> PredictedText:
    mask = int(tokenizer.mask_token_id)
    return PredictedText(
        tuple(mask if at in hidden else token for at, token in enumerate(text.tokens)),
        tuple(places),
        tuple(text.tokens[place] for place in places),
        (1.0,) * len(places),
    )
