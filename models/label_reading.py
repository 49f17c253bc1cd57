"""How places of the text attend to the labels of facts, and copy them, within one layer of a model.

    a = softmax(q·n, q·k_{1,1}, …, q·k_{F,L})                    k_{f,j} = own_f + W_p · label_{f,j−1}
    score + w_1·[current token = label_{f,j−1}] + log P(f)        label_{f,−1} = begin
    copied = c ⊙ Σ_{f,j} a_{f,j} written_{f,j}

Every label token is a slot of its own, keyed by its fact and by the token before it, so that a label of
several tokens is written in order; the match term continues one as an induction head does (Olsson et
al. 2022). The null slot n takes attention and gives nothing, so that a place may read no fact (Merity
et al. 2017). What is copied is in the model's own output space, so that labels which no training
question had are written alike; the gates c begin at zero. P(f) is 1 but for facts that are predicted.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .fact_memory import PADDING
from .fact_vectors import FactVectors
from .fusion_session import TextRun
from .fusion_strategy import FusionSizes


@dataclass(frozen=True)
class LabelSlots:
    """Label tokens of B rows' facts as one layer reads them. Shapes: F facts, L tokens, H heads, K key.

    Attributes:
        keys: (B, F, L, H, K) of the token before each.
        written: (B, F, L, D) see `FactVectors`.
        tokens: (B, F, L) id of the slot's token; -1 in padding.
        before: (B, F, L) id of the token before it in its label; -1 at its beginning and in padding.
        weight, read_from: (B, F) see `FactVectors`.
    """

    keys: Tensor
    written: Tensor
    tokens: Tensor
    before: Tensor
    weight: Tensor
    read_from: Tensor


class LabelReader(nn.Module):
    """Attention of one layer. Shapes: B rows, Q tokens, F facts, L label tokens, H heads, K key."""

    def __init__(self, sizes: FusionSizes) -> None:
        super().__init__()
        self.heads, self.key = sizes.heads, sizes.key
        self.norm = nn.LayerNorm(sizes.hidden)
        self.query = nn.Linear(sizes.hidden, sizes.width)
        self.before_key = nn.Linear(sizes.hidden, sizes.width, bias=False)
        self.begin = nn.Parameter(torch.zeros(sizes.width))
        self.copied = nn.Parameter(torch.zeros(sizes.heads, sizes.hidden))
        self.null = nn.Parameter(torch.zeros(sizes.heads, sizes.key))
        self.continued = nn.Parameter(torch.ones(sizes.heads))
        self.softmax = nn.Softmax(dim=-1)  # a module, so that what it gives can be watched

    def prepare(self, facts: FactVectors) -> LabelSlots:
        """The slots of all label tokens."""
        length = facts.tokens.shape[2]
        ahead = nn.functional.pad(facts.label, (0, 0, 1, 0))[:, :, :-1]
        first = (torch.arange(length, device=ahead.device) == 0).to(ahead.dtype)[:, None]
        keys = self.before_key(ahead) + first * self.begin
        before = nn.functional.pad(facts.tokens, (1, 0), value=PADDING)[:, :, :-1]
        return LabelSlots(
            self.by_head(keys), facts.written, facts.tokens, before, facts.weight, facts.read_from
        )

    def attention(self, hidden: Tensor, run: TextRun, own: Tensor, slots: LabelSlots) -> Tensor:
        """(B, Q, H, F, L) what each place gives to each slot; the null slot takes the rest.

        Args:
            hidden: (B, Q, D) the text.
            run: its tokens.
            own: (B, F, H·K) keys of the facts.
            slots: what `prepare` gave.
        """
        # The adapter's own precision: it is trained in float32 beside a base of fewer bits.
        query = self.by_head(self.query(self.norm(hidden.to(self.query.weight.dtype))))
        scores = torch.einsum("bqhk,bflhk->bqhfl", query, slots.keys)
        scores = scores + torch.einsum("bqhk,bfhk->bqhf", query, self.by_head(own))[..., None]
        scores = scores / math.sqrt(self.key) + slots.weight[:, None, None, :, None]
        if run.tokens is not None:
            match = run.tokens[:, :, None, None] == slots.before[:, None]
            scores = scores + self.continued[:, None, None] * match[:, :, None]
        readable = (run.places[:, :, None] >= slots.read_from[:, None])[..., None]
        readable = readable & (slots.tokens != PADDING)[:, None]
        scores = scores.masked_fill(~readable[:, :, None], -torch.inf)
        null = torch.einsum("bqhk,hk->bqh", query, self.null)[..., None] / math.sqrt(self.key)
        shares: Tensor = self.softmax(torch.cat([null, scores.flatten(3)], dim=-1))
        return shares[..., 1:].unflatten(-1, scores.shape[3:])

    def copied_labels(self, attention: Tensor, slots: LabelSlots) -> Tensor:
        """(B, Q, D) the labels that are attended to, as the model writes them."""
        # The heads' weights of a slot are summed before it is read: each head copies by its own gate.
        found = torch.einsum("bqhfl,bfld->bqhd", attention, slots.written)
        return (found * self.copied).sum(dim=2)

    def by_head(self, vectors: Tensor) -> Tensor:
        """(…, H, K) of (…, H·K)."""
        return vectors.unflatten(-1, (self.heads, self.key))


def added(hidden: Tensor, found: Tensor) -> Tensor:
    """Hidden states (B, Q, D) with what was found added, on the scale of each place's own."""
    scale = hidden.detach().float().square().mean(dim=-1, keepdim=True).sqrt()
    return hidden + (scale * found).to(hidden.dtype)
