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

from torch import Tensor

from .embedding_base import ProductModel


class DistMult(ProductModel):
    """DistMult with reciprocal relations."""

    name = "distmult"

    def queries(self, heads: Tensor, relations: Tensor) -> Tensor:
        return heads * relations

    def relation_queries(self, heads: Tensor, tails: Tensor) -> Tensor:
        return heads * tails

    def squared_moduli(self, vectors: Tensor) -> Tensor:
        return vectors.square()
