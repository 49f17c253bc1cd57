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
from .embedding_base import DistanceModel, random_table


class RotatE(DistanceModel):
    """RotatE with reciprocal relations.

    Args:
        entity_count: E.
        relation_count: R; the model holds 2R vectors of angles, R + r being the reciprocal of r.
        rank: complex numbers a vector, d/2.
        seed: of the random start.
        scale: standard deviation of the entities' start; angles are drawn from the whole circle.
    """

    name = "rotate"

    def __init__(
        self, entity_count: int, relation_count: int, rank: int, seed: int, scale: float
    ) -> None:
        generator = torch.Generator().manual_seed(seed)
        entity = random_table(entity_count, 2 * rank, scale, generator)
        turns = torch.rand(2 * relation_count, rank, generator=generator) - 0.5
        super().__init__(entity, 2 * math.pi * turns)

    def queries(self, heads: Tensor, relations: Tensor) -> Tensor:
        return complex_product(heads, torch.cat((relations.cos(), relations.sin()), dim=-1))

    def squared_moduli(self, vectors: Tensor) -> Tensor:
        return complex_squared_moduli(vectors)
