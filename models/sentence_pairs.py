"""Two sentences in one window, with some of their tokens masked: half of what BERT was trained on.

    [CLS] first [SEP] second [SEP], token types 0 up to the first [SEP] and 1 behind it

(Devlin et al. 2019, section 3.1). Which words are masked is drawn as for any other text (`masked_texts`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from .masked_texts import MaskableText, MaskingRates, maskable_parts, masked_text
from .predicted_texts import (
    PredictedBatch,
    PredictedText,
    WeightedText,
    collate_predicted,
    predicted_part,
)
from .token_batches import padded_tokens

FOLLOWS, OTHER = 0, 1  # BERT's numbers of the head's two classes


@dataclass(frozen=True)
class SentencePair:
    """Two sentences, and whether the second follows the first in a text."""

    first: WeightedText
    second: WeightedText
    follows: bool


@dataclass(frozen=True)
class MaskablePair:
    """A pair's tokens and units, and of each token whether it is the second sentence's (1) or not (0)."""

    text: MaskableText
    types: tuple[int, ...]
    follows: bool


@dataclass(frozen=True)
class PredictedPair:
    """A pair as a model reads it, the tokens that it is to predict, and whether the second follows."""

    text: PredictedText
    types: tuple[int, ...]
    follows: bool

    def __len__(self) -> int:
        return len(self.text)


@dataclass(frozen=True)
class PairBatch:
    """Shapes: B pairs, T tokens of the longest.

    Attributes:
        texts: the pairs' tokens and what is predicted of them.
        types: (B, T) token types; 0 in padding.
        classes: (B,) FOLLOWS or OTHER.
    """

    texts: PredictedBatch
    types: Tensor
    classes: Tensor

    def __len__(self) -> int:
        """Pairs."""
        return len(self.texts)

    @property
    def size(self) -> int:
        """Tokens, padding left out."""
        return self.texts.size


def maskable_pair(
    tokenizer: PreTrainedTokenizerBase, pair: SentencePair, max_tokens: int
) -> MaskablePair:
    """A pair in one window, with the mentions and words of both sentences.

    Raises:
        ValueError: when it is longer than `max_tokens`; nothing is cut silently.
    """
    text, types = maskable_parts(tokenizer, (pair.first, pair.second), max_tokens)
    return MaskablePair(text, types, pair.follows)


def masked_pair(
    pair: MaskablePair,
    rates: MaskingRates,
    tokenizer: PreTrainedTokenizerBase,
    random: np.random.Generator,
) -> PredictedPair:
    """A pair with units drawn, as `masked_text` draws them."""
    return PredictedPair(masked_text(pair.text, rates, tokenizer, random), pair.types, pair.follows)


def visible_pair(pair: MaskablePair) -> PredictedPair:
    """A pair of which nothing is masked and no token predicted."""
    return PredictedPair(PredictedText(pair.text.tokens, (), (), ()), pair.types, pair.follows)


def collate_pairs(pairs: Sequence[PredictedPair], padding: int = 0) -> PairBatch:
    """Pairs padded to one length."""
    types, _ = padded_tokens([pair.types for pair in pairs], 0)
    classes = [FOLLOWS if pair.follows else OTHER for pair in pairs]
    return PairBatch(
        collate_predicted([pair.text for pair in pairs], padding), types, torch.tensor(classes)
    )


def text_or_pair_part(
    batch: PredictedBatch | PairBatch, number: int, count: int
) -> PredictedBatch | PairBatch | None:
    """Every `count`-th row from `number` on, whether rows are texts or pairs; None where there is none."""
    if isinstance(batch, PredictedBatch):
        return predicted_part(batch, number, count)
    texts = predicted_part(batch.texts, number, count)
    if texts is None:
        return None
    types = batch.types[number::count, : texts.tokens.shape[1]]
    return PairBatch(texts, types, batch.classes[number::count])
