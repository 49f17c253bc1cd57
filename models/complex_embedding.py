"""ComplEx: entity and relation vectors from triples.

Idea: every entity and relation is a vector of complex numbers; a triple is plausible when the
three vectors agree in phase. The conjugate on the tail makes the score asymmetric, so that
"causes" and "is caused by" can differ.

    score(h, r, t) = Re( sum_k  h_k * r_k * conj(t_k) )

Cost: O(d) a triple, one matrix product of B x d with d x E for B queries against all entities.

When it fails: without a regulariser it memorises small graphs; entities seen in no triple keep their
random start; rules that chain relations (the uncle is the father's brother) are not expressed; literals
aren't used; scores compare the tails of one (head, relation) and mean nothing across queries unless
normalised by a softmax over all tails.

Paper: Trouillon et al. 2016, "Complex embeddings for simple link prediction", ICML.

Shapes: E entities, R relations, d/2 rank (complex numbers a vector), d real numbers a vector.
"""

from __future__ import annotations

from torch import Tensor

from .complex_numbers import complex_product, complex_squared_moduli, conjugate
from .embedding_base import ProductModel


class ComplEx(ProductModel):
    """ComplEx with reciprocal relations; a vector is d/2 real parts, then as many imaginary ones."""

    name = "complex"

    def queries(self, heads: Tensor, relations: Tensor) -> Tensor:
        return complex_product(heads, relations)

    def relation_queries(self, heads: Tensor, tails: Tensor) -> Tensor:
        # Re(r * h * conj(t)) = Re(conj(conj(h) * t) * r), the real product of r with conj(h) * t.
        return complex_product(conjugate(heads), tails)

    def squared_moduli(self, vectors: Tensor) -> Tensor:
        return complex_squared_moduli(vectors)
