"""How much of a result is the luck of the seed: a variance component beside that of the questions."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .cluster_bootstrap import Values, cluster_codes
from .statistics import clustered_variance


@dataclass(frozen=True)
class SeedVariance:
    """Variance of accuracy between seeds, and its share of the variance of one run's accuracy."""

    between: float
    share: float


def seed_variance(right: Values, clusters: NDArray) -> SeedVariance | None:
    """The seeds' variance component by the method of moments (Searle, Casella and McCulloch 1992).

    The seeds' accuracies differ also because each seed gets other questions right; that part, which
    more questions would average out, is taken off. What a run's accuracy varies by in all is the
    seed's component and the sampling of subjects.

    Args:
        right: (seeds, n) 1 or 0.
        clusters: (n,) label of each question's cluster.

    Returns:
        None with one seed or one cluster, which show no spread.
    """
    seeds = len(right)
    codes, count = cluster_codes(clusters)
    if seeds < 2 or count < 2:
        return None
    own = right - right.mean(axis=0)  # what is the seed's own about each question
    chance = [clustered_variance(row, codes, count) for row in own]
    spread = float(np.var(right.mean(axis=1), ddof=1))
    between = max(0.0, spread - float(np.mean(chance)) * seeds / (seeds - 1))
    sampling = float(np.mean([clustered_variance(row, codes, count) for row in right]))
    total = between + sampling
    return SeedVariance(between, between / total if total > 0 else 0.0)
