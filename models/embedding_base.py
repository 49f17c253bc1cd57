"""What all graph embeddings share: two tables of vectors, and questions answered by one product.

A model makes a query's vector of a head and a relation, and scores it against candidates:

    score(h, r, t) = score(query(h, r), t)

Heads are asked by **reciprocal relations** (Lacroix et al. 2018): each relation r has a second vector r'
of its own, and score(?, r, t) = score(t, r', ?). So either side is one product of queries with the table,
and the two sides may disagree about one triple; `tail_scores` is the one that answers questions.

Papers: Lacroix, Usunier, Obozinski 2018, "Canonical tensor decomposition for knowledge base completion",
ICML. Kazemi, Poole 2018, "SimplE embedding", NeurIPS.

Shapes: E entities, R relations, d real numbers in an entity's vector, d_r in a relation's, B queries, P
candidates.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .embedding_settings import ModelName


class EmbeddingModel(nn.Module):
    """The tables, and the scores that every model answers with.

    A model gives `queries`, `squared_moduli` and three ways to score queries against tails.

    Args:
        entity: as below.
        relation: as below.

    Attributes:
        name: as `EmbeddingSettings` has it.
        entity: (E, d).
        relation: (2R, d_r); row R + r is the reciprocal of r.
        relation_count: R.
        sparse: whether rows that are looked up have sparse gradients, for an optimiser of rows.
    """

    name: ClassVar[ModelName]
    entity: nn.Parameter
    relation: nn.Parameter

    def __init__(self, entity: Tensor, relation: Tensor) -> None:
        super().__init__()
        self.entity = nn.Parameter(entity)
        self.relation = nn.Parameter(relation)
        self.relation_count = len(relation) // 2
        self.sparse = False

    @staticmethod
    def relation_width(dimension: int) -> int:
        """d_r of d."""
        return dimension

    @torch.no_grad()
    def draw(self, scale: float, generator: torch.Generator) -> None:
        """Put the tables at a random start: normal numbers of that standard deviation."""
        self.entity.normal_(0, scale, generator=generator)
        self.relation.normal_(0, scale, generator=generator)

    def queries(self, heads: Tensor, relations: Tensor) -> Tensor:
        """Vectors that are compared with tails. (*, d), (*, d_r) -> (*, d)."""
        raise NotImplementedError

    def scores(self, queries: Tensor, candidates: Tensor) -> Tensor:
        """Each query with each candidate. (B, d), (P, d) -> (B, P)."""
        raise NotImplementedError

    def paired_scores(self, queries: Tensor, tails: Tensor) -> Tensor:
        """Each query with its own tail. (*, d), (*, d) -> (*)."""
        raise NotImplementedError

    def chosen_scores(self, queries: Tensor, candidates: Tensor, chosen: Tensor) -> Tensor:
        """Each query with K of the candidates, by their rows. (B, d), (P, d), (B, K) -> (B, K)."""
        raise NotImplementedError

    def squared_moduli(self, vectors: Tensor) -> Tensor:
        """Squared absolute values of a vector's numbers, real or complex. (*, d) -> (*, k)."""
        raise NotImplementedError

    def entities(self, rows: Tensor) -> Tensor:
        """(*) -> (*, d)."""
        return F.embedding(rows, self.entity, sparse=self.sparse)

    def relations(self, rows: Tensor) -> Tensor:
        """0 … 2R - 1. (*) -> (*, d_r)."""
        return F.embedding(rows, self.relation, sparse=self.sparse)

    def tail_scores(self, heads: Tensor, relations: Tensor) -> Tensor:
        """Scores of every entity as the tail. heads, relations (B,) -> (B, E)."""
        queries = self.queries(self.entities(heads), self.relations(relations))
        return self.scores(queries, self.entity)

    def head_scores(self, tails: Tensor, relations: Tensor) -> Tensor:
        """Scores of every entity as the head. tails, relations (B,) -> (B, E)."""
        return self.tail_scores(tails, relations + self.relation_count)

    def triple_scores(self, triples: Tensor) -> Tensor:
        """Scores of whole triples, their tails asked for. (B, 3) -> (B,)."""
        heads, relations, tails = triples.unbind(dim=1)
        queries = self.queries(self.entities(heads), self.relations(relations))
        return self.paired_scores(queries, self.entities(tails))


class ProductModel(EmbeddingModel):
    """A score is the dot product of query and tail."""

    def scores(self, queries: Tensor, candidates: Tensor) -> Tensor:
        return queries @ candidates.T

    def paired_scores(self, queries: Tensor, tails: Tensor) -> Tensor:
        return (queries * tails).sum(dim=-1)

    def chosen_scores(self, queries: Tensor, candidates: Tensor, chosen: Tensor) -> Tensor:
        return (queries @ candidates.T).gather(1, chosen)

    def relation_queries(self, heads: Tensor, tails: Tensor) -> Tensor:
        """Vectors whose product with a relation's is the score. (*, d), (*, d) -> (*, d)."""
        raise NotImplementedError

    def relation_scores(self, heads: Tensor, tails: Tensor) -> Tensor:
        """Every relation, reciprocals among them, between head and tail. (B, d) each -> (B, 2R)."""
        return self.relation_queries(heads, tails) @ self.relation.T


class DistanceModel(EmbeddingModel):
    """A score is the negative Euclidean distance of query and tail, -|q - t|.

    Over many candidates |q - t|² = |q|² + |t|² - 2 q·t, one matrix product.
    """

    def scores(self, queries: Tensor, candidates: Tensor) -> Tensor:
        return negative_distances(
            queries @ candidates.T, squared_norms(queries)[:, None], squared_norms(candidates)
        )

    def chosen_scores(self, queries: Tensor, candidates: Tensor, chosen: Tensor) -> Tensor:
        return negative_distances(
            (queries @ candidates.T).gather(1, chosen),
            squared_norms(queries)[:, None],
            squared_norms(candidates)[chosen],
        )

    def paired_scores(self, queries: Tensor, tails: Tensor) -> Tensor:
        return -(queries - tails).square().sum(dim=-1).add(LEAST_SQUARE).sqrt()


LEAST_SQUARE = 1e-9  # added below the root, whose slope has no bound at 0; about float32's rounding


ROWS_AT_ONCE = 1 << 16


def squared_norms(vectors: Tensor) -> Tensor:
    """(n, d) -> (n,); never are the squares of a whole large table in memory."""
    parts = [part.square().sum(dim=-1) for part in vectors.split(ROWS_AT_ONCE)]
    return parts[0] if len(parts) == 1 else torch.cat(parts)


def negative_distances(products: Tensor, queries: Tensor, candidates: Tensor) -> Tensor:
    """-|q - t| of the products q·t and the squared norms of both; shapes that broadcast."""
    squares = queries + candidates - 2 * products
    return -squares.clamp(min=0).add(LEAST_SQUARE).sqrt()


def with_reciprocals(triples: np.ndarray, relation_count: int) -> np.ndarray:
    """Each (h, r, t) followed, after all of them, by each (t, r + R, h). (n, 3) -> (2n, 3)."""
    reversed_triples = triples[:, ::-1] + np.array([0, relation_count, 0], dtype=triples.dtype)
    return np.concatenate((triples, reversed_triples))
