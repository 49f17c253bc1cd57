"""How well vectors fill in what is missing: ranks of the test triples, verdicts on false ones.

Every test triple is asked for its head and for its tail, among all entities, less those known to be right
(see models/ranking.py). A sample, where one is asked for, is of the triples: among all entities still,
since ranks among few sampled entities put models in another order (Krichene and Rendle 2020, "On sampled
metrics for item recommendation", KDD).
"""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
import pyarrow as pa
import torch

from ...models.embedding_model import EmbeddingModel
from ...models.ranking import RankingMetrics, Scorer, SideRanks, rank_triples, tail_frequencies
from ...models.ranking_report import SideMetrics, ranking_report, side_metrics
from ...models.triple_classification import classification_metrics, fit_thresholds
from ..console import Console
from ..measures.cluster_bootstrap import cluster_bootstrap_means
from ..measures.statistics import interval_ends
from .embedded_triples import EmbeddedTriples, Int32

SCORE_BYTES = 64 << 20  # of one batch's scores
MOST_AT_ONCE = 512  # queries


@dataclass(frozen=True)
class Evaluation:
    """What was measured.

    Attributes:
        metrics: for metrics.json.
        ranks: a row a ranked triple: head, relation, tail, and rank and ties of each side.
        seconds: that the model's ranking took; the baseline's is left out.
    """

    metrics: dict[str, object]
    ranks: pa.Table
    seconds: float


def queries_at_once(entities: int) -> int:
    """How many rows of scores are in memory together."""
    return max(1, min(MOST_AT_ONCE, SCORE_BYTES // (4 * entities)))


def evaluate(
    model: EmbeddingModel, triples: EmbeddedTriples, sampled: int, seed: int, console: Console
) -> Evaluation:
    """Rank the test triples, or so many of them drawn at random where `sampled` isn't 0."""
    asked = _asked(triples.test, sampled, seed)

    def ranked(tails: Scorer, heads: Scorer, advance: Callable[[int], None]) -> SideRanks:
        return rank_triples(
            tails, heads, asked, triples.known, queries_at_once(len(triples.entities)), advance
        )

    with console.progress("ranking test triples", 2 * len(asked), "queries") as advance:
        started = time.monotonic()
        ranks = ranked(model.tail_scores, model.head_scores, advance)
        seconds = time.monotonic() - started
    sizes = len(triples.entities), len(triples.relations)
    by_frequency = tail_frequencies(triples.train, *sizes)
    heads_by_frequency = tail_frequencies(triples.train[:, ::-1], *sizes)
    with console.progress("ranking by frequency", 2 * len(asked), "queries") as advance:
        baseline = ranked(by_frequency, heads_by_frequency, advance)
    whole = np.ones(len(asked), dtype=bool)
    metrics: dict[str, object] = {
        "filtered": True,
        "candidates": "all entities",
        "sampled": {"triples": len(asked), "of": len(triples.test)} if sampled else None,
        **_report(triples, asked, ranks, seed),
        "baseline_frequency_in_relation": _sides(side_metrics(baseline, whole)),
        "triple_classification": _classification(model, triples, seed),
    }
    return Evaluation(metrics, _rows(asked, ranks), seconds)


def _asked(test: Int32, sampled: int, seed: int) -> Int32:
    if not 0 < sampled < len(test):
        return test
    drawn = np.random.default_rng([seed, 61]).choice(len(test), sampled, replace=False)
    return test[np.sort(drawn)]


def _report(
    triples: EmbeddedTriples, asked: Int32, ranks: SideRanks, seed: int
) -> dict[str, object]:
    """All slices of the ranks."""
    classes = triples.classes
    report = ranking_report(ranks, asked[:, 1], classes)
    names = triples.relations.names
    slices = {
        "without_told": ~triples.told(asked),
        "without_unseen_entities": ~triples.unseen(asked),
    }
    return {
        **_sides(report.overall),
        "intervals": _intervals(asked, ranks, seed),
        "optimistic": asdict(report.optimistic),
        "pessimistic": asdict(report.pessimistic),
        **{
            name: _sides(side_metrics(ranks, chosen))
            for name, chosen in slices.items()
            if chosen.any() and not chosen.all()
        },
        "by_cardinality": {name: _sides(of) for name, of in report.by_cardinality.items()},
        "by_relation": {
            names[relation]: {"cardinality": classes[relation], **_sides(of)}
            for relation, of in report.by_relation.items()
        },
    }


def _sides(sides: SideMetrics) -> dict[str, object]:
    return {name: _rounded(getattr(sides, name)) for name in ("both", "head", "tail")}


def _rounded(metrics: RankingMetrics) -> dict[str, float]:
    return {name: round(value, 6) for name, value in asdict(metrics).items()}


def _intervals(asked: Int32, ranks: SideRanks, seed: int) -> dict[str, object]:
    """95 % of the draws of whole head entities, for both sides together."""
    sides = np.stack((ranks.head, ranks.tail))
    values = {
        "mean_reciprocal_rank": (1 / sides).mean(axis=0),
        **{f"hits_at_{k}": (sides <= k).mean(axis=0) for k in (1, 3, 10)},
    }
    draws = cluster_bootstrap_means(np.stack(list(values.values())), asked[:, 0], seed)
    ends = np.quantile(draws, interval_ends(), axis=0)
    return {
        name: {"low": round(float(low), 6), "high": round(float(high), 6)}
        for name, low, high in zip(values, *ends, strict=True)
    }


def _classification(
    model: EmbeddingModel, triples: EmbeddedTriples, seed: int
) -> dict[str, object] | None:
    """Thresholds of validation held against the test's true and false triples; None without false ones."""
    if triples.valid_negatives is None or triples.test_negatives is None:
        return None
    fitted, labels = _labelled(triples.valid, triples.valid_negatives)
    thresholds = fit_thresholds(
        _scores(model, fitted), fitted[:, 1], labels, len(triples.relations)
    )
    asked, true = _labelled(triples.test, triples.test_negatives)
    said = _scores(model, asked) >= thresholds[asked[:, 1]]
    draws = cluster_bootstrap_means((said == true)[None].astype(float), asked[:, 0], seed)
    low, high = np.quantile(draws[:, 0], interval_ends())
    own = asdict(classification_metrics(said, true))
    return {**own, "accuracy_low": float(low), "accuracy_high": float(high)}


def _labelled(true: Int32, false: Int32) -> tuple[Int32, np.ndarray]:
    labels = np.arange(len(true) + len(false)) < len(true)
    return np.concatenate((true, false)), labels


@torch.inference_mode()
def _scores(model: EmbeddingModel, triples: Int32) -> np.ndarray:
    parts = torch.from_numpy(triples.astype(np.int64)).split(MOST_AT_ONCE)
    return torch.cat([model.triple_scores(part) for part in parts]).double().numpy()


def _rows(asked: Int32, ranks: SideRanks) -> pa.Table:
    columns = {name: asked[:, place] for place, name in enumerate(("head", "relation", "tail"))}
    return pa.table(
        {
            **columns,
            "head_rank": ranks.head,
            "head_ties": ranks.head_ties,
            "tail_rank": ranks.tail,
            "tail_ties": ranks.tail_ties,
        }
    )
