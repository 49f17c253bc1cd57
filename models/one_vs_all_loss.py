"""1-vs-all cross-entropy: the answer of each query competes with every entity.

    loss = mean over triples  -log softmax(scores(h, r, .))[t]  +  weight * regulariser(h, r, t)

Optionally the relation of (h, ?, t) competes with all relations too (Chen et al. 2021), which costs next
to nothing where relations are few.

Cost: a matrix product of Q queries with E entities and two more for the gradients. The normaliser and its
gradients are made together, a few megabytes of scores at a time, so that no Q x E table is kept; each
score's exponential is taken once.

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
from .triple_batches import TripleBatch

SCORES_AT_ONCE = (
    1 << 22
)  # 16 MiB of float32: what stays near the processor and is no new page each time


def one_vs_all_loss(
    model: EmbeddingModel, batch: TripleBatch, settings: EmbeddingSettings
) -> Tensor:
    """Mean over the batch's triples in nats; over the step's, where the batch is a part of it."""
    heads, relations = model.entities(batch.heads), model.relations(batch.relations)
    tails = model.entities(batch.tails)
    queries = model.queries(heads, relations)
    count = torch.bincount(batch.query_of_triple, minlength=len(heads)) / batch.step_triples
    if isinstance(model, ProductModel):
        precision = getattr(torch, settings.precision)
        total = _ProductNormalisers.apply(queries, model.entity, count, precision)
    else:
        total = torch.logsumexp(model.scores(queries, model.entity), dim=1) @ count
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
    """sum_q w_q log sum_e exp(q·t_e), its gradients made in the same pass."""

    @staticmethod
    def forward(  # type: ignore[override]
        context: Any, queries: Tensor, table: Tensor, weights: Tensor, precision: torch.dtype
    ) -> Tensor:
        total = torch.zeros(())
        query_slope, table_slope = torch.empty_like(queries), torch.zeros_like(table)
        rounded_queries, rounded_table = queries.to(precision), table.to(precision)
        rows = max(1, SCORES_AT_ONCE // len(table))
        for start in range(0, len(queries), rows):
            part, weight = rounded_queries[start : start + rows], weights[start : start + rows]
            scores = part @ rounded_table.T
            top = scores.amax(dim=1, keepdim=True)
            likely = scores.sub_(top).exp_()
            sums = likely.sum(dim=1, dtype=torch.float32)
            total += weight @ (top.squeeze(1).float() + sums.log())
            likely.mul_((weight / sums).to(precision)[:, None])
            query_slope[start : start + rows] = likely @ rounded_table
            table_slope += likely.T @ part
        context.save_for_backward(query_slope, table_slope)
        return total

    @staticmethod
    def backward(context: Any, slope: Tensor) -> tuple[Tensor, Tensor, None, None]:  # type: ignore[override]
        query_slope, table_slope = context.saved_tensors
        return slope * query_slope, slope * table_slope, None, None
