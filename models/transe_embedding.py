"""TransE: entity and relation vectors from triples, by translation.

Idea: a relation is a step from where the head lies to where the tail lies.

    score(h, r, t) = - | h + r - t |     (Euclidean)

Cost: O(d) a triple, one matrix product of B x d with d x E for B queries against all entities.

When it fails: the tails of one head and relation are pulled to one point, so relations from one to many
blur; a symmetric relation can only be a step of length 0. Its norm is the one that a matrix product
gives; the paper leaves the choice between it and the sum of absolute values. Vectors aren't held to
length 1: the paper does so to keep its loss from being lowered by length alone, which a margin inside a
logistic loss doesn't need (Sun et al. 2019).

Paper: Bordes et al. 2013, "Translating embeddings for modeling multi-relational data", NeurIPS.

Shapes: E entities, R relations, d real numbers a vector.
"""

from __future__ import annotations

from torch import Tensor

from .embedding_base import DistanceModel


class TransE(DistanceModel):
    """TransE with reciprocal relations."""

    name = "transe"

    def queries(self, heads: Tensor, relations: Tensor) -> Tensor:
        return heads + relations

    def squared_moduli(self, vectors: Tensor) -> Tensor:
        return vectors.square()
