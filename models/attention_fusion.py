"""Attention fusion: within chosen blocks, each place of the text attends to the facts it may read.

    h ← h + W_o · Σ_f a_f v_f          a = softmax(q·n, q·k_1, …, q·k_F)
    k_f = W_r · relation + W_e · object vector          v_f = W_v · label

The null slot n takes attention and gives nothing, so that a place may read no fact (Merity et al.
2017). W_o begins at zero: the model is the base's to the bit until it is trained, and no scalar gate
has to open first. Facts as keys and values in attention are KBLaM's (Wang et al. 2025) and K-BERT's
successors'; relations and labels are in the model's own space, so that facts of entities which were
never trained on are read alike.

    text   h ──► block ──► (+) ──► next block
                            ▲
    facts  k, v ──► attention, null slot
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from .fact_memory import PADDING, FactMemory
from .fusion_session import PreparedFacts


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
    key: int = 32


class FactAttention(nn.Module):
    """What one layer reads. Shapes: B rows, Q tokens, R requests, F facts, H heads, K key."""

    def __init__(self, sizes: AttentionFusionSizes) -> None:
        super().__init__()
        self.heads, self.key = sizes.heads, sizes.key
        width = sizes.heads * sizes.key
        self.norm = nn.LayerNorm(sizes.hidden)
        self.query = nn.Linear(sizes.hidden, width)
        self.relation_key = nn.Linear(sizes.hidden, width, bias=False)
        self.vector_key = nn.Linear(sizes.vector, width, bias=False)
        self.value = nn.Linear(sizes.hidden, width, bias=False)
        self.output = nn.Linear(width, sizes.hidden, bias=False)
        self.null = nn.Parameter(torch.zeros(sizes.heads, sizes.key))
        nn.init.zeros_(self.output.weight)

    def prepare(self, facts: FactVectors) -> PreparedFacts:
        """Keys and values, computed once for all passes of a session."""
        shape = (*facts.there.shape, self.heads, self.key)
        keys = self.relation_key(facts.relation) + self.vector_key(facts.vector)
        return PreparedFacts(
            keys.reshape(shape),
            self.value(facts.label).reshape(shape),
            facts.there,
            facts.read_from,
        )

    def forward(self, hidden: Tensor, places: Tensor, facts: PreparedFacts) -> Tensor:
        """Hidden states (B, Q, D) with what was read added.

        Args:
            hidden: a block's output.
            places: (B, Q) of each token in its text.
            facts: of each row.
        """
        rows, tokens, _ = hidden.shape
        # The adapter's own precision: it is trained in float32 beside a base of fewer bits.
        read = self.norm(hidden.to(self.query.weight.dtype))
        query = self.query(read).reshape(rows, tokens, self.heads, self.key)
        scores = torch.einsum("bqhk,bfhk->bqhf", query, facts.keys) / math.sqrt(self.key)
        readable = facts.there[:, None] & (places[:, :, None] >= facts.read_from[:, None])
        scores = scores.masked_fill(~readable[:, :, None], -torch.inf)
        null = torch.einsum("bqhk,hk->bqh", query, self.null)[..., None] / math.sqrt(self.key)
        attention = torch.cat([null, scores], dim=-1).softmax(dim=-1)[..., 1:]
        found = torch.einsum("bqhf,bfhk->bqhk", attention, facts.values)
        return hidden + self.output(found.flatten(2)).to(hidden.dtype)


@dataclass(frozen=True)
class FactVectors:
    """Facts of R requests in the spaces that they come from. Shapes: F facts, D hidden, G vector.

    Attributes:
        relation: (R, F, D) the relation's label in the model's own space.
        vector: (R, F, G) the object's vector; zero where it has none.
        label: (R, F, D) mean embedding of the object's label tokens.
        there: (R, F) False in padding.
        read_from: (R, F) see `PreparedFacts`.
    """

    relation: Tensor
    vector: Tensor
    label: Tensor
    there: Tensor
    read_from: Tensor


class AttentionFusion(nn.Module):
    """The adapter: one `FactAttention` for each chosen layer, over keys and vectors that all share.

    Args:
        sizes: widths and layers.
        relation_keys: (relations, D) labels of the relations in the model's own space.
        object_vectors: (objects, G), of whatever source.
    """

    relation_keys: Tensor
    object_vectors: Tensor

    def __init__(
        self, sizes: AttentionFusionSizes, relation_keys: Tensor, object_vectors: Tensor
    ) -> None:
        super().__init__()
        self.sizes = sizes
        self.register_buffer("relation_keys", relation_keys)
        self.register_buffer("object_vectors", object_vectors, persistent=False)
        self.layers = nn.ModuleDict({str(layer): FactAttention(sizes) for layer in sizes.layers})

    def prepare(
        self, memory: FactMemory, read_from: Tensor, embeddings: nn.Module
    ) -> dict[int, PreparedFacts]:
        """The facts as each layer reads them.

        Args:
            memory: facts of R requests.
            read_from: (R, F) see `PreparedFacts`.
            embeddings: the base's, of input tokens.
        """
        facts = self._vectors(memory, read_from, embeddings)
        return {layer: self._layer(layer).prepare(facts) for layer in self.sizes.layers}

    def read(self, layer: int, hidden: Tensor, places: Tensor, facts: PreparedFacts) -> Tensor:
        """A block's hidden states with what the layer reads added."""
        found: Tensor = self._layer(layer)(hidden, places, facts.of_rows(len(hidden)))
        return found

    def _layer(self, layer: int) -> FactAttention:
        return cast(FactAttention, self.layers[str(layer)])

    def _vectors(self, memory: FactMemory, read_from: Tensor, embeddings: nn.Module) -> FactVectors:
        dtype = self.relation_keys.dtype
        known = (memory.vector != PADDING)[:, :, None].to(dtype)
        tokens = (memory.label != PADDING)[:, :, :, None].to(dtype)
        embedded = embeddings(memory.label.clamp(min=0)).to(dtype)
        return FactVectors(
            relation=self.relation_keys[memory.relation.clamp(min=0)],
            vector=self.object_vectors[memory.vector.clamp(min=0)] * known,
            label=(embedded * tokens).sum(dim=2) / tokens.sum(dim=2).clamp(min=1),
            there=memory.relation != PADDING,
            read_from=read_from,
        )
