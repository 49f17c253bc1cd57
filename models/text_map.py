"""A vector for an entity that training has not seen, from its label or definition.

A linear map from text vectors to trained entity vectors, by ridge regression on the entities that have both:

    W = argmin  sum_e | t_e W + b - v_e |²  +  strength * |W|²

So an entity that is new today has a vector in the trained model's space without training anew.

When it fails: what the text doesn't say (which of two like things it is) the vector can't know; a strength
too low for few entities learns them by heart. `fit_text_map` chooses it by generalised cross-validation,
which needs no entities held out.

Papers: Golub, Heath, Wahba 1979, "Generalized cross-validation as a method for choosing a good ridge
parameter", Technometrics. Shi, Weninger 2018, "Open-world knowledge graph completion", AAAI, whose map
is a network's.

Shapes: E entities, G numbers of a text's vector, d real numbers of an entity's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

STRENGTHS = 10.0 ** np.arange(-6, 5)  # of the text vectors' mean variance, one of which is chosen


@dataclass(frozen=True)
class TextMap:
    """An affine map of text vectors.

    Attributes:
        weights: (G, d).
        offset: (d,).
    """

    weights: np.ndarray
    offset: np.ndarray

    def vectors(self, texts: np.ndarray) -> np.ndarray:
        """Of entities, seen or not. (n, G) -> (n, d) float32.

        Raises:
            ValueError: the texts' vectors have another width than those it was fitted to.
        """
        if texts.shape[1] != len(self.weights):
            raise ValueError(
                f"a text's vector has {texts.shape[1]} numbers, and the map takes {len(self.weights)}"
            )
        return (texts @ self.weights + self.offset).astype(np.float32)


def fit_text_map(texts: np.ndarray, vectors: np.ndarray) -> TextMap:
    """The map from texts (E, G) to trained vectors (E, d).

    Raises:
        ValueError: fewer than two entities.
    """
    if len(texts) < 2:
        raise ValueError("a map from texts needs at least two entities that have both")
    middle, offset = texts.mean(axis=0, dtype=np.float64), vectors.mean(axis=0, dtype=np.float64)
    left, values, right = np.linalg.svd(texts - middle, full_matrices=False)
    turned = left.T @ (vectors - offset)  # (min(E, G), d)
    outside = float(((vectors - offset) ** 2).sum() - (turned**2).sum())
    strengths = STRENGTHS * max(float((values**2).mean()), np.finfo(float).tiny)
    strength = min(strengths, key=lambda each: _error(each, values, turned, outside, len(texts)))
    weights = right.T @ ((values / (values**2 + strength))[:, None] * turned)
    return TextMap(weights, offset - middle @ weights)


def _error(
    strength: float, values: np.ndarray, turned: np.ndarray, outside: float, count: int
) -> float:
    """Generalised cross-validation: the residual over the squared share of freedom that is left."""
    shrunk = values**2 / (values**2 + strength)
    residual = outside + float((((1 - shrunk)[:, None] * turned) ** 2).sum())
    freedom = 1 - (1 + shrunk.sum()) / count  # the mean takes one
    return residual / freedom**2 if freedom > 0 else np.inf
