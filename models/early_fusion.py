"""Early fusion: behind a mention, places of their own tell what is known of its entity.

    x_p ← ℓ_f · unit(W_r key_f + W_v vector_f + b + (1 − P(f)) doubt)    at the first place of fact f
    x_p ← embedding(label_{f,j})                                         at those that follow
    x_p ← none                                                           where no fact has a place
    ℓ_f: mean length of the embeddings of f's label; P(f): how likely f is true

    facts ──► (what it tells, label …)
                        │
    text  … mention ⟨place⟩ … ⟨place⟩ ? Answer :  ──► first block

Entity vectors in the space of input embeddings are E-BERT's (Poerner et al. 2020), and W_v begins as its
map by least squares (`label_map`), as W_r does for relations; it counts as much as it explains. On HPO
that is a tenth: at a place of its own such a vector cost 23 of 78 points before any training. Soft tokens
of their own behind a mention, made from its neighbours in the model's own space, are ConceptFormer's
(Barmettler et al. 2025). Labels stand there as the base embeds them, so that before any training the base
reads what it would read if they were written there, to the bit; and a text without places, outside a
session or without facts, is the base's.

Nothing before the first block knows what is asked: a text grows by every fact that it may read, so that
the facts are chosen by what the question names (`MemoryWriter`), and it costs what a longer prompt costs.
No block lies below, so training runs them all, for the tokens from the first mention's end on: those
before are kept (`text_beginnings`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from .fact_memory import PADDING
from .fact_vectors import FactVectors
from .fusion_session import TextRun
from .fusion_strategy import FusionSizes, FusionStrategy
from .label_map import LabelMap

NO_PLACE = -1  # id of no token


@dataclass(frozen=True)
class LaidFacts:
    """What stands at the places of each fact. Shapes: B rows, F facts, S places of the longest.

    Attributes:
        values: (B, F, S, D) in the space of input embeddings.
        lengths: (B, F) how many of them a fact has; 0 in padding.
        read_from: (B, F) the place before its first one.
    """

    values: Tensor
    lengths: Tensor
    read_from: Tensor


class EarlyFusion(FusionStrategy):
    """The adapter; see the formula above."""

    name = "early"
    own_places = True
    place: Tensor

    def __init__(self, sizes: FusionSizes, relation_keys: Tensor, object_vectors: Tensor) -> None:
        if sizes.layers:
            raise ValueError("early fusion reads at the input, and behind no block")
        super().__init__(sizes, relation_keys, object_vectors)
        self.relation_value = nn.Linear(relation_keys.shape[1], sizes.hidden)
        self.vector_value = nn.Linear(sizes.vector, sizes.hidden, bias=False)
        self.doubt = nn.Parameter(torch.zeros(sizes.hidden))
        self.none = nn.Parameter(torch.zeros(sizes.hidden))
        self.register_buffer("place", torch.tensor(NO_PLACE))

    @torch.no_grad()
    def start_from(
        self,
        place: int,
        none: Tensor,
        relations: LabelMap,
        vectors: LabelMap | None = None,
    ) -> None:
        """What training goes on from.

        Args:
            place: id of the token that keeps places, see `placed_texts.place_id`.
            none: (D,) what stands at a place that no fact fills.
            relations, vectors: least-squares maps to the mean embeddings of labels; None for no vectors.
        """
        self.place.fill_(place)
        self.none.copy_(none)
        self.relation_value.weight.copy_(relations.weight)
        self.relation_value.bias.copy_(relations.bias)
        self.vector_value.weight.zero_()
        if (
            vectors is not None
        ):  # its bias is what all objects have in common, and tells nothing of one
            share = min(max(vectors.explained, 0.0), 1.0)
            self.vector_value.weight.copy_(share * vectors.weight)

    def prepare(self, facts: FactVectors) -> LaidFacts:
        labels = facts.embedded
        written = facts.tokens != PADDING
        length = labels.square().mean(dim=3).sqrt().sum(dim=2) / written.sum(dim=2).clamp(min=1)
        unlikely = 1 - facts.weight.exp()
        told = self.relation_value(facts.relation) + self.vector_value(facts.vector)
        told = told + unlikely[:, :, None] * self.doubt
        told = nn.functional.rms_norm(told, told.shape[-1:], eps=1e-12) * length[:, :, None]
        there = facts.there & (facts.weight > -torch.inf)
        return LaidFacts(
            torch.cat([told[:, :, None], labels], dim=2),
            (1 + written.sum(dim=2)) * there,
            facts.read_from,
        )

    def at_input(self, embedded: Tensor, run: TextRun, facts: Any) -> Tensor:
        slot = run.places[:, :, None] - facts.read_from[:, None] - 1  # (B, Q, F)
        fills = (slot >= 0) & (slot < facts.lengths[:, None])
        begun = facts.read_from[:, None].expand_as(slot).masked_fill(~fills, NO_PLACE)
        fact = begun.argmax(
            dim=2, keepdim=True
        )  # one at most, where texts were made for these facts
        row = torch.arange(len(slot))[:, None]
        at = slot.gather(2, fact)[:, :, 0].clamp(0, facts.values.shape[2] - 1)
        values = facts.values[row, fact[:, :, 0], at]
        filled = fills.any(dim=2)
        found = torch.where(filled[:, :, None], values.to(embedded.dtype), embedded)
        if run.ids is None:
            return found
        empty = (run.ids == self.place) & ~filled
        return torch.where(empty[:, :, None], self.none.to(embedded.dtype), found)
