"""Losses of a language model, masked or causal: weighted cross-entropy, and the anchor that keeps the base.

Output-embedding logits, a fifth of a small model's cost, are computed only where a loss lies.
"""

from __future__ import annotations

from contextlib import nullcontext

import torch
from torch import Tensor
from torch.nn import functional
from transformers.modeling_utils import PreTrainedModel

from .partial_passes import from_block, head_at
from .predicted_texts import PredictedBatch
from .read_out import next_token_log_probabilities


def predicted_logits(model: PreTrainedModel, batch: PredictedBatch) -> Tensor:
    """(N, V) float32 logits at the batch's places; the output embedding sees those alone.

    What is kept of the frozen blocks isn't run again. Of a packed batch the model is told the places
    instead of a mask, from which it sees where a text ends: none attends to another.
    """
    below = nullcontext() if batch.bottom is None else from_block(model, batch.bottom.output())
    with below, head_at(model, batch.at):
        if batch.positions is None:
            output = model(input_ids=batch.tokens, attention_mask=batch.mask)
        else:
            output = model(input_ids=batch.tokens, position_ids=batch.positions, use_cache=False)
    logits: Tensor = output.logits
    return logits.squeeze(0).float()


def weighted_cross_entropy(model: PreTrainedModel, batch: PredictedBatch) -> Tensor:
    """Mean negative log-likelihood of the predicted tokens, Σ w_n · −log p(x_n | text) / Σ w_n.

    The second sum is the whole batch's, also where `batch` is a part of it.
    """
    return weighted_mean(predicted_logits(model, batch), batch)


def weighted_mean(logits: Tensor, batch: PredictedBatch) -> Tensor:
    """The same of (N, V) logits at the batch's places."""
    losses = functional.cross_entropy(logits, batch.targets, reduction="none")
    return (losses * batch.weights).sum() / batch.whole.weights.sum()


def anchor_divergence(model: PreTrainedModel, batch: PredictedBatch, base: Tensor) -> Tensor:
    """Mean KL(base ‖ model), in nats, over the distributions at the batch's places.

    The base's distributions are kept as what its output embedding reads and rebuilt by it: it is frozen
    in both, so that they are exact, and hundreds of times smaller than logits.

    Args:
        model: the model in training; its output embedding is the base's.
        batch: anchor texts; weights and targets don't count. The mean is over the whole's places.
        base: (N, D) what the base's output embedding reads at the N places.
    """
    with torch.no_grad():
        reference = next_token_log_probabilities(model, base)
    predicted = predicted_logits(model, batch).log_softmax(-1)
    divergence = functional.kl_div(predicted, reference, log_target=True, reduction="sum")
    return divergence / len(batch.whole.targets)
