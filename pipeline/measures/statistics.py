"""Statistics of the report: intervals clustered by subject, paired comparisons, Holm's correction.

Facts about one subject rise and fall together, so every interval and every test that decides treats
the subject (the `cluster` column) as the unit that was sampled. A value is 1 for a right answer and
0 for a wrong one, or, with several seeds, the share of seeds that were right.

Legend: n questions, g clusters.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from .cluster_bootstrap import RESAMPLES, Values, cluster_bootstrap_means, cluster_codes

CONFIDENCE = 0.95
SIGNIFICANCE = 1 - CONFIDENCE
POWER = 0.8  # of the smallest detectable effect, Cohen 1988
MOST_SEEDS = 60  # shares of so many seeds are told apart exactly


@dataclass(frozen=True)
class Interval:
    """An estimate between the ends of its confidence interval."""

    estimate: float
    low: float
    high: float
    n: int
    clusters: int


@dataclass(frozen=True)
class PairedComparison:
    """One arm against another on the same questions.

    `difference` is the second accuracy minus the first, between `low` and `high`; `gained`, `kept`,
    `lost` and `missed` count questions; `mcnemar_p` takes each question by itself, `clustered_p`
    each cluster; `detectable` is the smallest true difference that data of this size and spread
    would show in four of five repetitions.
    """

    difference: float
    low: float
    high: float
    gained: int
    kept: int
    lost: int
    missed: int
    mcnemar_p: float
    clustered_p: float
    detectable: float
    n: int


@dataclass(frozen=True)
class Call:
    """A comparison's p value corrected for all comparisons made, and whether it counts."""

    holm_p: float
    beyond_chance: bool


def accuracy_interval(right: Values, clusters: NDArray, confidence: float = CONFIDENCE) -> Interval:
    """Accuracy with a Wilson interval at the effective sample size of the clusters.

    The variance is the cluster-robust one of a ratio (Cochran 1977, section 9); n questions that
    move together count as p(1-p)/variance independent ones, never as more than n (Korn and Graubard
    1998, with Wilson's score interval as in Dean and Pagano 2015). Where all answers agree the
    spread within the clusters can't be seen, and each cluster counts as one question.

    Args:
        right: (n,) values between 0 and 1.
        clusters: (n,) label of each question's cluster.
        confidence: share of intervals that hold the true accuracy.

    Raises:
        ValueError: there is no question.
    """
    n = len(right)
    if n == 0:
        raise ValueError("an interval needs at least one question")
    codes, count = cluster_codes(clusters)
    accuracy = float(np.mean(right))
    if count == 1:
        return Interval(accuracy, 0.0, 1.0, n, 1)
    variance = clustered_variance(right, codes, count)
    spread = accuracy * (1 - accuracy)
    effective = min(n, spread / variance) if spread > 0 and variance > 0 else count
    quantile = float(stats.t.ppf((1 + confidence) / 2, count - 1))
    shrink = 1 + quantile**2 / effective
    centre = (accuracy + quantile**2 / (2 * effective)) / shrink
    half = quantile / shrink * np.sqrt(spread / effective + quantile**2 / (4 * effective**2))
    low, high = max(0.0, centre - half), min(1.0, centre + half)
    return Interval(accuracy, min(accuracy, low), max(accuracy, high), n, count)


def paired_comparison(
    before: Values,
    after: Values,
    clusters: NDArray,
    seed: int,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
) -> PairedComparison:
    """Compare two arms question by question.

    The interval is the percentile interval of the cluster bootstrap: whole clusters are drawn, and
    both arms are seen through the same draw. Where every question moved alike the bootstrap sees no
    spread; then the interval allows the share of clusters that could be different and unseen
    (Clopper and Pearson 1934).

    Args:
        before: (n,) values of the arm compared with.
        after: (n,) values of the arm in question, in the same order.
        clusters: (n,) label of each question's cluster.
        seed: of the bootstrap's draws.
        confidence: share of intervals that hold the true difference.
        resamples: draws of the bootstrap.

    Raises:
        ValueError: there is no question, or the arms differ in length.
    """
    if len(before) == 0 or len(before) != len(after):
        raise ValueError(f"{len(before)} and {len(after)} answers can't be paired")
    codes, count = cluster_codes(clusters)
    change = np.asarray(after, dtype=float) - np.asarray(before, dtype=float)
    difference = float(change.mean())
    unseen = 1 - ((1 - confidence) / 2) ** (1 / count)
    if count == 1:
        low, high, detectable = -1.0, 1.0, 1.0
    elif np.ptp(change) == 0:
        low = difference - unseen * (1 + difference)
        high = difference + unseen * (1 - difference)
        detectable = unseen
    else:
        draws = cluster_bootstrap_means(change[None], clusters, seed, resamples)[:, 0]
        low, high = (float(end) for end in np.quantile(draws, interval_ends(confidence)))
        error = np.sqrt(clustered_variance(change, codes, count))
        reach = stats.norm.ppf((1 + confidence) / 2) + stats.norm.ppf(POWER)
        detectable = min(1.0, float(reach * error))
    was, now = np.asarray(before) > 0.5, np.asarray(after) > 0.5
    gained, lost = int(np.sum(~was & now)), int(np.sum(was & ~now))
    kept = int(np.sum(was & now))
    return PairedComparison(
        difference=difference,
        low=low,
        high=high,
        gained=gained,
        kept=kept,
        lost=lost,
        missed=len(change) - gained - kept - lost,
        mcnemar_p=exact_mcnemar(gained, lost),
        clustered_p=clustered_mcnemar(change, clusters),
        detectable=detectable,
        n=len(change),
    )


def exact_mcnemar(gained: int, lost: int) -> float:
    """Two-sided p value that as many changes went one way by chance (McNemar 1947, exact form)."""
    return float(mcnemar([[0, gained], [lost, 0]], exact=True).pvalue)


def clustered_mcnemar(change: Values, clusters: NDArray) -> float:
    """McNemar's test with whole clusters as what chance turns one way or the other.

    Under the null hypothesis the sum of changes s of each cluster is as likely as -s. The p value is
    of the distribution of all sign flips, exact and in its mid-p form, which holds the nominal level
    where the plain exact form stays below it (Fagerland, Lydersen and Laake 2013). With one question
    a cluster it is the mid-p McNemar test. The distribution is the transform of its characteristic
    function, the product of cos(s t) (as Hong 2013 for the Poisson binomial).

    Args:
        change: (n,) second value minus first of each question.
        clusters: (n,) label of each question's cluster.
    """
    codes, count = cluster_codes(clusters)
    signed = _whole_sums(np.bincount(codes, change, count))
    sums, total = np.abs(signed), abs(int(signed.sum()))
    steps, times = np.unique(sums[sums > 0], return_counts=True)
    reach = int(np.sum(steps * times))
    if reach == 0:
        return 1.0
    size = 2 * reach + 1
    angles = 2 * np.pi * np.arange(size) / size
    function = np.prod([np.cos(s * angles) ** k for s, k in zip(steps, times, strict=True)], axis=0)
    chances = np.clip(np.fft.ifft(function).real, 0, 1)  # of sums 0, 1, …, reach, -reach, …, -1
    beyond = float(np.sum(chances[total + 1 : size - total]))
    at = float(chances[total] * (2 if total else 1))
    return min(1.0, beyond + at / 2)


def holm(p_values: list[float]) -> list[float]:
    """P values corrected for the number of comparisons in the list (Holm 1979), in its order."""
    if not p_values:
        return []
    return [float(p) for p in multipletests(p_values, method="holm")[1]]


def make_calls(comparisons: Sequence[tuple[float, float, float]]) -> list[Call]:
    """Which of all comparisons made differ beyond chance.

    One does where its p value, corrected by Holm over them all, is below 0.05 and its interval
    leaves out zero as well.

    Args:
        comparisons: p value, low and high end of each.
    """
    corrected = holm([p for p, _, _ in comparisons])
    return [
        Call(p, bool(p < SIGNIFICANCE and (low > 0 or high < 0)))
        for p, (_, low, high) in zip(corrected, comparisons, strict=True)
    ]


def share_of_gain(
    base: Values, real: Values, control: Values, clusters: NDArray, seed: int
) -> Interval | None:
    """The control's gain over the base as a share of the real arm's gain, with a bootstrap interval.

    Args:
        base: (n,) values of the base.
        real: (n,) values of the arm whose gain is examined.
        control: (n,) values of its control.
        clusters: (n,) label of each question's cluster.
        seed: of the bootstrap's draws.

    Returns:
        None where the real arm's gain isn't above zero in 97.5 % of the draws: a share of nothing
        has no meaning.
    """
    gains = np.stack([real - base, control - base])
    draws = cluster_bootstrap_means(gains, clusters, seed)
    real_gain, control_gain = gains.mean(axis=1)
    if real_gain <= 0 or np.quantile(draws[:, 0], interval_ends()[0]) <= 0:
        return None
    shares = draws[:, 1] / np.maximum(draws[:, 0], 1e-9)
    low, high = np.quantile(shares, interval_ends())
    count = len(np.unique(clusters))
    return Interval(float(control_gain / real_gain), float(low), float(high), len(base), count)


def clustered_variance(values: Values, codes: NDArray[np.intp], count: int) -> float:
    """Variance of the mean of n values in g numbered clusters (Cochran 1977, section 9)."""
    residuals = np.bincount(codes, values - np.mean(values), count)
    return float(count / (count - 1) * np.sum(residuals**2) / len(values) ** 2)


def interval_ends(confidence: float = CONFIDENCE) -> tuple[float, float]:
    """The quantiles at the ends of an interval."""
    return (1 - confidence) / 2, (1 + confidence) / 2


def _whole_sums(sums: NDArray[np.number]) -> NDArray[np.int64]:
    """Sums of shares of seeds as whole numbers, in the coarsest unit that tells them apart."""
    for unit in range(1, MOST_SEEDS + 1):
        whole = np.round(sums * unit)
        if np.allclose(sums * unit, whole, rtol=0, atol=1e-6):
            return whole.astype(np.int64)
    return np.round(sums * 1000).astype(np.int64)
