"""1-vs-all cross-entropy: the answer of each query competes with every entity.

    loss = mean over triples  -log softmax(scores(h, r, .))[t]  +  weight * regulariser(h, r, t)

Optionally the relation of (h, ?, t) competes with all relations too (Chen et al. 2021), which costs next
to nothing where relations are few.

Cost: a matrix product of Q queries with E entities and two more for the gradients. The normaliser and its
gradients are made together, so that no Q x E table is kept and each score's exponential is taken once.
In bfloat16 the products are several times faster where the processor has instructions for them; tables,
sums and slopes stay float32.

When it fails: with millions of entities a step takes seconds; negatives must then be sampled.

Papers: Lacroix et al. 2018. Ruffinelli et al. 2020, "You CAN teach an old dog new tricks!", ICLR (1-vs-all
and cross-entropy are what makes ComplEx strong). Chen et al. 2021, "Relation prediction as an auxiliary
training objective for improving multi-relational graph representations", AKBC.

Shapes: B triples of a batch, Q distinct queries of a batch, E entities, R relations, d numbers a vector.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from .embedding_base import EmbeddingModel, ProductModel
from .embedding_regularisers import REGULARISERS, triple_moduli
from .embedding_settings import EmbeddingSettings
from .table_reading import read_table
from .triple_batches import TripleBatch

SCORES_AT_ONCE = 1 << 24  # of queries and entities: twice 64 MiB in float32


def one_vs_all_loss(
    model: EmbeddingModel, batch: TripleBatch, settings: EmbeddingSettings
) -> Tensor:
    """Mean over the batch's triples in nats; over the step's, where the batch is a part of it."""
    rows, table = read_table(model.entity, torch.cat((batch.heads, batch.tails)))
    heads, tails = rows.split((len(batch.heads), len(batch.tails)))
    relations = model.relations(batch.relations)
    queries = model.queries(heads, relations)
    count = torch.bincount(batch.query_of_triple, minlength=len(heads)) / batch.step_triples
    if isinstance(model, ProductModel):
        precision = getattr(torch, settings.precision)
        total = _ProductNormalisers.apply(queries, table, count, precision)
    else:
        total = torch.logsumexp(model.scores(queries, table), dim=1) @ count
    own = model.paired_scores(F.embedding(batch.query_of_triple, queries), tails)
    total = total - own.sum() / batch.step_triples
    if settings.regulariser != "none":
        moduli = triple_moduli(model, heads, relations, tails, batch.query_of_triple)
        terms = REGULARISERS[settings.regulariser](moduli)
        mean = terms.query @ count + terms.triple.sum() / batch.step_triples
        total = total + settings.regularisation * mean
    if settings.relation_weight and isinstance(model, ProductModel):
        scores = model.relation_scores(F.embedding(batch.query_of_triple, heads), tails)
        asked = batch.relations[batch.query_of_triple]
        wrong = F.cross_entropy(scores, asked, reduction="sum") / batch.step_triples
        total = total + settings.relation_weight * wrong
    return total


class _ProductNormalisers(torch.autograd.Function):
    """sum_q w_q log sum_e exp(q·t_e), its slopes made in the same pass: p = softmax(q·t) is both.

    d/dq = w_q sum_e p_qe t_e        d/dt_e = sum_q w_q p_qe q
    """

    @staticmethod
    def forward(  # type: ignore[override]
        context: Any, queries: Tensor, table: Tensor, weights: Tensor, precision: torch.dtype
    ) -> Tensor:
        rounded = table.to(precision)
        values, query_slopes, table_slope = [], [], None
        size = max(1, SCORES_AT_ONCE // len(table))
        for part, weight in zip(queries.split(size), weights.split(size), strict=True):
            scores = part.to(precision) @ rounded.T
            likely = scores.softmax(dim=1)
            # The best one's share tells the sum that it is a share of.
            values.append(scores.amax(dim=1).float() - likely.amax(dim=1).float().log())
            query_slopes.append(weight[:, None] * (likely @ rounded))
            slope = likely.T @ (weight[:, None] * part).to(precision)
            table_slope = slope.float() if table_slope is None else table_slope.add_(slope)
        context.save_for_backward(torch.cat(query_slopes), table_slope)
        return weights @ torch.cat(values)

    @staticmethod
    def backward(context: Any, slope: Tensor) -> tuple[Tensor, Tensor, None, None]:  # type: ignore[override]
        query_slope, table_slope = context.saved_tensors
        if slope != 1:
            query_slope, table_slope = slope * query_slope, slope * table_slope
        return query_slope, table_slope, None, None
