"""Texts as padded batches of token ids with a loss weight per token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True)
class WeightedText:
    """A text and where its loss lies.

    Attributes:
        text: the whole text.
        target: character offset from which tokens count in full.
        context_weight: loss weight of the tokens before it.
    """

    text: str
    target: int
    context_weight: float


@dataclass(frozen=True)
class TokenRow:
    """One text's token ids and loss weights (the weight of predicting that token)."""

    tokens: tuple[int, ...]
    weights: tuple[float, ...]

    def __len__(self) -> int:
        return len(self.tokens)


@dataclass(frozen=True)
class TokenBatch:
    """Shapes: B texts, T tokens of the longest.

    Attributes:
        tokens: (B, T) ids, padded at the end.
        mask: (B, T) 1 for text, 0 for padding.
        weights: (B, T) loss weight of predicting each token; 0 at the first token and in padding.
    """

    tokens: Tensor
    mask: Tensor
    weights: Tensor


def tokenize_weighted(
    tokenizer: PreTrainedTokenizerBase, texts: Sequence[WeightedText], max_tokens: int
) -> list[TokenRow]:
    """Token rows of `texts`; a token counts in full when it ends after the target offset.

    Raises:
        ValueError: when a text is longer than `max_tokens`; nothing is cut silently.
    """
    if not texts:
        return []
    encoded = tokenizer([item.text for item in texts], return_offsets_mapping=True)
    rows = []
    for item, tokens, offsets in zip(
        texts, encoded["input_ids"], encoded["offset_mapping"], strict=True
    ):
        if len(tokens) > max_tokens:
            raise ValueError(
                f"a text of {len(tokens)} tokens is over {max_tokens}: {item.text[:60]}"
            )
        weights = [1.0 if end > item.target else item.context_weight for _, end in offsets]
        rows.append(TokenRow(tuple(tokens), (0.0, *weights[1:])))
    return rows


def collate_rows(rows: Sequence[TokenRow], padding: int) -> TokenBatch:
    """Pad rows to one length."""
    tokens, mask = padded_tokens([row.tokens for row in rows], padding)
    weights = np.zeros(tokens.shape, dtype=np.float32)
    for index, row in enumerate(rows):
        weights[index, : len(row)] = row.weights
    return TokenBatch(tokens, mask, torch.from_numpy(weights))


def padded_tokens(rows: Sequence[Sequence[int]], padding: int) -> tuple[Tensor, Tensor]:
    """(B, T) ids, padded at the end, and their mask: 1 for text, 0 for padding."""
    length = max(len(row) for row in rows)
    tokens = np.full((len(rows), length), padding, dtype=np.int64)
    mask = np.zeros((len(rows), length), dtype=np.int64)
    for index, row in enumerate(rows):
        tokens[index, : len(row)] = row
        mask[index, : len(row)] = 1
    return torch.from_numpy(tokens), torch.from_numpy(mask)


def shuffled_batches(
    lengths: Sequence[int], batch_size: int, random: np.random.Generator
) -> list[list[int]]:
    """Row numbers in random batches whose members have similar lengths, in random order.

    Rows are shuffled, sorted by length within pools of 16 batches, and the batches shuffled again:
    little padding, and still another composition each epoch.
    """
    order = random.permutation(len(lengths))
    pool = 16 * batch_size
    batches = []
    for start in range(0, len(order), pool):
        ranked = sorted(order[start : start + pool].tolist(), key=lambda row: lengths[row])
        batches += [ranked[at : at + batch_size] for at in range(0, len(ranked), batch_size)]
    return [batches[index] for index in random.permutation(len(batches))]
