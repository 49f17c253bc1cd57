"""What a fusion strategy has made of each fact of a session, kept for passes that go on from a cache."""

from __future__ import annotations

import torch
from torch import Tensor

from .fact_memory import PADDING, FactMemory


class FactStates:
    """A vector for each fact, behind each of some blocks. Shapes: B rows, F facts, W width.

    They are known by request, as rows come and go: beams, options, texts that are done. A request is
    one text up to its mentions, so all of its rows give the same. No padding is kept.
    """

    def __init__(self, memory: FactMemory) -> None:
        there = memory.label[:, :, 0] != PADDING
        self._count = int(there.sum())
        self._numbers = (there.flatten().cumsum(0) - 1).clamp(min=0).view_as(there)
        self._states: dict[int, Tensor] = {}

    def kept(self, layer: int, requests: Tensor, like: Tensor) -> Tensor:
        """(B, F, W) the states of these (B,) requests' facts; zero where none is kept.

        Args:
            layer: number of the block.
            requests: of the rows.
            like: (B, F, W), of the width and kind that states have.
        """
        states = self._states.get(layer)
        if states is None:
            return torch.zeros_like(like)
        return states[self._numbers[requests]]

    def keep(self, layer: int, requests: Tensor, which: Tensor, states: Tensor) -> None:
        """Keep those of (B, F, W) states that (B, F) `which` says, without their gradients."""
        states = states.detach()
        if layer not in self._states:
            self._states[layer] = states.new_zeros(self._count, states.shape[-1])
        self._states[layer][self._numbers[requests][which]] = states[which]
