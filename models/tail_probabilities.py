"""How likely each tail of (h, r, ?) is, by any embedding: a softmax over the tails that aren't known yet.

    p(t | h, r) = exp score(h, r, t) / Σ exp score(h, r, u)      u over t and the unknown tails of r's range

The range of a relation is the tails that it has in training. Known tails of the same question don't
compete, as in filtered ranking: that Paris is in France takes nothing from Lyon. These are the model's
own probabilities; `platt_scaling.py` makes them ones that hold.

Shapes: B queries, C candidate tails, E entities.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from .ranking import KnownTails, Scorer
from .tail_prediction import PredictedTails


def log_probabilities(scores: Tensor, known: Tensor) -> Tensor:
    """The formula above in nats, for every tail. scores (B, C) float, known (B, C) bool -> (B, C)."""
    others = scores.masked_fill(known, -torch.inf).logsumexp(dim=1, keepdim=True)
    return scores - torch.where(known, torch.logaddexp(others, scores), others)


@torch.inference_mode()
def unknown_tails(
    tail_scores: Scorer,
    heads: np.ndarray,
    relations: np.ndarray,
    ranges: list[np.ndarray],
    known: KnownTails,
    most: int,
    batch_size: int,
    advance: Callable[[int], None],
) -> PredictedTails:
    """At most `most` unknown tails of each of B queries, the likeliest first.

    Args:
        tail_scores: of a trained model.
        heads, relations: (B,).
        ranges: for each relation, its tails in training; see `tails_by_relation`.
        known: tails that are left out.
        most: tails of a query.
        batch_size: queries at once; memory is a few times batch_size * E float32.
        advance: called with the number of queries just done.
    """
    queries, tails, found = [np.empty(0, int)], [np.empty(0, int)], [np.empty(0)]
    for relation in np.unique(relations):
        candidates = ranges[relation]
        own = np.flatnonzero(relations == relation)
        for start in range(0, len(own), batch_size):
            batch = own[start : start + batch_size]
            asked = torch.from_numpy(heads[batch].astype(np.int64))
            scores = tail_scores(asked, torch.full_like(asked, int(relation)))
            seen = torch.zeros_like(scores, dtype=torch.bool)
            rows, known_tails = known.places(heads[batch], relations[batch])
            seen[torch.from_numpy(rows), torch.from_numpy(known_tails)] = True
            columns = torch.from_numpy(candidates.astype(np.int64))
            open_ones = ~seen[:, columns]
            logs = log_probabilities(scores[:, columns], ~open_ones)
            best = logs.masked_fill(~open_ones, -torch.inf).topk(min(most, len(candidates)), dim=1)
            kept = best.values > -torch.inf
            query, _ = torch.nonzero(kept, as_tuple=True)
            queries.append(batch[query.numpy()])
            tails.append(candidates[best.indices[kept].numpy()])
            found.append(best.values[kept].double().numpy())
            advance(len(batch))
    order = np.argsort(np.concatenate(queries), kind="stable")
    return PredictedTails(
        np.concatenate(queries)[order], np.concatenate(tails)[order], np.concatenate(found)[order]
    )
