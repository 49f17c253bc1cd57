"""Texts as padded batches of token ids, of similar length."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor


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
