"""How a re-ranker does beside the linker's own scores, on names of entities that it wasn't trained to find.

Every name is asked by both: is the entity first (recall at 1), among the first five, and is a score as
often right as it says (expected calibration error over bins of equal numbers)? For an entity that the
graph lacks, any candidate is wrong, and what counts is how little is believed of it.

Legend: n names, K candidates.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...models.mention_reranker import CandidateLists, MentionReranker
from ...models.reranker_training import scores_of
from ..measures.calibration import error_interval
from ..measures.cluster_bootstrap import Values, cluster_bootstrap_means
from ..measures.statistics import accuracy_interval, paired_comparison
from .reranker_examples import Example
from .score_reliability import BINS, equal_mass_places

PLACES = (1, 5)

Json = dict[str, Any]


@torch.no_grad()
def measured(
    model: MentionReranker,
    vectors: Tensor,
    lists: CandidateLists,
    examples: Sequence[Example],
    seed: int,
) -> Json:
    """All names, and apart those by themselves, in sentences, and of absent entities.

    Args:
        model: calibrated.
        vectors, lists: of the examples, with their truth.
        examples: entities are the clusters of the intervals.
        seed: of the bootstrap.
    """
    after = model.calibrated(scores_of(model, vectors, lists)).exp().double().numpy()
    before = np.exp(lists.log_scores.astype(float))
    truth = lists.truth
    assert truth is not None
    absent = np.array([each.absent for each in examples])
    inside = np.array([each.mention.sentence != each.mention.surface for each in examples])
    slices = {"all": absent | True, "names": ~inside & ~absent, "in sentences": inside & ~absent}
    slices["of absent entities"] = absent
    clusters = np.array([each.entity for each in examples])
    return {
        name: _both(before[rows], after[rows], truth[rows], clusters[rows], seed)
        for name, rows in slices.items()
        if rows.any()
    }


def _both(
    before: Values, after: Values, truth: np.ndarray, clusters: np.ndarray, seed: int
) -> Json:
    found: Json = {"n": len(truth)}
    firsts = {}
    for name, probabilities in (("linker", before), ("re-ranked", after)):
        places = _places(probabilities, truth)
        best = probabilities[:, 1:].max(axis=1)
        firsts[name] = (places == 1).astype(float)
        at = {
            f"recall@{p}": asdict(accuracy_interval((places <= p).astype(np.float64), clusters))
            for p in PLACES
        }
        error = _calibration_error(best, firsts[name], clusters, seed)
        found[name] = {**at, "ece": error, "mean score": float(best.mean())}
    paired = paired_comparison(firsts["linker"], firsts["re-ranked"], clusters, seed)
    found["difference"] = asdict(paired)
    return found


def _places(probabilities: Values, truth: np.ndarray) -> Values:
    """(n,) the true candidate's place, from 1; infinite where NIL is right. Equal ones as the linker had them."""
    order = np.argsort(-probabilities[:, 1:], axis=1, kind="stable")
    places = 1.0 + np.argmax(order == truth[:, None] - 1, axis=1)
    return np.where(truth > 0, places, np.inf)


def _calibration_error(
    scores: Values, right: Values, clusters: np.ndarray, seed: int
) -> dict[str, float]:
    places = equal_mass_places(scores, BINS)
    count = int(places.max()) + 1
    gaps = np.zeros((count, len(scores)))
    gaps[places, np.arange(len(scores))] = right - scores
    means = gaps.mean(axis=1)
    draws = cluster_bootstrap_means(gaps, clusters, seed)
    low, high = error_interval(means, draws - means, np.bincount(places, minlength=count))
    return {"estimate": float(np.abs(means).sum()), "low": low, "high": high}


def said(metrics: Json) -> list[str]:
    """The test part in lines."""
    training = metrics["training"]
    lines = [
        f"{training['epochs']} epochs; test part: names of entities that weren't asked for in training",
        f"{'':20}{'n':>7}  {'':10}{'recall@1 (95 % interval)':>26}{'recall@5':>10}{'ECE':>8}",
    ]
    for name, found in metrics["test"].items():
        for way in ("linker", "re-ranked"):
            first = found[way]["recall@1"]
            cell = f"{first['estimate']:.3f} ({first['low']:.3f}–{first['high']:.3f})"
            title, n = (name, f"{found['n']:,}") if way == "linker" else ("", "")
            lines.append(
                f"{title:20}{n:>7}  {way:10}{cell:>26}"
                f"{found[way]['recall@5']['estimate']:10.3f}{found[way]['ece']['estimate']:8.3f}"
            )
    return lines
