"""An effect measured over several draws: its mean between the ends of a t interval."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from .statistics import CONFIDENCE

SMALLEST = 0.005  # nats: an end nearer to zero than that is written 0.00


@dataclass(frozen=True)
class Effect:
    """A mean change of log-probability, in nats, and its interval."""

    mean: float
    low: float
    high: float

    @property
    def shown(self) -> bool:
        """Whether the interval lies on one side of zero, as it is written with two decimals."""
        return self.low >= SMALLEST or self.high <= -SMALLEST


def mean_effects(draws: NDArray[np.floating], confidence: float = CONFIDENCE) -> list[Effect]:
    """The mean of each column with Student's t interval over the rows.

    Args:
        draws: (n, k) of k effects in n draws.
        confidence: share of intervals that hold the mean over all draws that might have been made,
            where these spread normally.

    Raises:
        ValueError: there are fewer than two draws, from which no spread can be told.
    """
    n = len(draws)
    if n < 2:
        raise ValueError(f"{n} draws tell no spread")
    values = np.asarray(draws, dtype=float)
    means = values.mean(axis=0)
    reach = stats.t.ppf((1 + confidence) / 2, n - 1) * stats.sem(values, axis=0)
    return [
        Effect(float(mean), float(mean - half), float(mean + half))
        for mean, half in zip(means, reach, strict=True)
    ]
