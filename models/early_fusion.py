"""Early fusion: where a mention has ended, what is known of its entity is added to the input.

    x_p ← x_p + |x_p| · c g ⊙ Σ_{f,j} a_{s,f,j} value_{f,j}       s = p − mention end of f,  0 ≤ s < k
    a_s = softmax(q_s·n, q_s·k_{1,0} + log P(1), …, q_s·k_{F,L} + log P(F))     P: how likely a fact is true
    k_{f,j} = W_r · relation_f + W_e · vector_f + place_j
    value_{f,0} = unit(W_v · vector_f + b)      value_{f,j} = label_{f,j}

The token that ends a mention and the k − 1 after it each take a mean of the facts' objects and of their
label tokens, weighted by a query of their own: the first may hold a gene's first token, the next its
second. Entity vectors in the space of input embeddings are E-BERT's (Poerner et al. 2020), and W_v begins
as its map by least squares (`label_map`); several for an entity, made from its neighbours' labels, are
ConceptFormer's (Barmettler et al. 2025). Here they are laid over tokens that are there already, so that a
text grows no longer. g begins at zero: the model is the base's to the bit. c is fixed, and there because
Adam moves a number by no more than the learning rate: g alone stays too small to be heard.

    facts ──► k vectors
               │
    text  … mention ? Answer : ──► (+) ──► first block

Nothing before the first block knows what is asked, so the k vectors are the same for every question: it
fails where an entity has more to tell than they hold. No block lies below, so training runs them all,
for the tokens from the first mention's end on: those before are kept (`text_beginnings`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from .fact_memory import PADDING
from .fact_vectors import FactVectors
from .fusion_session import TextRun
from .fusion_strategy import FusionSizes, FusionStrategy
from .label_map import LabelMap
from .label_reading import added

PLACES = 8  # tokens from a mention's last on that take a vector each
LABEL_TOKENS = 8  # of a label that are told apart by their place; later ones are read as the last

# c. Loss on HPO's practice questions that weren't trained on, 5.21 nats by the base, after 35 steps of 16
# others at a learning rate of 3e-3: 5.08 with 1, 4.80 with 10 (4.46 after 122). No other value was tried.
GATE_SCALE = 10.0


@dataclass(frozen=True)
class PlacedLabels:
    """What the k places from a mention's end on take of each slot: S objects and label tokens.

    Attributes:
        scores: (B, k, 1 + S) of the null slot and of the others.
        values: (B, S, D) in the space of input embeddings.
        there: (B, S) False in padding.
        read_from: (B, S) see `FactVectors`.
    """

    scores: Tensor
    values: Tensor
    there: Tensor
    read_from: Tensor


class EarlyFusion(FusionStrategy):
    """The adapter; see the formula above."""

    name = "early"

    def __init__(self, sizes: FusionSizes, relation_keys: Tensor, object_vectors: Tensor) -> None:
        if sizes.layers:
            raise ValueError("early fusion reads at the input, and behind no block")
        super().__init__(sizes, relation_keys, object_vectors)
        self.query = nn.Parameter(torch.randn(PLACES, sizes.width))
        self.null = nn.Parameter(torch.zeros(sizes.width))
        self.relation_key = nn.Linear(sizes.hidden, sizes.width, bias=False)
        self.vector_key = nn.Linear(sizes.vector, sizes.width, bias=False)
        self.place_key = nn.Embedding(1 + LABEL_TOKENS, sizes.width)  # the object itself is at 0
        self.vector_value = nn.Linear(sizes.vector, sizes.hidden)
        self.gate = nn.Parameter(torch.zeros(sizes.hidden))

    @torch.no_grad()
    def start_from(self, found: LabelMap) -> None:
        """Lay objects' vectors where the least-squares map says; training goes on from there."""
        self.vector_value.weight.copy_(found.weight)
        self.vector_value.bias.copy_(found.bias)

    def prepare(self, facts: FactVectors) -> PlacedLabels:
        slots = 1 + facts.tokens.shape[2]
        place = torch.arange(slots).clamp(max=LABEL_TOKENS)
        own = self.relation_key(facts.relation) + self.vector_key(facts.vector)
        keys = (own[:, :, None] + self.place_key(place)).flatten(1, 2)  # (B, S, K)
        known = torch.einsum("nk,bsk->bns", self.query, keys)
        null = (self.query @ self.null).expand(len(keys), -1)
        known = known / math.sqrt(self.sizes.width)
        known = known + facts.weight.repeat_interleave(slots, dim=1)[:, None]
        laid = self.vector_value(facts.vector)
        laid = nn.functional.rms_norm(laid, laid.shape[-1:], eps=1e-12)
        known_object = facts.there & (facts.vector != 0).any(dim=2)
        there = torch.cat([known_object[:, :, None], facts.tokens != PADDING], dim=2)
        return PlacedLabels(
            torch.cat([null[:, :, None] / math.sqrt(self.sizes.width), known], dim=2),
            torch.cat([laid[:, :, None], facts.label], dim=2).flatten(1, 2),
            there.flatten(1),
            facts.read_from[:, :, None].expand(-1, -1, slots).flatten(1),
        )

    def at_input(self, embedded: Tensor, run: TextRun, facts: Any) -> Tensor:
        since = run.places[:, :, None] - facts.read_from[:, None]  # (B, Q, S)
        readable = facts.there[:, None] & (since >= 0) & (since < PLACES)
        chosen = since.clamp(0, PLACES - 1)
        scores = facts.scores[:, :, 1:].gather(1, chosen).masked_fill(~readable, -torch.inf)
        # Facts of several mentions may be read at one place: the null slot is the earliest mention's.
        first = chosen.masked_fill(~readable, 0).amax(dim=2)
        null = facts.scores[:, :, 0].gather(1, first)
        weights = torch.cat([null[:, :, None], scores], dim=2).softmax(dim=2)[:, :, 1:]
        return added(embedded, GATE_SCALE * self.gate * (weights @ facts.values))
