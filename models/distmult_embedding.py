"""DistMult: entity and relation vectors from triples, by a product of three.

Idea: a relation weighs the coordinates in which head and tail must agree.

    score(h, r, t) = sum_k  h_k * r_k * t_k

Cost: O(d) a triple, one matrix product of B x d with d x E for B queries against all entities.

When it fails: one triple and its reverse have the same score, so what isn't symmetric is told by nothing
but the reciprocal relation's own vector; relations that chain are not expressed; as in ComplEx, unseen
entities keep their start and scores mean nothing across queries.

Papers: Yang et al. 2015, "Embedding entities and relations for learning and inference in knowledge
bases", ICLR. Kadlec et al. 2017, "Knowledge base completion: baselines strike back": trained well, it
is close to models that came after it.

Shapes: E entities, R relations, d real numbers a vector.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .embedding_base import ProductModel, random_table


class DistMult(ProductModel):
    """DistMult with reciprocal relations.

    Args:
        entity_count: E.
        relation_count: R; the model holds 2R relation vectors, R + r being the reciprocal of r.
        dimension: d.
        seed: of the random start.
        scale: standard deviation of the start.
    """

    name = "distmult"

    def __init__(
        self, entity_count: int, relation_count: int, dimension: int, seed: int, scale: float
    ) -> None:
        generator = torch.Generator().manual_seed(seed)
        super().__init__(
            random_table(entity_count, dimension, scale, generator),
            random_table(2 * relation_count, dimension, scale, generator),
        )

    def queries(self, heads: Tensor, relations: Tensor) -> Tensor:
        return heads * relations

    def relation_queries(self, heads: Tensor, tails: Tensor) -> Tensor:
        return heads * tails

    def squared_moduli(self, vectors: Tensor) -> Tensor:
        return vectors.square()
