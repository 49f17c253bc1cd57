"""Facts that hear each other: self-attention over one memory, whatever the order of its facts.

    k_f ← k_f + W_o Σ_g softmax_g(W_q k̂_f · W_k k̂_g / √d + log P(g)) W_v k̂_g
                            k̂ = layer norm of k, heads side by side; P(g) how likely fact g is true

It is Set Transformer's block (Lee et al. 2019) without its feed-forward part: a fact's key may say that
another of the same relation stands beside it, or that none does. No place is told, so permuted facts have
permuted keys; padding isn't heard. W_o begins at zero: facts are then read each for itself.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

HEADS = 4


class SetEncoder(nn.Module):
    """The block. Shapes: N memories, F facts, K key width.

    Args:
        width: K, a multiple of `HEADS`.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.joined = nn.Linear(width, 3 * width, bias=False)  # queries, keys and values
        self.heard = nn.Linear(width, width, bias=False)
        nn.init.zeros_(self.heard.weight)

    def forward(self, keys: Tensor, there: Tensor, weight: Tensor) -> Tensor:
        """(N, F, K) keys with what the others tell.

        Args:
            keys: (N, F, K) of each fact for itself.
            there: (N, F) False in padding.
            weight: (N, F) log-probabilities; see `FactMemory`.
        """
        query, key, value = self.joined(self.norm(keys)).unflatten(-1, (3, HEADS, -1)).unbind(2)
        # Padding hears itself too: of an empty memory nothing could be heard otherwise.
        heard = there[:, None, :] | torch.eye(keys.shape[1], dtype=torch.bool)
        heard = torch.where(heard, weight[:, None, :], -torch.inf)
        told = nn.functional.scaled_dot_product_attention(
            query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2), heard[:, None]
        )
        told_all: Tensor = self.heard(told.transpose(1, 2).flatten(2))
        return keys + told_all
