"""Attention fusion: within chosen blocks, each place of the text attends to the facts it may read.

    h ← h + W_o · Σ_{f,j} a_{f,j} v_{f,j}        a = softmax(q·n, q·k_{1,1}, …, q·k_{F,L})
    k_{f,j} = W_r · relation_f + W_e · vector_f + W_p · label_{f,j−1}       label_{f,−1} = begin
    v_{f,j} = W_v · label_{f,j}
    score + w_1·[current token = label_{f,j−1}]

Every label token is a slot of its own, keyed by its fact and by the token before it, so that a label of
several tokens is written in order; the match term continues one as an induction head does (Olsson et
al. 2022). The null slot n takes attention and gives nothing, so that a place may read no fact (Merity
et al. 2017). W_o begins at zero: the model is the base's to the bit until it is trained, and no scalar
gate has to open first. Facts as keys and values in attention are KBLaM's (Wang et al. 2025).

    text   h ──► block ──► (+) ──► next block
                            ▲
    facts  k, v ──► attention, null slot

It fails where the asked fact isn't in the memory, and for a relation that no training question asks.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn

from .fact_memory import PADDING
from .fact_vectors import FactVectors
from .fusion_session import TextRun
from .fusion_strategy import FusionStrategy


@dataclass(frozen=True)
class AttentionFusionSizes:
    """Widths: D of the language model, G of the object vectors; heads, and K of each.

    Attributes:
        layers: numbers of the blocks behind which facts are read.
    """

    hidden: int
    vector: int
    layers: tuple[int, ...]
    heads: int = 4
    key: int = 64


@dataclass(frozen=True)
class LabelSlots:
    """The label tokens of B rows' facts as one layer reads them. Shapes: S slots, H heads, K key.

    Attributes:
        keys, values: (B, S, H, K).
        tokens: (B, S) id of the slot's token; -1 in padding.
        before: (B, S) id of the token before it in its label; -1 at its beginning and in padding.
        read_from: (B, S) see `FactVectors`.
    """

    keys: Tensor
    values: Tensor
    tokens: Tensor
    before: Tensor
    read_from: Tensor


class SlotAttention(nn.Module):
    """What one layer reads. Shapes: B rows, Q tokens, S slots, H heads, K key."""

    def __init__(self, sizes: AttentionFusionSizes) -> None:
        super().__init__()
        self.heads, self.key = sizes.heads, sizes.key
        width = sizes.heads * sizes.key
        self.norm = nn.LayerNorm(sizes.hidden)
        self.query = nn.Linear(sizes.hidden, width)
        self.relation_key = nn.Linear(sizes.hidden, width, bias=False)
        self.vector_key = nn.Linear(sizes.vector, width, bias=False)
        self.before_key = nn.Linear(sizes.hidden, width, bias=False)
        self.begin = nn.Parameter(torch.zeros(width))
        self.copied = nn.Parameter(torch.zeros(sizes.heads, sizes.hidden))
        self.null = nn.Parameter(torch.zeros(sizes.heads, sizes.key))
        self.continued = nn.Parameter(torch.ones(sizes.heads))
        self.softmax = nn.Softmax(dim=-1)

    def prepare(self, facts: FactVectors) -> LabelSlots:
        """Keys and values of all slots."""
        rows, count, length = facts.tokens.shape
        ahead = nn.functional.pad(facts.label, (0, 0, 1, 0))[:, :, :-1]
        first = (torch.arange(length) == 0).to(ahead.dtype)[:, None]
        own = self.relation_key(facts.relation) + self.vector_key(facts.vector)
        keys = own[:, :, None] + self.before_key(ahead) + first * self.begin
        before = nn.functional.pad(facts.tokens, (1, 0), value=PADDING)[:, :, :-1]
        return LabelSlots(
            keys.reshape(rows, count * length, self.heads, self.key),
            facts.written.flatten(1, 2),
            facts.tokens.flatten(1),
            before.flatten(1),
            facts.read_from[:, :, None].expand(-1, -1, length).flatten(1),
        )

    def forward(self, hidden: Tensor, run: TextRun, slots: LabelSlots) -> Tensor:
        """Hidden states (B, Q, D) with what was read added."""
        rows, tokens, _ = hidden.shape
        # The adapter's own precision: it is trained in float32 beside a base of fewer bits.
        read = self.norm(hidden.to(self.query.weight.dtype))
        query = self.query(read).reshape(rows, tokens, self.heads, self.key)
        scores = torch.einsum("bqhk,bshk->bqhs", query, slots.keys) / math.sqrt(self.key)
        if run.tokens is not None:
            match = run.tokens[:, :, None] == slots.before[:, None]
            scores = scores + self.continued[:, None] * match[:, :, None]
        readable = run.places[:, :, None] >= slots.read_from[:, None]
        readable &= (slots.tokens != PADDING)[:, None]
        scores = scores.masked_fill(~readable[:, :, None], -torch.inf)
        null = torch.einsum("bqhk,hk->bqh", query, self.null)[..., None] / math.sqrt(self.key)
        attention = self.softmax(torch.cat([null, scores], dim=-1))[..., 1:]
        # The heads' weights of a slot are summed before it is read: each head copies by its own gate.
        found = torch.einsum("bqhs,bsd->bqhd", attention, slots.values)
        scale = hidden.detach().float().square().mean(dim=-1, keepdim=True).sqrt()
        return hidden + (scale * (found * self.copied).sum(dim=2)).to(hidden.dtype)


class AttentionFusion(FusionStrategy):
    """One `SlotAttention` for each chosen layer, over relations' keys and vectors that all share."""

    name = "attention"

    def __init__(
        self, sizes: AttentionFusionSizes, relation_keys: Tensor, object_vectors: Tensor
    ) -> None:
        super().__init__(relation_keys, object_vectors)
        self.sizes = sizes
        self.readers = nn.ModuleDict({str(layer): SlotAttention(sizes) for layer in sizes.layers})

    @property
    def layers(self) -> tuple[int, ...]:
        return self.sizes.layers

    @property
    def softmaxes(self) -> dict[int, nn.Module]:
        return {layer: self._reader(layer).softmax for layer in self.layers}

    @property
    def settings(self) -> Mapping[str, Any]:
        return asdict(self.sizes)

    @classmethod
    def of_settings(
        cls, settings: Mapping[str, Any], relation_keys: Tensor, object_vectors: Tensor
    ) -> AttentionFusion:
        sizes = AttentionFusionSizes(**{**settings, "layers": tuple(settings["layers"])})
        return cls(sizes, relation_keys, object_vectors)

    def prepare(self, facts: FactVectors) -> dict[int, LabelSlots]:
        return {layer: self._reader(layer).prepare(facts) for layer in self.layers}

    def at_block(self, layer: int, hidden: Tensor, run: TextRun, facts: Any) -> Tensor:
        found: Tensor = self._reader(layer)(hidden, run, facts[layer])
        return found

    def _reader(self, layer: int) -> SlotAttention:
        return cast(SlotAttention, self.readers[str(layer)])
