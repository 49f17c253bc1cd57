"""General texts, and the base's states on them: what must not be forgotten.

Sampling them from a causal base itself needs no corpus (Sun et al. 2020, LAMOL).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence, Sized
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import torch
from torch import Tensor
from transformers import DynamicCache, PreTrainedTokenizerBase
from transformers.modeling_utils import PreTrainedModel

from .kept_bottom import KeptBottom
from .language_model_loss import anchor_divergence
from .partial_passes import Places, run_once, states_at
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
TEXTS_AT_ONCE = 64


@dataclass(frozen=True)
class AnchorBatch:
    """Anchor texts, and (N, D) what the base's output embedding reads at their N places."""

    texts: PredictedBatch
    base: Tensor

    def at(self, chosen: Tensor) -> AnchorBatch:
        """The same texts, with these of the N places alone."""
        texts = self.texts
        places = Places(texts.at.rows[chosen], texts.at.places[chosen])
        fewer = replace(
            texts, at=places, targets=texts.targets[chosen], weights=texts.weights[chosen]
        )
        return AnchorBatch(fewer, self.base[chosen])


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

    Openings of all lengths are one batch without padding: it begins with the shortest, and what a longer
    one says takes the place of what is sampled.

    Returns:
        Token ids of the whole texts.
    """
    generator = torch.Generator().manual_seed(seed)
    finished: list[tuple[int, ...]] = []
    encoded: list[list[int]] = tokenizer(list(openings))["input_ids"]
    for start in range(0, len(encoded), TEXTS_AT_ONCE):
        given = encoded[start : start + TEXTS_AT_ONCE]
        finished += _continued(model, given, new_tokens, generator)
        advance(len(given) * new_tokens)
    return finished


def _continued(
    model: PreTrainedModel,
    openings: Sequence[Sequence[int]],
    new_tokens: int,
    generator: torch.Generator,
) -> list[tuple[int, ...]]:
    shortest, longest = min(map(len, openings)), max(map(len, openings))
    tokens = torch.tensor([row[:shortest] for row in openings])
    cache = DynamicCache(config=model.config)
    inputs = tokens
    for place in range(shortest, longest + new_tokens):
        output = model.base_model(input_ids=inputs, past_key_values=cache, use_cache=True)
        chances = next_token_log_probabilities(model, output.last_hidden_state[:, -1]).exp()
        inputs = torch.multinomial(chances, 1, generator=generator)
        for row, opening in enumerate(openings):
            if place < len(opening):
                inputs[row, 0] = opening[place]
        tokens = torch.cat([tokens, inputs], dim=1)
    return [
        tuple(row[: len(opening) + new_tokens])
        for row, opening in zip(tokens.tolist(), openings, strict=True)
    ]


def anchor_batches(
    model: PreTrainedModel,
    texts: Sequence[PredictedText],
    batch_size: int,
    padding: int,
    frozen_blocks: int = 0,
) -> list[AnchorBatch]:
    """Batches of texts with the base's states at their places; longest together.

    Args:
        model: the base.
        texts: to stay as the base is on.
        batch_size: texts of a batch.
        padding: token id.
        frozen_blocks: the lowest blocks, which stay as they are; what they give is kept.
    """
    order = sorted(range(len(texts)), key=lambda number: len(texts[number]))
    batches = []
    for start in range(0, len(order), batch_size):
        chosen = [texts[number] for number in order[start : start + batch_size]]
        batch = collate_predicted(chosen, padding)
        if not frozen_blocks:
            read = states_at(model, batch.tokens, batch.mask, batch.at)
            batches.append(AnchorBatch(batch, read.clone()))
            continue
        output, read = run_once(model, frozen_blocks - 1, batch.tokens, batch.mask, batch.at)
        states = tuple(output.hidden[row, : len(text)] for row, text in enumerate(chosen))
        starts = tuple((row, 0) for row in range(len(chosen)))
        shape = (batch.tokens.shape[0], batch.tokens.shape[1])
        bottom = KeptBottom(output.layer, output.members, states, starts, shape)
        batches.append(AnchorBatch(replace(batch, bottom=bottom), read.clone()))
    return batches
