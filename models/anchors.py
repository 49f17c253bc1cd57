"""General texts, and the base's states on them: what must not be forgotten.

Sampling them from a causal base itself needs no corpus (Sun et al. 2020, LAMOL).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence, Sized
from dataclasses import dataclass
from typing import Generic, TypeVar

import torch
from torch import Tensor
from transformers import DynamicCache, PreTrainedTokenizerBase
from transformers.modeling_utils import PreTrainedModel

from .language_model_loss import anchor_divergence
from .partial_passes import states_at
from .predicted_texts import (
    PredictedBatch,
    PredictedText,
    collate_predicted,
    in_part,
    predicted_part,
)
from .read_out import next_token_log_probabilities
from .shared_steps import Part

TaughtT = TypeVar("TaughtT", bound=Sized)


@dataclass(frozen=True)
class AnchorBatch:
    """Anchor texts, and (N, D) what the base's output embedding reads at their N places."""

    texts: PredictedBatch
    base: Tensor


@dataclass(frozen=True)
class AnchoredBatch(Generic[TaughtT]):
    """One step: what is taught, and texts on which to stay as the base is (None: no anchor)."""

    taught: TaughtT
    anchor: AnchorBatch | None


def anchored_loss(
    loss: Callable[[PreTrainedModel, TaughtT], Tensor], weight: float
) -> Callable[[PreTrainedModel, AnchoredBatch[TaughtT]], Tensor]:
    """`loss` on what is taught plus `weight` · KL(base ‖ model) on the anchor texts."""

    def total(model: PreTrainedModel, batch: AnchoredBatch[TaughtT]) -> Tensor:
        value = loss(model, batch.taught)
        if batch.anchor is None:
            return value
        return value + weight * anchor_divergence(model, batch.anchor.texts, batch.anchor.base)

    return total


def anchored_part(part: Part[TaughtT]) -> Part[AnchoredBatch[TaughtT]]:
    """Parts of what is taught, by `part`, each with its part of the anchor texts."""

    def of_both(
        batch: AnchoredBatch[TaughtT], number: int, count: int
    ) -> AnchoredBatch[TaughtT] | None:
        parts = min(count, len(batch.taught))  # an anchor goes along with what is taught
        taught = part(batch.taught, number, parts) if number < parts else None
        if taught is None:
            return None
        anchor = batch.anchor and _anchor_part(batch.anchor, number, parts)
        return AnchoredBatch(taught, anchor)

    return of_both


def _anchor_part(anchor: AnchorBatch, number: int, count: int) -> AnchorBatch | None:
    texts = predicted_part(anchor.texts, number, count)
    if texts is None:
        return None
    return AnchorBatch(texts, anchor.base[in_part(anchor.texts, number, count)])


@torch.inference_mode()
def sample_texts(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    openings: Sequence[str],
    new_tokens: int,
    seed: int,
    advance: Callable[[int], None],
) -> list[tuple[int, ...]]:
    """Continue each opening by `new_tokens` tokens that a causal model samples at temperature 1.

    Returns:
        Token ids of the whole texts.
    """
    generator = torch.Generator().manual_seed(seed)
    finished: list[tuple[int, ...]] = [() for _ in openings]
    encoded = tokenizer(list(openings))["input_ids"]
    by_length: dict[int, list[int]] = {}
    for number, row in enumerate(encoded):
        by_length.setdefault(len(row), []).append(number)
    for numbers in by_length.values():
        tokens = torch.tensor([encoded[number] for number in numbers])
        cache = DynamicCache(config=model.config)
        inputs = tokens
        for _ in range(new_tokens):
            output = model.base_model(input_ids=inputs, past_key_values=cache, use_cache=True)
            chances = next_token_log_probabilities(model, output.last_hidden_state[:, -1]).exp()
            inputs = torch.multinomial(chances, 1, generator=generator)
            tokens = torch.cat([tokens, inputs], dim=1)
        for number, row in zip(numbers, tokens.tolist(), strict=True):
            finished[number] = tuple(row)
        advance(len(numbers) * new_tokens)
    return finished


def anchor_batches(
    model: PreTrainedModel, texts: Sequence[PredictedText], batch_size: int, padding: int
) -> list[AnchorBatch]:
    """Batches of texts with the base's states at their places; longest together."""
    order = sorted(range(len(texts)), key=lambda number: len(texts[number]))
    batches = []
    for start in range(0, len(order), batch_size):
        chosen = [texts[number] for number in order[start : start + batch_size]]
        batch = collate_predicted(chosen, padding)
        read = states_at(model, batch.tokens, batch.mask, batch.at)
        batches.append(AnchorBatch(batch, read.clone()))
    return batches
