"""Is a triple true? One threshold of the score for each relation (Socher et al. 2013).

    true  ⇔  score(h, r, t) ≥ threshold of r

A relation's threshold is the one with the highest accuracy on labelled triples that are tested by nobody;
a relation without any takes the one that is best over all. It fails where the negatives are easy:
random ones are told by type alone, and only hard ones tell models apart (Safavi and Koutra 2020).

Papers: Socher et al. 2013, "Reasoning with neural tensor networks for knowledge base completion",
NeurIPS. Safavi and Koutra 2020, "CoDEx: a comprehensive knowledge graph completion benchmark", EMNLP.

Shapes: n labelled triples, R relations.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


@dataclass(frozen=True)
class ClassificationMetrics:
    """Shares are 0 … 1; precision, recall and F1 are of the true class, 0 where it is never said."""

    accuracy: float
    precision: float
    recall: float
    f1: float
    count: int


def fit_thresholds(
    scores: Values, relations: NDArray[np.integer], true: NDArray[np.bool_], relation_count: int
) -> Values:
    """(R,) the thresholds.

    Args:
        scores: (n,) of labelled triples.
        relations: (n,).
        true: (n,) the labels.
        relation_count: R.

    Raises:
        ValueError: there is no triple.
    """
    if not len(scores):
        raise ValueError("thresholds need at least one labelled triple")
    found = np.full(relation_count, best_threshold(scores, true))
    for relation in np.unique(relations):
        own = relations == relation
        found[relation] = best_threshold(scores[own], true[own])
    return found


def best_threshold(scores: Values, true: NDArray[np.bool_]) -> float:
    """The threshold that is right most often: the middle one of those that are, between two scores.

    −inf or inf where all or none are best taken for true.
    """
    order = np.argsort(scores, kind="stable")
    ascending, labels = scores[order], true[order]
    # Cutting before place k takes the k lowest for false: right are the false ones below, the true above.
    right = np.concatenate(([0], np.cumsum(~labels))) + np.concatenate(
        (np.cumsum(labels[::-1])[::-1], [0])
    )
    between = np.concatenate(([True], ascending[1:] != ascending[:-1], [True]))
    best = np.flatnonzero(between & (right == right[between].max()))
    cut = int(best[len(best) // 2])
    if cut == 0:
        return -np.inf
    if cut == len(ascending):
        return np.inf
    return float((ascending[cut - 1] + ascending[cut]) / 2)


def classification_metrics(
    said: NDArray[np.bool_], true: NDArray[np.bool_]
) -> ClassificationMetrics:
    """How right n verdicts are.

    Raises:
        ValueError: there is none.
    """
    if not len(said):
        raise ValueError("no verdicts to summarise")
    hit, called, positive = (int(np.count_nonzero(of)) for of in (said & true, said, true))
    return ClassificationMetrics(
        accuracy=float(np.mean(said == true)),
        precision=hit / max(1, called),
        recall=hit / max(1, positive),
        f1=2 * hit / max(1, called + positive),
        count=len(said),
    )
