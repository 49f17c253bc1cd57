"""The likeliest tails of (head, relation, ?) by an embedding, among those that the relation has.

p(t | h, r) is the softmax of the scores over the tails that the relation has in training: what is no
object of any triple of a relation can't be predicted for it.

Shapes: B queries, k tails, n triples.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional as F

from .embedding_base import EmbeddingModel

QUERIES_A_BATCH = 256


@dataclass(frozen=True)
class PredictedTails:
    """The likeliest tails of B queries, the likeliest first; fewer than k where a relation has fewer.

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


@torch.inference_mode()
def predict_tails(
    model: EmbeddingModel,
    heads: np.ndarray,
    relations: np.ndarray,
    ranges: list[np.ndarray],
    most: int,
    advance: Callable[[int], None],
) -> PredictedTails:
    """At most k = `most` tails of each query (h, r).

    Args:
        model: trained.
        heads, relations: (B,) rows.
        ranges: for each relation, the tails that it may have; see `tails_by_relation`.
        most: k.
        advance: called with the number of queries just done.
    """
    queries, tails, found = [], [], []
    for relation in np.unique(relations):
        candidates = torch.from_numpy(ranges[relation])
        own = np.flatnonzero(relations == relation)
        vectors = F.embedding(candidates, model.entity)
        for start in range(0, len(own), QUERIES_A_BATCH):
            batch = own[start : start + QUERIES_A_BATCH]
            asked = F.embedding(torch.from_numpy(heads[batch]), model.entity)
            scores = model.scores(model.queries(asked, model.relation[relation]), vectors)
            best = scores.log_softmax(dim=1).topk(min(most, len(candidates)), dim=1)
            queries.append(np.repeat(batch, best.values.shape[1]))
            tails.append(candidates[best.indices.flatten()].numpy())
            found.append(best.values.flatten().numpy())
            advance(len(batch))
    if not queries:
        return PredictedTails(np.empty(0, int), np.empty(0, int), np.empty(0))
    order = np.argsort(np.concatenate(queries), kind="stable")
    return PredictedTails(
        np.concatenate(queries)[order],
        np.concatenate(tails)[order],
        np.concatenate(found)[order].astype(np.float64),
    )
