"""The cluster bootstrap: whole subjects are drawn with replacement, and every quantity sees one draw.

Legend: n questions, g clusters, b resamples, k quantities.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 2000
RESAMPLES_AT_ONCE = 100  # bounds the memory to 100 × g numbers

Values = NDArray[np.float64]


def cluster_bootstrap_means(
    values: Values, clusters: NDArray, seed: int, resamples: int = RESAMPLES
) -> Values:
    """Means of k quantities over the same draws of whole clusters with replacement.

    The draws depend only on the seed and the number of clusters, so arms that answered the same
    questions are seen through the same draws.

    Args:
        values: (k, n).
        clusters: (n,) label of each question's cluster.
        seed: of the draws.
        resamples: number of draws b.

    Returns:
        (b, k) means.
    """
    codes, count = cluster_codes(clusters)
    sums = np.stack([np.bincount(codes, row, count) for row in values], axis=1)  # (g, k)
    sizes = np.bincount(codes, minlength=count).astype(float)  # (g,)
    times = _times_drawn(count, seed, resamples)
    means = np.empty((resamples, len(values)))
    for start in range(0, resamples, RESAMPLES_AT_ONCE):
        drawn = times[start : start + RESAMPLES_AT_ONCE].astype(float)
        means[start : start + len(drawn)] = (drawn @ sums) / (drawn @ sizes)[:, None]
    return means


def cluster_codes(clusters: NDArray) -> tuple[NDArray[np.intp], int]:
    """The clusters numbered from 0 in the order of their labels, and how many there are."""
    names, codes = np.unique(np.asarray(clusters), return_inverse=True)
    return codes, len(names)


@lru_cache(maxsize=16)  # pools of a report
def _times_drawn(count: int, seed: int, resamples: int) -> NDArray[np.uint16]:
    """(b, g) how often each draw holds each cluster."""
    random = np.random.default_rng(seed)
    times = np.empty((resamples, count), dtype=np.uint16)
    for start in range(0, resamples, RESAMPLES_AT_ONCE):
        rows = min(RESAMPLES_AT_ONCE, resamples - start)
        drawn = random.integers(count, size=(rows, count)) + count * np.arange(rows)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=rows * count)
        times[start : start + rows] = counts.reshape(rows, count)
    times.flags.writeable = False
    return times
