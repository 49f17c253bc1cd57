"""What an arm reaches in a pool: accuracy, free answers, lists of objects, calibration, seeds."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...kg.questions.pools import DELETED
from .answered_pools import AnsweredPool, SeedAnswers
from .calibration import calibration
from .cluster_bootstrap import Values
from .numbers import interval_entry, rounded
from .seed_variance import seed_variance
from .statistics import accuracy_interval

VARIANCE_DECIMALS = 8

Json = dict[str, Any]


def arm_numbers(pool: AnsweredPool, arm: str, seed: int) -> Json:
    """An arm's entry for a pool; parts that weren't measured are None.

    Args:
        pool: the questions and answers.
        arm: which answered them.
        seed: of the bootstrap's draws.
    """
    seeds = pool.arms[arm]
    right = pool.right(arm)
    by_seed = [given.right.mean() for given in seeds]
    component = seed_variance(np.array([given.right for given in seeds]), pool.clusters)
    return {
        **interval_entry(accuracy_interval(right, pool.clusters)),
        "seed_deviation": rounded(np.std(by_seed, ddof=1)) if len(by_seed) > 1 else None,
        "seed_variance": component
        and {
            "between": round(component.between, VARIANCE_DECIMALS),
            "share": rounded(component.share),
        },
        "generation": _generation(pool, seeds, right),
        # A deleted fact's "right" answer has left the graph: no confidence in it is calibrated.
        "calibration": None if pool.pool == DELETED else _calibration(pool, seeds, seed),
    }


def _generation(pool: AnsweredPool, seeds: Sequence[SeedAnswers], right: Values) -> Json | None:
    """Free answers: shares by outcome, and how often they disagree with the chosen option."""
    asked = seeds[0].free != "-"
    if not asked.any():
        return None
    letters = np.array([given.free[asked] for given in seeds])
    correct = np.mean(letters == "r", axis=0)
    return {
        **interval_entry(accuracy_interval(correct, pool.clusters[asked])),
        "disagreement": rounded(np.mean((correct > 0.5) != (right[asked] > 0.5))),
        "right": rounded(np.mean(letters == "r")),
        "wrong": rounded(np.mean(letters == "w")),
        "not_attempted": rounded(np.mean(letters == "n")),
        "lists": _lists(seeds),
    }


def _lists(seeds: Sequence[SeedAnswers]) -> Json | None:
    """Precision over the answers that list something; recall and F1 over all that were asked.

    An answer's F1 is the harmonic mean of its two, and 0 where it names no true object.
    """
    precision = np.concatenate([given.precision for given in seeds])
    recall = np.concatenate([given.recall for given in seeds])
    asked = ~np.isnan(recall)
    if not asked.any():
        return None
    recall, precision = recall[asked], precision[asked]
    lists = ~np.isnan(precision)
    both = np.where(lists, precision, 0) + recall
    products = 2 * np.where(lists, precision, 0) * recall
    f1 = np.divide(products, both, out=np.zeros_like(both), where=both > 0)
    return {
        "n": int(np.sum(~np.isnan(seeds[0].recall))),
        "precision": rounded(precision[lists].mean()) if lists.any() else None,
        "recall": rounded(recall.mean()),
        "f1": rounded(f1.mean()),
    }


def _calibration(pool: AnsweredPool, seeds: Sequence[SeedAnswers], seed: int) -> Json | None:
    told = [given for given in seeds if given.confidence is not None]
    if len(told) < len(seeds):
        return None
    found = calibration(
        np.concatenate([given.confidence for given in told if given.confidence is not None]),
        np.concatenate([given.right for given in told]),
        np.tile(pool.clusters, len(told)),
        seed,
    )
    return {
        "ece": rounded(found.error.estimate),
        "ece_low": rounded(found.error.low),
        "ece_high": rounded(found.error.high),
        "brier": rounded(found.brier.estimate),
        "brier_low": rounded(found.brier.low),
        "brier_high": rounded(found.brier.high),
        "confidence": rounded(found.confidence),
        "n": found.error.n,
        "bins": [
            {
                "low": rounded(entry.low),
                "high": rounded(entry.high),
                "n": entry.n,
                "confidence": rounded(entry.confidence),
                "accuracy": rounded(entry.accuracy),
            }
            for entry in found.bins
        ],
        "risk_coverage": [
            {"coverage": rounded(coverage), "risk": rounded(risk)}
            for coverage, risk in found.risk_coverage
        ],
        "aurc": rounded(found.area),
    }
