"""Platt scaling: how likely a prediction is to be true, learnt from predictions whose truth is known.

    P(true) = σ(a + b·logit(p) + c_r)            p the model's own probability, r the relation

a, b and c_r minimise −log likelihood + λ/2 · Σ c_r²: relations with few examples share the common line
(a random effect's shrinkage, with λ one over its variance). Targets are Platt's, (n₊ + 1)/(n₊ + 2) and
1/(n₋ + 2), so that no separable set makes anything certain.

It fails where the examples aren't drawn as what is predicted: a fact that is held out was there to be
found, and one that is missing from a graph may not be.

Papers: Platt 1999, "Probabilistic outputs for support vector machines"; Tabacof and Costabello 2020,
"Probability calibration for knowledge graph embedding models", ICLR.

Shapes: n examples, R relations.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, log_expit

Values = NDArray[np.float64]
SHRINKAGE = 1.0  # λ: relations differ by about one unit of log odds
CERTAIN = 1e-6  # a model's own probabilities are kept so far from 0 and 1


@dataclass(frozen=True)
class PlattScale:
    """The formula above with its numbers.

    Attributes:
        intercept, slope: a and b.
        of_relation: (R,) c.
    """

    intercept: float
    slope: float
    of_relation: Values

    def probabilities(self, log_probabilities: Values, relations: NDArray[np.integer]) -> Values:
        """(n,) calibrated; `log_probabilities` (n,) are the model's own, in nats."""
        own = self.intercept + self.of_relation[relations]
        found: Values = expit(own + self.slope * log_odds(log_probabilities))
        return found


def fit_platt_scale(
    log_probabilities: Values,
    relations: NDArray[np.integer],
    true: NDArray[np.bool_],
    relation_count: int,
) -> PlattScale:
    """The scale of n predictions whose truth is known.

    Args:
        log_probabilities: (n,) the model's own, in nats.
        relations: (n,) each one's, from 0 to R − 1.
        true: (n,).
        relation_count: R.

    Raises:
        ValueError: there is no prediction.
    """
    if not len(true):
        raise ValueError("a scale needs at least one prediction")
    odds = log_odds(log_probabilities)
    positive = int(true.sum())
    target = np.where(true, (positive + 1) / (positive + 2), 1 / (len(true) - positive + 2))

    def loss(numbers: Values) -> tuple[float, Values]:
        scores = numbers[0] + numbers[1] * odds + numbers[2:][relations]
        surprise = -(target * log_expit(scores) + (1 - target) * log_expit(-scores)).sum()
        wrong = expit(scores) - target
        shrunk = SHRINKAGE * numbers[2:]
        of_relation = np.bincount(relations, wrong, minlength=relation_count) + shrunk
        gradient = np.concatenate(([wrong.sum(), wrong @ odds], of_relation))
        return float(surprise + 0.5 * shrunk @ numbers[2:]), gradient

    start = np.concatenate(([0.0, 1.0], np.zeros(relation_count)))
    found = minimize(loss, start, jac=True, method="L-BFGS-B").x
    return PlattScale(float(found[0]), float(found[1]), found[2:])


def log_odds(log_probabilities: Values) -> Values:
    """logit(p) of log p, away from 0 and 1."""
    own = np.clip(np.exp(log_probabilities), CERTAIN, 1 - CERTAIN)
    found: Values = np.log(own) - np.log1p(-own)
    return found
