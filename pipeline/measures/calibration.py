"""Does an arm know when it is right? Calibration of the chosen option, and selective answering.

Confidence is the softmax over a question's options of the chosen one. With several seeds every
seed's answer counts, in the cluster of its question.

Legend: n answers, b resamples, l candidate sizes of the error.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .cluster_bootstrap import RESAMPLES, Values, cluster_bootstrap_means
from .statistics import Interval, interval_ends

BINS = 15  # of equal width, as in Guo et al. 2017
CURVE_POINTS = 20
CANDIDATES = 40


@dataclass(frozen=True)
class ConfidenceBin:
    """The answers with a confidence from `low` up to `high`."""

    low: float
    high: float
    n: int
    confidence: float
    accuracy: float


@dataclass(frozen=True)
class Calibration:
    """How far confidence can be trusted.

    Attributes:
        error: expected calibration error, the mean distance of accuracy from confidence over bins
            (Guo et al. 2017), with its interval.
        brier: mean squared distance of confidence from right (1) or wrong (0) (Brier 1950).
        confidence: mean confidence; above the accuracy, the arm is too sure.
        bins: those that hold answers.
        risk_coverage: share of answers given, the surest first, and the share of them that is wrong.
        area: mean risk over all coverages, the smaller the better (Geifman and El-Yaniv 2017).
    """

    error: Interval
    brier: Interval
    confidence: float
    bins: tuple[ConfidenceBin, ...]
    risk_coverage: tuple[tuple[float, float], ...]
    area: float


def calibration(
    confidence: Values,
    right: Values,
    clusters: NDArray,
    seed: int,
    resamples: int = RESAMPLES,
) -> Calibration:
    """Calibration of n answers.

    Args:
        confidence: (n,) between 0 and 1.
        right: (n,) 1 or 0.
        clusters: (n,) label of each answer's cluster.
        seed: of the bootstrap's draws.
        resamples: draws of the bootstrap.

    Raises:
        ValueError: there is no answer.
    """
    if len(right) == 0:
        raise ValueError("calibration needs at least one answer")
    count = len(np.unique(clusters))
    distances = (confidence - right) ** 2
    places = _places(confidence)
    gaps = np.zeros((BINS, len(right)))
    gaps[places, np.arange(len(right))] = right - confidence
    draws = cluster_bootstrap_means(np.vstack([gaps, distances]), clusters, seed, resamples)
    low, high = np.quantile(draws[:, BINS], interval_ends())
    brier = Interval(float(distances.mean()), float(low), float(high), len(right), count)
    mean_gaps, counts = gaps.mean(axis=1), np.bincount(places, minlength=BINS)
    error = float(np.abs(mean_gaps).sum())
    ends = error_interval(mean_gaps, draws[:, :BINS] - mean_gaps, counts)
    curve, area = risk_coverage(confidence, right)
    return Calibration(
        error=Interval(error, *ends, len(right), count),
        brier=brier,
        confidence=float(confidence.mean()),
        bins=_bins(confidence, right, places),
        risk_coverage=curve,
        area=area,
    )


def risk_coverage(
    confidence: Values, right: Values
) -> tuple[tuple[tuple[float, float], ...], float]:
    """Points (coverage, risk) at equal steps, and the mean risk over all coverages.

    Answers that are equally sure could come in any order; their errors are spread evenly.
    """
    order = np.argsort(-confidence, kind="stable")
    sure, wrong = confidence[order], np.cumsum(1 - right[order])
    last = np.flatnonzero(np.append(sure[1:] != sure[:-1], True))  # of each run of equals
    given = np.arange(1, len(right) + 1)
    errors = np.interp(given, np.append(0, last + 1), np.append(0, wrong[last]))
    risk = errors / given
    shown = np.unique(np.ceil(np.linspace(0, 1, CURVE_POINTS + 1)[1:] * len(right)).astype(int))
    points = tuple((float(k / len(right)), float(risk[k - 1])) for k in shown)
    return points, float(risk.mean())


def _places(confidence: Values) -> NDArray[np.intp]:
    return np.minimum((confidence * BINS).astype(np.intp), BINS - 1)


def _bins(confidence: Values, right: Values, places: NDArray[np.intp]) -> tuple[ConfidenceBin, ...]:
    return tuple(
        ConfidenceBin(
            low=float(place / BINS),
            high=float((place + 1) / BINS),
            n=int(np.sum(places == place)),
            confidence=float(confidence[places == place].mean()),
            accuracy=float(right[places == place].mean()),
        )
        for place in np.unique(places)
    )


def error_interval(gaps: Values, noise: Values, counts: NDArray[np.intp]) -> tuple[float, float]:
    """The true errors under which the observed one would be no surprise (test inversion).

    The error adds up distances, so noise makes it too large, and a percentile interval would lie
    above the truth on few answers. Here the candidate truths are multiples of the observed gaps,
    shrunken towards their mean like random effects, and the noise is the bootstrap's (Carpenter
    1999, "Test inversion bootstrap confidence intervals"). In simulation it holds the truth 92 to 98
    times in 100 (tests/pipeline/measures/test_calibration.py). It always holds the observed error itself.

    Args:
        gaps: (bins,) accuracy minus confidence of each bin, times its share of the answers.
        noise: (b, bins) bootstrapped gaps minus `gaps`.
        counts: (bins,) answers in each bin.
    """
    observed = float(np.abs(gaps).sum())
    shape = _shrunken(gaps, noise, counts)
    if np.abs(shape).sum() < 1e-9:
        shape = gaps
    size = float(np.abs(shape).sum())
    if size < 1e-9:  # no bin is off at all
        return 0.0, float(np.quantile(np.abs(noise).sum(axis=1), interval_ends()[1]))
    factors = np.linspace(0, max(2.0, 2 * observed / size), CANDIDATES)  # (l,)
    errors = np.array([np.abs(factor * shape + noise).sum(axis=1) for factor in factors])  # (l, b)
    below, above = np.maximum.accumulate(np.quantile(errors, interval_ends(), axis=1), axis=1)
    low = 0.0 if above[0] >= observed else float(np.interp(observed, above, factors)) * size
    high = float(np.interp(observed, below, factors)) * size
    return min(low, observed), min(1.0, max(high, observed))


def _shrunken(gaps: Values, noise: Values, counts: NDArray[np.intp]) -> Values:
    """Gaps drawn towards a common one as far as noise explains their spread.

    (DerSimonian and Laird 1986.)
    """
    used = counts > 0
    if used.sum() == 1:
        return gaps
    shares = counts[used] / counts.sum()
    found = gaps[used] / shares
    # A bin with one answer shows no spread; no bin is surer than half an answer in its own and two.
    spread = np.maximum(np.var(noise[:, used] / shares, axis=0), (0.5 / (counts[used] + 2)) ** 2)
    weights = 1 / spread
    mean = np.sum(weights * found) / np.sum(weights)
    excess = np.sum(weights * (found - mean) ** 2) - (len(found) - 1)
    scale = np.sum(weights) - np.sum(weights**2) / np.sum(weights)
    between = max(0.0, float(excess / scale))
    kept = between / (between + spread)
    shrunken = np.zeros_like(gaps)
    shrunken[used] = (mean + kept * (found - mean)) * shares
    return shrunken
