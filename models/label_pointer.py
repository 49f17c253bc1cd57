"""At the top of a frozen language model, a pointer over the labels of linked facts.

Each place of the text attends to every label token of the facts of its linked entities, and to a
null slot that stands for the base model. The attention is the output distribution:

    p(x) = a_null · p_base(x) + Σ_{f,j} a_{f,j} · [label_{f,j} = x]
    a = softmax(null, s_{1,1}, …, s_{F,L})
    s_{f,j} = relevance_{f,j} + log P(f) + start_j
              + w_1·[current = label_{f,j−1}] + w_2·[previous = label_{f,j−2}]

The two match terms continue a label that has been begun, as an induction head does (Olsson et al.
2022); the pointer mixture is See et al. 2017's, the null slot Merity et al. 2017's sentinel, and the
fact memory at the top FILM's (Verga et al. 2021). Values are the labels' own tokens, so facts of
entities that were never trained on are written alike. P(f) is 1 but for facts that are predicted: each
is read as much less as it is less likely. Strategies say what is relevant.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from transformers.modeling_utils import PreTrainedModel

from .fact_memory import PADDING, FactMemory
from .read_out import Positions

IMPOSSIBLE = -1e9  # score of padding


@dataclass(frozen=True)
class PointerSizes:
    """Widths: D of the language model, G of the object vectors, K of queries and keys."""

    hidden: int
    vector: int
    key: int = 128


class LabelPointer(nn.Module, ABC):
    """The trained top. Shapes: N places, F facts a place, L label tokens, D hidden, G vector, K key.

    Args:
        sizes: widths.
        relation_keys: (relations, D) labels of the relations in the model's own space.
        object_vectors: (objects, G), of whatever source; no part of what is saved.
    """

    name: ClassVar[str]
    relation_keys: Tensor
    object_vectors: Tensor

    def __init__(self, sizes: PointerSizes, relation_keys: Tensor, object_vectors: Tensor) -> None:
        super().__init__()
        self.sizes = sizes
        self.register_buffer("relation_keys", relation_keys)
        self.register_buffer("object_vectors", object_vectors, persistent=False)
        self.norm = nn.LayerNorm(2 * sizes.hidden)
        self.dropout = nn.Dropout(0.1)
        self.query = nn.Linear(2 * sizes.hidden, sizes.key)
        self.relation_key = nn.Linear(sizes.hidden, sizes.key, bias=False)
        self.vector_key = nn.Linear(sizes.vector, sizes.key, bias=False)
        self.null = nn.Linear(2 * sizes.hidden, 1)
        self.begin = nn.Linear(2 * sizes.hidden, 1)
        self.continued = nn.Parameter(torch.tensor([-4.0, 6.0, 2.0]))  # j ≥ 1; first, second match

    @abstractmethod
    def relevance(self, read: Tensor, base: Tensor, memory: FactMemory) -> Tensor:
        """(N, F, L) or (N, F, 1) how much each place asks for each label token.

        Args:
            read: (N, 2·D) the place's state and its token's embedding, normalised.
            base: (N, F, L) the base's log-probability of each label token as the next one.
            memory: facts of each place.
        """

    def loss(self, batch: FusionBatch) -> Tensor:
        """What training lowers, a scalar."""
        read = self.read(batch.positions, batch.embeddings)
        memory = batch.memory
        return mixture_loss(batch, *self.attention(read, batch.positions, batch.base_label, memory))

    def read(self, positions: Positions, embeddings: Tensor) -> Tensor:
        """(N, 2·D) what the trained top reads of the places."""
        joined = torch.cat([positions.hidden.float(), embeddings.float()], dim=-1)
        read: Tensor = self.dropout(self.norm(joined))
        return read

    def forward(
        self, positions: Positions, embeddings: Tensor, base: Tensor, memory: FactMemory
    ) -> tuple[Tensor, Tensor]:
        """Attention of each place over the null slot and the label tokens.

        Args:
            positions: N places.
            embeddings: (N, D) embedding of the current token.
            base: (N, F, L) the base's log-probability of each label token as the next one.
            memory: facts of each place, F a place.

        Returns:
            (N,) log-weight of the null slot and (N, F, L) log-weights of the label tokens.
        """
        return self.attention(self.read(positions, embeddings), positions, base, memory)

    def attention(
        self, read: Tensor, positions: Positions, base: Tensor, memory: FactMemory
    ) -> tuple[Tensor, Tensor]:
        """The same of what has been read already."""
        return self.shares(self.relevance(read, base, memory), read, positions, memory)

    def shares(
        self, relevance: Tensor, read: Tensor, positions: Positions, memory: FactMemory
    ) -> tuple[Tensor, Tensor]:
        """The same of what is relevant."""
        scores = relevance + memory.weight[:, :, None] + self._place(read, positions, memory)
        scores = scores.masked_fill(memory.label == PADDING, IMPOSSIBLE)
        joined = torch.cat([self.null(read), scores.flatten(1)], dim=1).log_softmax(dim=1)
        return joined[:, 0], joined[:, 1:].reshape(scores.shape)

    def _place(self, read: Tensor, positions: Positions, memory: FactMemory) -> Tensor:
        """(N, F, L) match of each label token with how much of the label has been written."""
        label = memory.label
        first = nn.functional.pad(label, (1, 0), value=PADDING)[:, :, :-1]
        second = nn.functional.pad(label, (2, 0), value=PADDING)[:, :, :-2]
        match_first = (first == positions.current[:, None, None]).float()
        match_second = match_first * (second == positions.previous[:, None, None]).float()
        later, one, two = self.continued
        continuing = later + one * match_first + two * match_second
        is_first = torch.arange(label.shape[2]) == 0
        return torch.where(is_first, self.begin(read)[:, :, None], continuing)


def label_log_probabilities(base: Tensor, memory: FactMemory) -> Tensor:
    """(N, F, L) of the (N, V) base log-probabilities at each label token; 0 in padding."""
    label = memory.label.clamp(min=0)
    gathered = base.gather(1, label.flatten(1)).reshape(label.shape)
    return gathered.masked_fill(memory.label == PADDING, 0.0)


@dataclass(frozen=True)
class FusionBatch:
    """Places with everything the frozen base contributes, so that no epoch runs it again.

    Attributes:
        positions: N places.
        embeddings: (N, D) embedding of the current token.
        base_label: (N, F, L) base log-probability of each label token.
        base_target: (N,) base log-probability of the gold token.
        target: (N,) gold next token.
        memory: facts of each place.
    """

    positions: Positions
    embeddings: Tensor
    base_label: Tensor
    base_target: Tensor
    target: Tensor
    memory: FactMemory


def mixture_loss(batch: FusionBatch, null: Tensor, copied: Tensor) -> Tensor:
    """Mean −log p of the gold next token under the mixture, of what a pointer's `attention` gave."""
    hit = batch.memory.label == batch.target[:, None, None]
    pointed = copied.masked_fill(~hit, IMPOSSIBLE).flatten(1).logsumexp(dim=1)
    return -torch.logaddexp(null + batch.base_target, pointed).mean()


@dataclass(frozen=True)
class PointerReadOut:
    """The base's distribution mixed with the pointer's; the base's own where there are no facts.

    Attributes:
        model: the frozen language model.
        pointer: the trained top.
        memory: facts of each request that `Positions.request` names.
    """

    model: PreTrainedModel
    pointer: LabelPointer
    memory: FactMemory

    @torch.inference_mode()
    def __call__(self, positions: Positions, own: Tensor) -> Tensor:
        """(N, V) log-probabilities; rows without facts are the base's bit for bit."""
        linked = (self.memory.relation[positions.request] != PADDING).any(dim=1)
        rows = linked.nonzero().squeeze(1)
        if not len(rows):
            return own
        result = own.clone()
        result[rows] = self._mixed(positions.select(rows), own[rows])
        return result

    def _mixed(self, positions: Positions, base: Tensor) -> Tensor:
        """The mixture. Only the labels' tokens differ from the base's share, so only they are mixed."""
        memory = self.memory.select(positions.request)
        embeddings = self.model.get_input_embeddings()(positions.current)
        null, copied = self.pointer(
            positions, embeddings, label_log_probabilities(base, memory), memory
        )
        label = memory.label.clamp(min=0).flatten(1)
        pointed = torch.zeros_like(base).scatter_add_(1, label, copied.exp().flatten(1))
        result = null[:, None] + base
        # A token that several labels hold is written several times, each time with the same value.
        total = pointed.gather(1, label).clamp(min=1e-30).log()
        return result.scatter_(1, label, torch.logaddexp(result.gather(1, label), total))
