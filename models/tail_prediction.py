"""The likeliest tails of (head, relation, ?) by an embedding, among those that the relation has.

    p(t | h, r) = exp score(h, r, t) / Σ exp score(h, r, u)      u over t and the unknown tails of r's range

The range of a relation is the tails that it has in training: what is no object of any of its triples
can't be predicted for it. Known tails of the same query don't compete, as in filtered ranking: that
Paris is in France takes nothing from Lyon. These are the model's own probabilities; `platt_scaling.py`
makes them ones that hold.

Shapes: B queries, C candidate tails, k tails, n triples.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from .embedding_base import ROWS_AT_ONCE, EmbeddingModel
from .ranking import KnownTails

QUERIES_A_BATCH = 256
SCORES_A_BATCH = 1 << 24  # 64 MiB of them


@dataclass(frozen=True)
class PredictedTails:
    """The likeliest tails of B queries, the likeliest first; fewer than k where there are fewer.

    Attributes:
        query: (n,) number of the query, ascending.
        tail: (n,) row of the entity.
        log_probability: (n,) in nats.
    """

    query: np.ndarray
    tail: np.ndarray
    log_probability: np.ndarray


def tails_by_relation(training: np.ndarray, relation_count: int) -> list[np.ndarray]:
    """For each relation, the tails of its triples (n, 3), ascending."""
    return [np.unique(training[training[:, 1] == r, 2]) for r in range(relation_count)]


def log_probabilities(scores: Tensor, known: Tensor) -> Tensor:
    """The formula above in nats, for every tail. scores (B, C), known (B, C) bool -> (B, C)."""
    others = scores.masked_fill(known, -torch.inf).logsumexp(dim=1, keepdim=True)
    return scores - torch.where(known, torch.logaddexp(others, scores), others)


@torch.inference_mode()
def predict_tails(
    model: EmbeddingModel,
    heads: np.ndarray,
    relations: np.ndarray,
    ranges: list[np.ndarray],
    known: KnownTails,
    most: int,
    advance: Callable[[int], None],
) -> PredictedTails:
    """At most k = `most` unknown tails of each query (h, r).

    Args:
        model: trained.
        heads, relations: (B,) rows.
        ranges: for each relation, the tails that it may have; see `tails_by_relation`.
        known: tails that are left out.
        most: k.
        advance: called with the number of queries just done.
    """
    queries, tails, found = [np.empty(0, int)], [np.empty(0, int)], [np.empty(0)]
    for relation in np.unique(relations):
        candidates = ranges[relation]
        own = np.flatnonzero(relations == relation)
        size = max(1, min(QUERIES_A_BATCH, SCORES_A_BATCH // max(1, len(candidates))))
        for start in range(0, len(own), size):
            batch = own[start : start + size]
            asked = F.embedding(torch.from_numpy(heads[batch]), model.entity)
            queries_of = model.queries(asked, model.relation[relation])
            scores = _scores(model, queries_of, torch.from_numpy(candidates))
            told = _places(known, heads[batch], relations[batch], candidates)
            logs = log_probabilities(scores, told).masked_fill(told, -torch.inf)
            best = logs.topk(min(most, len(candidates)), dim=1)
            kept = best.values > -torch.inf
            queries.append(batch[kept.nonzero()[:, 0].numpy()])
            tails.append(candidates[best.indices[kept].numpy()])
            found.append(best.values[kept].double().numpy())
            advance(len(batch))
    order = np.argsort(np.concatenate(queries), kind="stable")
    return PredictedTails(*(np.concatenate(each)[order] for each in (queries, tails, found)))


def _scores(model: EmbeddingModel, queries: Tensor, candidates: Tensor) -> Tensor:
    """(B, d), rows (C,) -> (B, C); never are all candidates' vectors in memory."""
    parts = [
        model.scores(queries, F.embedding(part, model.entity))
        for part in candidates.split(ROWS_AT_ONCE)
    ]
    return torch.cat(parts, dim=1)


def _places(
    known: KnownTails, heads: np.ndarray, relations: np.ndarray, candidates: np.ndarray
) -> Tensor:
    """(B, C) which of the candidates, ascending, are known tails of each query (B,)."""
    rows, tails = known.places(heads, relations)
    places = np.searchsorted(candidates, tails)
    among = np.isin(tails, candidates)
    told = torch.zeros(len(heads), len(candidates), dtype=torch.bool)
    told[torch.from_numpy(rows[among]), torch.from_numpy(places[among])] = True
    return told
