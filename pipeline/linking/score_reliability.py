"""Can the linker's scores be trusted? The chosen candidate's score against being right.

A link is right when span and entity are both exact. Scores crowd near their top, so the bins hold
equal numbers of links, not equal widths of score (Nguyen and O'Connor 2015, "Posterior calibration and
exploratory analysis for natural language processing models"); links with one score share a bin.

Legend: n links, k bins.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..measures.calibration import ConfidenceBin, error_interval
from ..measures.cluster_bootstrap import RESAMPLES, Values, cluster_bootstrap_means
from ..measures.statistics import Interval
from .link_measures import (
    SEED,
    LinkMeasure,
    is_right,
    link_measure,
    mention_counts,
)
from .linked_documents import LinkedDocument

BINS = 10
MAX_THRESHOLDS = 20


@dataclass(frozen=True)
class Reliability:
    """The expected calibration error with its interval, and the bins in ascending order of score."""

    error: Interval
    bins: tuple[ConfidenceBin, ...]


@dataclass(frozen=True)
class Threshold:
    """What is left when links below a score are taken for NIL."""

    score: float
    measure: LinkMeasure


def reliability(
    documents: Sequence[LinkedDocument], seed: int = SEED, resamples: int = RESAMPLES
) -> Reliability | None:
    """The links' calibration, clustered by document; None where nothing was linked."""
    rows = [
        (link.score, is_right(link, document.gold), document.id)
        for document in documents
        for link in document.links
    ]
    if not rows:
        return None
    columns = list(zip(*rows, strict=True))
    scores, right = np.array(columns[0], dtype=float), np.array(columns[1], dtype=float)
    clusters = np.array(columns[2])
    places = equal_mass_places(scores, BINS)
    count = int(places.max()) + 1
    gaps = np.zeros((count, len(rows)))
    gaps[places, np.arange(len(rows))] = right - scores
    mean_gaps = gaps.mean(axis=1)
    draws = cluster_bootstrap_means(gaps, clusters, seed, resamples)
    counts = np.bincount(places, minlength=count)
    low, high = error_interval(mean_gaps, draws - mean_gaps, counts)
    error = float(np.abs(mean_gaps).sum())
    bins = tuple(_bin(scores[places == place], right[places == place]) for place in range(count))
    return Reliability(Interval(error, low, high, len(rows), len(np.unique(clusters))), bins)


def equal_mass_places(scores: Values, most: int) -> NDArray[np.intp]:
    """The bin of each score, from 0, every bin used; equal scores share one.

    Args:
        scores: (n,).
        most: bins at most.

    Returns:
        (n,) bin numbers, ascending with the score.
    """
    # A score's bin is that of the middle of its run of equals in the sorted order.
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    middles = np.cumsum(counts) - (counts + 1) / 2
    bins = np.floor(middles * min(most, len(scores)) / len(scores)).astype(np.intp)
    _, dense = np.unique(bins, return_inverse=True)
    return dense[inverse].reshape(len(scores))


def sweep(documents: Sequence[LinkedDocument]) -> tuple[Threshold, ...]:
    """Mention measures at up to MAX_THRESHOLDS thresholds, each a score that occurs, ascending.

    The first keeps all links. A link that the linker itself took for NIL is not brought back.
    """
    scores = np.unique([link.score for document in documents for link in document.links])
    if not len(scores):
        return ()
    places = np.linspace(0, len(scores) - 1, min(MAX_THRESHOLDS, len(scores)))
    thresholds = scores[np.unique(np.round(places).astype(int))]
    return tuple(
        Threshold(float(score), link_measure(mention_counts(_at_least(documents, score))))
        for score in thresholds
    )


def _at_least(documents: Sequence[LinkedDocument], score: float) -> list[LinkedDocument]:
    return [
        LinkedDocument(
            document.id,
            document.text,
            document.gold,
            document.nil_gold,
            tuple(link for link in document.links if link.score >= score),
        )
        for document in documents
    ]


def _bin(scores: Values, right: Values) -> ConfidenceBin:
    return ConfidenceBin(
        low=float(scores.min()),
        high=float(scores.max()),
        n=len(scores),
        confidence=float(scores.mean()),
        accuracy=float(right.mean()),
    )
