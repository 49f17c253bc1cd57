"""What keeps the vectors of product models small, for each triple of a batch.

N3, the nuclear 3-norm, sum_k |h_k|³ + |r_k|³ + |t_k|³ (Lacroix et al. 2018): without one, ComplEx
memorises small graphs.

DURA, the duality-induced regulariser, |h|² + |t|² + |h * r|² + |t * r|² (products number by number;
Zhang, Cai, Wang 2020, "Duality-induced regularizer for tensor factorization based knowledge graph
completion", NeurIPS): what a distance |q - t|² adds to the product q·t, so that tails of one query come to
lie close together. It lifts ComplEx most where queries have many tails.

When they fail: a weight found at one dimension is none for another.

Shapes: Q queries, B triples, k numbers (real or complex) a vector. A step's loss takes the mean over its
triples.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor

from .embedding_base import EmbeddingModel
from .embedding_settings import RegulariserName


class TripleModuli(NamedTuple):
    """Squared moduli of a batch's vectors."""

    heads: Tensor  # (Q, k)
    relations: Tensor  # (Q, k)
    tails: Tensor  # (B, k)
    query_of_triple: Tensor  # (B,)


def triple_moduli(
    model: EmbeddingModel, heads: Tensor, relations: Tensor, tails: Tensor, query_of_triple: Tensor
) -> TripleModuli:
    """Of the vectors (Q, d), (Q, d) and (B, d)."""
    found = model.squared_moduli
    return TripleModuli(found(heads), found(relations), found(tails), query_of_triple)


class Terms(NamedTuple):
    """A regulariser's value; triple b's is query[query_of_triple[b]] + triple[b]."""

    query: Tensor  # (Q,)
    triple: Tensor  # (B,)


def n3(moduli: TripleModuli) -> Terms:
    heads, relations, tails, _ = moduli
    return Terms(cubed(heads) + cubed(relations), cubed(tails))


def cubed(squared_moduli: Tensor) -> Tensor:
    """sum_k |v_k|³ of |v_k|². (*, k) -> (*)."""
    return squared_moduli.pow(1.5).sum(dim=-1)


def dura(moduli: TripleModuli) -> Terms:
    heads, relations, tails, query_of_triple = moduli
    weighed = 1 + relations
    return Terms((heads * weighed).sum(dim=-1), (tails * weighed[query_of_triple]).sum(dim=-1))


REGULARISERS: dict[RegulariserName, Callable[[TripleModuli], Terms]] = {"n3": n3, "dura": dura}
