"""Beginnings of texts that nothing is added to, run once and kept as keys and values.

A causal model doesn't look ahead: up to the first place at which a fact is read, its keys and values are
the base's own, however long is trained. They are kept for every text, and a step runs the rest alone.

Shapes: B texts, P places of the longest beginning, H heads, K key or value width, N places of all texts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from inspect import signature
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import DynamicCache
from transformers.modeling_utils import PreTrainedModel

from .exact_ways import NEEDED
from .near_ties import tolerance_of
from .partial_passes import Places, head_at, logits_at_places

BYTES_KEPT = 2 * 2**30  # of all keys and values; texts beyond are run from their first token
LayerStates = tuple[Tensor, Tensor]  # keys and values


@dataclass(frozen=True)
class Beginnings:
    """Of the texts of one batch, padded on the left, so that what follows is beside them.

    Attributes:
        states: by layer, (B, H, P, K) keys and values.
        mask: (B, P) 1 for text, 0 for padding.
    """

    states: Sequence[LayerStates]
    mask: Tensor

    def cache(self) -> DynamicCache:
        """A cache that a pass may write to: what it adds doesn't come back here."""
        return DynamicCache(self.states)


@dataclass(frozen=True)
class KeptBeginnings:
    """Of all texts, one behind another.

    Attributes:
        states: by layer, (N, H, K) keys and values; no layer where nothing is kept.
        lengths: for each text, the tokens of its beginning.
        first: for each text, the row of its first token.
    """

    states: Sequence[LayerStates]
    lengths: Sequence[int]
    first: Sequence[int]

    def of(self, texts: Sequence[int]) -> Beginnings | None:
        """Those of a batch of texts, by their numbers; None where none of them begins."""
        longest = max(self.lengths[number] for number in texts)
        if not longest:
            return None
        lengths = torch.tensor([self.lengths[number] for number in texts])[:, None]
        first = torch.tensor([self.first[number] for number in texts])[:, None]
        since = torch.arange(longest) - (
            longest - lengths
        )  # place in the text, negative in padding
        rows = (first + since).masked_fill(since < 0, 0)
        states = [
            (keys[rows].transpose(1, 2), values[rows].transpose(1, 2))
            for keys, values in self.states
        ]
        return Beginnings(states, (since >= 0).long())


class BeginningKeeper:
    """Takes beginnings out of the caches of passes, as many as `BYTES_KEPT` has room for.

    Args:
        lengths: for each text, the tokens of its beginning.
    """

    def __init__(self, lengths: Sequence[int]) -> None:
        self._wanted = lengths
        self._kept = [0] * len(lengths)
        self._first = [0] * len(lengths)
        self._parts: list[list[LayerStates]] = []
        self._rows = 0

    def keep(self, numbers: Sequence[int], cache: DynamicCache) -> None:
        """Take those of the texts `numbers`, a row each in the cache, padded at the end."""
        layers = [_states_of(layer) for layer in cache.layers]
        a_place = sum(part[0, :, 0].nbytes for layer in layers for part in layer)
        rows: list[int] = []
        places: list[int] = []
        for row, number in enumerate(numbers):
            length = self._wanted[number]
            if (self._rows + length) * a_place > BYTES_KEPT:
                continue
            self._kept[number], self._first[number] = length, self._rows
            self._rows += length
            rows += [row] * length
            places += range(length)
        at = Places(torch.tensor(rows, dtype=torch.long), torch.tensor(places, dtype=torch.long))
        self._parts.append(
            [
                (
                    keys.transpose(1, 2)[at.rows, at.places],
                    values.transpose(1, 2)[at.rows, at.places],
                )
                for keys, values in layers
            ]
        )

    def kept(self) -> KeptBeginnings:
        """All that were taken."""
        states = [
            (torch.cat([keys for keys, _ in layer]), torch.cat([values for _, values in layer]))
            for layer in zip(*self._parts, strict=True)
        ]
        return KeptBeginnings(states, self._kept, self._first)


def _states_of(layer: Any) -> LayerStates:
    return layer.keys, layer.values  # (B, H, T, K); a layer of another kind has none


def logits_after(
    model: PreTrainedModel, begun: Beginnings, tokens: Tensor, mask: Tensor, at: Places
) -> Tensor:
    """(N, V) float32 logits at N places of (B, T) tokens that follow B beginnings.

    Args:
        model: one that `goes_on`.
        begun: the beginnings.
        tokens, mask: (B, T) ids, padded at the end, and 0 in padding.
        at: N places among the T.
    """
    whole = torch.cat([begun.mask, mask], dim=1)
    places = (whole.cumsum(1) - 1).clamp(min=0)[:, -tokens.shape[1] :]
    with head_at(model, at):
        logits: Tensor = model(
            input_ids=tokens,
            attention_mask=whole,
            position_ids=places,
            past_key_values=begun.cache(),
            use_cache=True,
        ).logits
    return logits.squeeze(0).float()


@torch.no_grad()
def goes_on(model: PreTrainedModel) -> bool:
    """Whether texts that are run after their beginnings give what they give as a whole.

    The model itself is asked, by two random texts: one that reads both ways, or that keeps something
    else than keys and values, doesn't.
    """
    if not set(signature(model.base_model.forward).parameters) >= NEEDED:
        return False
    vocabulary = model.config.get_text_config().vocab_size
    drawn = np.random.default_rng(0).integers(vocabulary // 2, vocabulary, (2, 9))
    tokens, mask = torch.from_numpy(drawn), torch.ones(2, 9, dtype=torch.long)
    lengths = torch.tensor([[3], [5]])  # two, so that one is padded
    rows, run = torch.arange(2)[:, None].expand(2, 4), torch.arange(4).expand(2, 4)
    places = run + lengths
    own = logits_at_places(model, tokens, mask, Places(rows.flatten(), places.flatten()))
    cache, keeper = DynamicCache(), BeginningKeeper(lengths.flatten().tolist())
    try:
        model(input_ids=tokens, attention_mask=mask, past_key_values=cache, use_cache=True)
        keeper.keep((0, 1), cache)
        begun, at = keeper.kept().of((0, 1)), Places(rows.flatten(), run.flatten())
        if begun is None:
            return False
        found = logits_after(model, begun, tokens[rows, places], mask[:, :4], at)
    except (AttributeError, IndexError, NotImplementedError, RuntimeError, TypeError, ValueError):
        return False  # what a model does with a cache that it wasn't written for is its own affair
    spread = (own - own.mean(dim=1, keepdim=True)).norm()
    return bool((found - own).norm() <= tolerance_of(model.dtype) * spread)
