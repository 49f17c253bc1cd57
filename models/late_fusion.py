"""Late fusion: at the top of a frozen language model, a pointer over the labels of linked facts.

    relevance_{f,j} = q·k_f + w_b·log p_base(label_{f,j})     q from [hidden ; current token's embedding]
    k_f = relation key + object vector, both projected, and what the memory's other facts tell it

The rest of the formula is `label_pointer`'s, what facts tell each other `set_encoder`'s. Keys are relations
in the model's own space, so facts of entities that were never trained on are read alike. The base's own
word for what comes next makes up for a relation that is worded unlike those of training.

It fails where the asked fact isn't among the linked ones, and where a question's relation is worded
unlike all training questions and the base has no idea what kind of word comes next.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from .fact_memory import PADDING, FactMemory
from .label_pointer import LabelPointer, PointerSizes
from .set_encoder import SetEncoder


class LateFusion(LabelPointer):
    """The pointer; see the formula above."""

    name = "late"

    def __init__(self, sizes: PointerSizes, relation_keys: Tensor, object_vectors: Tensor) -> None:
        super().__init__(sizes, relation_keys, object_vectors)
        nn.init.zeros_(self.vector_key.weight)
        self.base_weight = nn.Parameter(torch.tensor(0.3))
        self.facts = SetEncoder(sizes.key)

    def relevance(self, read: Tensor, base: Tensor, memory: FactMemory) -> Tensor:
        keys = self.relation_key(self.relation_keys)[memory.relation.clamp(min=0)]
        # Gathered before they are projected: there are far more objects than a batch reads.
        vectors = self.vector_key(self.object_vectors[memory.vector.clamp(min=0)])
        keys = keys + vectors * (memory.vector >= 0)[:, :, None]
        keys = self.facts(keys, memory.relation != PADDING, memory.weight)
        match = torch.einsum("nk,nfk->nf", self.query(read), keys) / math.sqrt(self.sizes.key)
        return match[:, :, None] + self.base_weight * base.clamp(min=-20)
