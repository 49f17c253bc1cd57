"""What link prediction trains on and its loss: 1-vs-all cross-entropy in both directions.

Each triple is asked twice, (h, r, ?) and (?, r, t), and its answer competes with every entity:

    loss = mean over triples  -log softmax(scores(h, r, .))[t]  +  n3 * N3(h, r, t)

Triples that share a query share its row of scores and its normaliser: the loss is the same to the
last term, with as many rows as there are distinct queries rather than triples (CoDEx-S: 11,867
rows in place of 65,776). So an epoch shuffles queries, and lays each query's triples side by side.

When it fails: with millions of entities a row no longer fits; negatives must then be sampled.

Papers: Lacroix et al. 2018 (1-vs-all, N3, reciprocal relations); Ruffinelli et al. 2020, "You CAN
teach an old dog new tricks!", ICLR (1-vs-all and cross-entropy are what makes ComplEx strong).

Shapes: n triples, B triples of a batch, Q distinct queries of a batch, E entities, d rank.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from .complex_embedding import ComplEx, cubed_moduli, rotate, with_reciprocals


class TripleBatch(NamedTuple):
    """Triples (reciprocals among them) grouped by query; all int64."""

    heads: Tensor  # (Q,)
    relations: Tensor  # (Q,), 0 … 2R - 1
    query_of_triple: Tensor  # (B,), rows of `heads`, ascending
    tails: Tensor  # (B,)
    step_triples: int  # B, or more where this is a part of a step's batch


def triple_batches(
    triples: np.ndarray, relation_count: int, batch_size: int, seed: int
) -> Callable[[int], Sequence[TripleBatch]]:
    """The batches of an epoch, as a function of the epoch's number.

    Both directions of `triples` (n, 3) come once an epoch. The order depends on seed and epoch
    alone, so a resumed run sees what the unbroken run saw.
    """
    both = with_reciprocals(triples.astype(np.int64), relation_count)
    queries, query = np.unique(both[:, 0] * 2 * relation_count + both[:, 1], return_inverse=True)

    def batches(epoch: int) -> list[TripleBatch]:
        random = np.random.default_rng((seed, epoch))
        place = random.permutation(len(queries))[query]
        order = np.lexsort((random.permutation(len(both)), place))
        starts = range(0, len(order), batch_size)
        return [_batch(both, place, order[start : start + batch_size]) for start in starts]

    return batches


def _batch(both: np.ndarray, place: np.ndarray, rows: np.ndarray) -> TripleBatch:
    """Those rows of `both`; equal `place`, one after another, marks one query."""
    first = np.diff(place[rows], prepend=-1) != 0
    return TripleBatch(
        heads=torch.from_numpy(both[rows[first], 0]),
        relations=torch.from_numpy(both[rows[first], 1]),
        query_of_triple=torch.from_numpy(np.cumsum(first) - 1),
        tails=torch.from_numpy(both[rows, 2]),
        step_triples=len(rows),
    )


def triples_part(batch: TripleBatch, number: int, count: int) -> TripleBatch | None:
    """Every `count`-th query from `number` on, with its triples; None where there is none."""
    if number >= len(batch.heads):
        return None
    kept = batch.query_of_triple % count == number
    return TripleBatch(
        batch.heads[number::count],
        batch.relations[number::count],
        batch.query_of_triple[kept] // count,
        batch.tails[kept],
        batch.step_triples,
    )


def complex_loss(model: ComplEx, batch: TripleBatch, n3: float) -> Tensor:
    """Mean cross-entropy in nats over the batch's triples, plus n3 times their mean N3 term.

    The mean is over the triples of the step, also where the batch is a part of it.
    """
    heads = F.embedding(batch.heads, model.entity)  # (Q, 2d)
    relations = F.embedding(batch.relations, model.relation)  # (Q, 2d)
    tails = F.embedding(batch.tails, model.entity)  # (B, 2d)
    queries = rotate(heads, relations)
    normalisers = torch.logsumexp(queries @ model.entity.T, dim=1)  # (Q,)
    scores = (F.embedding(batch.query_of_triple, queries) * tails).sum(dim=1)  # (B,)
    triples_of_query = torch.bincount(batch.query_of_triple, minlength=len(heads))
    shared = normalisers + n3 * (cubed_moduli(heads) + cubed_moduli(relations))
    total = (shared * triples_of_query).sum() + (n3 * cubed_moduli(tails) - scores).sum()
    return total / batch.step_triples
