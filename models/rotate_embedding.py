"""RotatE: entity and relation vectors from triples, by rotation.

Idea: entities are vectors of complex numbers, a relation turns each of them by an angle of its own, and
the tail lies where the turned head comes to lie. So a relation can be symmetric (half turns), the
inverse of another (opposite angles) or a chain of others (their sum).

    score(h, r, t) = - | h * exp(i r) - t |     (Euclidean over all complex numbers)

Cost: O(d) a triple, one matrix product of B x d with d x E for B queries against all entities.

When it fails: as TransE, it pulls the tails of one head and relation to one point; negatives must be many
or weighted by how hard they are, or it learns little.

Paper: Sun et al. 2019, "RotatE: Knowledge graph embedding by relational rotation in complex space", ICLR;
its code sums the moduli where this takes their Euclidean norm, as PyKEEN does.

Shapes: E entities, R relations, d/2 rank (complex numbers a vector); an entity is d real numbers, a
relation d/2 angles in radians.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .complex_numbers import complex_product, complex_squared_moduli
from .embedding_base import DistanceModel


class RotatE(DistanceModel):
    """RotatE with reciprocal relations, whose vectors are angles."""

    name = "rotate"

    @staticmethod
    def relation_width(dimension: int) -> int:
        return dimension // 2

    @torch.no_grad()
    def draw(self, scale: float, generator: torch.Generator) -> None:
        """Entities as in other models; angles from the whole circle."""
        self.entity.normal_(0, scale, generator=generator)
        turns = torch.rand(self.relation.shape, generator=generator) - 0.5
        self.relation.copy_(2 * math.pi * turns)

    def queries(self, heads: Tensor, relations: Tensor) -> Tensor:
        return complex_product(heads, torch.cat((relations.cos(), relations.sin()), dim=-1))

    def squared_moduli(self, vectors: Tensor) -> Tensor:
        return complex_squared_moduli(vectors)
