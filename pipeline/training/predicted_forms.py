"""What becomes of a text before a model of either kind is taught on it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np

from ...models.language_model import LanguageModel
from ...models.masked_texts import (
    MaskableText,
    MaskingRates,
    maskable_text,
    masked_names,
    masked_text,
)
from ...models.predicted_texts import PredictedText, WeightedText, continued_texts
from ..settings.training import PretrainTable

PreparedT = TypeVar("PreparedT")


@dataclass(frozen=True)
class PredictedForms(Generic[PreparedT]):
    """From texts to what a model predicts of them.

    Attributes:
        prepared: texts as tokens, once for all epochs.
        of_fact: what a text of a fact teaches in one exposure; nothing but the entities that are named
            later, in a profile all but the first.
        of_text: what a domain text teaches.
    """

    prepared: Callable[[Sequence[WeightedText]], list[PreparedT]]
    of_fact: Callable[[PreparedT, np.random.Generator], PredictedText]
    of_text: Callable[[PreparedT, np.random.Generator], PredictedText]


def forms_of(loaded: LanguageModel, settings: PretrainTable) -> PredictedForms[Any]:
    """Those of a model of its kind."""
    make = masked_forms if loaded.kind == "masked" else continued_forms
    forms: PredictedForms[Any] = make(loaded, settings)
    return forms


def continued_forms(
    loaded: LanguageModel, settings: PretrainTable
) -> PredictedForms[PredictedText]:
    """Of a causal model, to which a text is always the same."""

    def same(text: PredictedText, random: np.random.Generator) -> PredictedText:
        return text

    def prepared(texts: Sequence[WeightedText]) -> list[PredictedText]:
        return continued_texts(loaded.tokenizer, texts, settings.max_tokens)

    return PredictedForms(prepared, same, same)


def masked_forms(loaded: LanguageModel, settings: PretrainTable) -> PredictedForms[MaskableText]:
    """Of a masked model, of which each exposure masks something else."""
    tokenizer, rates = loaded.tokenizer, masking_rates(settings)

    def prepared(texts: Sequence[WeightedText]) -> list[MaskableText]:
        return [maskable_text(tokenizer, text, settings.max_tokens) for text in texts]

    def of_text(text: MaskableText, random: np.random.Generator) -> PredictedText:
        return masked_text(text, rates, tokenizer, random)

    def of_fact(text: MaskableText, random: np.random.Generator) -> PredictedText:
        return masked_names(text, settings.mention_masking, tokenizer, random)

    return PredictedForms(prepared, of_fact, of_text)


def masking_rates(settings: PretrainTable) -> MaskingRates:
    """As the project sets them."""
    return MaskingRates(settings.mention_masking, settings.word_masking, settings.token_masking)
