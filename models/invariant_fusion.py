"""Invariant fusion: what the text asks for and what the graph holds, in one space where both are alike.

    relevance_{f,j} = τ · ⟨z_n, z_f⟩
    z_n = unit(W_q [hidden ; current token's embedding])          of a place of the text
    z_f = unit(W_r · relation_f + W_v · vector_f)                 of a fact
    loss = −log p(target) + alignment
    alignment = mean over places of −log Σ_{f asked} exp(τ⟨z_n, z_f⟩) / Σ_{all f} exp(τ⟨z_n, z_f⟩)

The rest of the formula is `label_pointer`'s. Both towers end on the unit sphere, so a fact is found by its
direction alone, whatever modality its vector came from. They are aligned by contrast (van den Oord et al.
2018), with a learnt temperature as CLIP has it (Radford et al. 2021). A place's hard negatives are the
other facts of its memory: the same entity's neighbours in the graph. The others are all facts that the
batch's other places may read, but for those whose object has the label that is asked. Alignment of mentions
and entities by two towers is BLINK's (Wu et al. 2020).

    text   h ──► z_n ─┐
                      ├──► ⟨z_n, z_f⟩ ──► pointer
    facts  r, v ► z_f ┘

The base's own distribution is not asked what is relevant, as late fusion does: that is what it costs to
compare by direction alone. It fails where the asked fact isn't in the memory; where an object has no vector
the facts of one relation are alike.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from .fact_memory import PADDING, FactMemory
from .label_pointer import IMPOSSIBLE, FusionBatch, LabelPointer, PointerSizes, mixture_loss

TEMPERATURE = 0.07  # at the start: CLIP's, and its bound
COLDEST = 0.01


class InvariantFusion(LabelPointer):
    """The pointer; see the formula above. Shapes: N places, F facts, K key."""

    name = "invariant"

    def __init__(self, sizes: PointerSizes, relation_keys: Tensor, object_vectors: Tensor) -> None:
        super().__init__(sizes, relation_keys, object_vectors)
        self.log_scale = nn.Parameter(torch.tensor(-math.log(TEMPERATURE)))

    def relevance(self, read: Tensor, base: Tensor, memory: FactMemory) -> Tensor:
        return self.match(self.text_tower(read), self.fact_tower(memory))

    def match(self, text: Tensor, facts: Tensor) -> Tensor:
        """(N, F, 1) of directions (N, K) and (N, F, K)."""
        return self.scale * torch.einsum("nk,nfk->nf", text, facts)[:, :, None]

    @property
    def scale(self) -> Tensor:
        """One over the temperature."""
        return self.log_scale.clamp(max=-math.log(COLDEST)).exp()

    def text_tower(self, read: Tensor) -> Tensor:
        """(N, K) directions of places."""
        return normalize(self.query(read), dim=-1)

    def fact_tower(self, memory: FactMemory) -> Tensor:
        """(N, F, K) directions of facts; those of padding mean nothing."""
        relations = _of_one_length(self.relation_keys)[memory.relation.clamp(min=0)]
        vectors = _of_one_length(self.object_vectors[memory.vector.clamp(min=0)])
        known = (memory.vector != PADDING)[:, :, None]
        return normalize(self.relation_key(relations) + self.vector_key(vectors) * known, dim=-1)

    def loss(self, batch: FusionBatch) -> Tensor:
        read = self.read(batch.positions, batch.embeddings)
        text, facts = self.text_tower(read), self.fact_tower(batch.memory)
        shares = self.shares(self.match(text, facts), read, batch.positions, batch.memory)
        scores = self.scale * text @ facts.flatten(0, 1).T
        return mixture_loss(batch, *shares) + alignment_loss(scores, batch)


def alignment_loss(scores: Tensor, batch: FusionBatch) -> Tensor:
    """The contrast above; 0 where no place's memory holds what is asked.

    Args:
        scores: (N, N·F) of each place with each fact of the batch.
        batch: N places.
    """
    asked, compared = asked_and_compared(batch)
    holds = asked.any(dim=1)
    if not holds.any():
        return scores.sum() * 0.0
    right = scores.masked_fill(~asked, IMPOSSIBLE)[holds].logsumexp(dim=1)
    every = scores.masked_fill(~compared, IMPOSSIBLE)[holds].logsumexp(dim=1)
    return (every - right).mean()


def asked_and_compared(batch: FusionBatch) -> tuple[Tensor, Tensor]:
    """(N, N·F) twice: which facts of the batch each place asks for, and which it is compared with.

    A fact of a place's own memory is asked for where its label goes on with the target: at its
    beginning, or behind the current token. Facts of other places aren't compared where they have the
    label of one that is asked for.
    """
    label = batch.memory.label
    places, facts, length = label.shape
    before = nn.functional.pad(label, (1, 0), value=PADDING)[:, :, :-1]
    begins = torch.arange(length, device=label.device) == 0
    follows = begins | (before == batch.positions.current[:, None, None])
    own = ((label == batch.target[:, None, None]) & follows).any(dim=2)  # (N, F)
    mine = torch.eye(places, dtype=torch.bool, device=label.device)
    asked = (mine[:, :, None] & own[:, None]).flatten(1)
    there = (label[:, :, 0] != PADDING).flatten()
    _, names = label.flatten(0, 1).unique(dim=0, return_inverse=True)  # of labels, by number
    known = torch.zeros(places, int(names.max()) + 1, dtype=torch.bool, device=label.device)
    row, column = own.nonzero(as_tuple=True)
    known[row, names.unflatten(0, (places, facts))[row, column]] = True
    same = known[:, names]  # whether a fact has a label that is asked for
    others = ~mine.repeat_interleave(facts, dim=1)
    return asked, there & ~(others & same)


def _of_one_length(vectors: Tensor) -> Tensor:
    """So that neither relations nor vectors drown the others, whatever scale their source has."""
    return nn.functional.rms_norm(vectors, vectors.shape[-1:], eps=1e-12)
