"""Prompts read into a key-value cache, what they begin alike read once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import DynamicCache
from transformers.modeling_utils import PreTrainedModel

from .fusion_session import in_session
from .option_tree import shared_length

WORTH_SHARING = 16  # tokens: below that, a pass of its own costs more than it saves


@dataclass(frozen=True)
class ReadPrompts:
    """Prompts that a model has read. Shapes: B prompts, T cached places with padding, D hidden width.

    Attributes:
        encoded: token ids of each.
        cache: keys and values of all places.
        mask: (B, T) 1 where a place holds a token, 0 where it is padding.
        current: (B,) last token id.
        previous: (B,) token id before it; -1 where there is none.
        hidden: (B, D) final hidden state at the last token.
    """

    encoded: tuple[tuple[int, ...], ...]
    cache: DynamicCache
    mask: Tensor
    current: Tensor
    previous: Tensor
    hidden: Tensor


@torch.inference_mode()
def read_prompts(
    model: PreTrainedModel, encoded: Sequence[Sequence[int]], padding: int
) -> ReadPrompts:
    """Read token sequences, each of one token at least; `padding` is any valid token id.

    In a session each is read by itself: what a beginning gives depends on whose it is.
    """
    cache = DynamicCache(config=model.config)
    shared = 0 if in_session() else shared_beginning(encoded)
    if shared:
        begin = torch.tensor([encoded[0][:shared]])
        last_states(model, begin, torch.ones_like(begin), cache)
        cache.batch_repeat_interleave(len(encoded))
    tokens, mask = _left_padded([row[shared:] for row in encoded], padding)
    mask = torch.nn.functional.pad(mask, (shared, 0), value=1)
    hidden = last_states(model, tokens, mask, cache)
    previous = torch.tensor([row[-2] if len(row) > 1 else -1 for row in encoded])
    rows = tuple(tuple(row) for row in encoded)
    return ReadPrompts(rows, cache, mask, tokens[:, -1], previous, hidden)


@torch.inference_mode()
def read_for_all(model: PreTrainedModel, prompt: Sequence[int], copies: int) -> ReadPrompts:
    """Read one token sequence once, as the prompt of `copies` questions."""
    cache = DynamicCache(config=model.config)
    tokens = torch.tensor([list(prompt)])
    hidden = last_states(model, tokens, torch.ones_like(tokens), cache)
    cache.batch_repeat_interleave(copies)
    return ReadPrompts(
        (tuple(prompt),) * copies,
        cache,
        torch.ones(copies, len(prompt), dtype=torch.long),
        torch.full((copies,), prompt[-1]),
        torch.full((copies,), prompt[-2] if len(prompt) > 1 else -1),
        hidden.expand(copies, -1),
    )


def keep_prompts(read: ReadPrompts, rows: Sequence[int]) -> ReadPrompts:
    """The prompts at `rows`, ascending; the others leave the cache."""
    if len(rows) == len(read.current):
        return read
    index = torch.tensor(rows)
    read.cache.batch_select_indices(index)
    encoded = tuple(read.encoded[row] for row in rows)
    return ReadPrompts(
        encoded,
        read.cache,
        read.mask[index],
        read.current[index],
        read.previous[index],
        read.hidden[index],
    )


def shared_beginning(encoded: Sequence[Sequence[int]]) -> int:
    """How many first tokens to read once for all; each sequence keeps one of its own at least."""
    if len(encoded) < 2:
        return 0
    shared = min(min(shared_length(encoded[0], row), len(row) - 1) for row in encoded)
    return shared if shared >= WORTH_SHARING else 0


def last_states(
    model: PreTrainedModel, tokens: Tensor, mask: Tensor, cache: DynamicCache
) -> Tensor:
    """(B, D) final hidden states after (B, T) new `tokens`, which go into the cache."""
    output = model.base_model(
        input_ids=tokens,
        attention_mask=mask,
        position_ids=(mask.cumsum(1) - 1).clamp(min=0)[:, -tokens.shape[1] :],
        past_key_values=cache,
        use_cache=True,
    )
    return output.last_hidden_state[:, -1]


def _left_padded(encoded: Sequence[Sequence[int]], padding: int) -> tuple[Tensor, Tensor]:
    """(B, T) tokens padded at the left, and their (B, T) attention mask."""
    length = max(len(row) for row in encoded)
    tokens = torch.full((len(encoded), length), padding)
    mask = torch.zeros(len(encoded), length, dtype=torch.long)
    for index, row in enumerate(encoded):
        tokens[index, length - len(row) :] = torch.tensor(row)
        mask[index, length - len(row) :] = 1
    return tokens, mask
