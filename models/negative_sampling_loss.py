"""Negative sampling with self-adversarial weights.

A triple is to score above a threshold and its negatives below it, those most that score highest now:

    loss = mean over triples  ½ ( -log σ(margin + s)  -  sum_i p_i log σ(-margin - s_i) )
    p_i = softmax(temperature * s_i) over the triple's negatives, without a gradient of its own

Drawn tails that are marked as no negatives have no part in either sum.

When it fails: where a query has many true tails that the graph lacks, they are taught to be wrong; few
negatives of many entities are mostly easy ones.

Paper: Sun et al. 2019, "RotatE: Knowledge graph embedding by relational rotation in complex space", ICLR.

Shapes: B triples of a batch, K negatives a triple, P entities of the pool.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from .embedding_base import EmbeddingModel
from .embedding_regularisers import REGULARISERS, triple_moduli
from .embedding_settings import EmbeddingSettings
from .negative_batches import NegativeBatch

FAR_BELOW = -1e30  # a finite score that has no weight beside any other


def negative_sampling_loss(
    model: EmbeddingModel, batch: NegativeBatch, settings: EmbeddingSettings
) -> Tensor:
    """Mean over the batch's triples; over the step's, where the batch is a part of it."""
    heads, relations = model.entities(batch.heads), model.relations(batch.relations)
    tails = model.entities(batch.tails)
    queries = model.queries(heads, relations)
    right = model.paired_scores(queries, tails)
    wrong = model.chosen_scores(queries, model.entities(batch.pool), batch.negatives)
    weights = adversarial_weights(wrong.detach(), batch.true, settings.adversarial_temperature)
    below = (weights * F.logsigmoid(-settings.margin - wrong)).sum(dim=1)
    loss = -0.5 * (F.logsigmoid(settings.margin + right) + below)
    if settings.regulariser != "none":
        own = torch.arange(len(heads))
        moduli = triple_moduli(model, heads, relations, tails, own)
        terms = REGULARISERS[settings.regulariser](moduli)
        loss = loss + settings.regularisation * (terms.query + terms.triple)
    return loss.sum() / batch.step_triples


def adversarial_weights(scores: Tensor, true: Tensor, temperature: float) -> Tensor:
    """p_i of the negatives' scores (B, K), 0 for those that are true (B, K). (B, K)."""
    scaled = (temperature * scores).masked_fill(true, FAR_BELOW)
    return scaled.softmax(dim=1).masked_fill(true, 0.0)
