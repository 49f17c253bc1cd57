"""Losses of a causal language model: weighted cross-entropy, and the anchor that keeps the base.

Output-embedding logits, a fifth of a small model's cost, are computed only where a loss lies.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional
from transformers.modeling_utils import PreTrainedModel

from .token_batches import TokenBatch


def hidden_states(model: PreTrainedModel, batch: TokenBatch) -> Tensor:
    """(B, T, D) final hidden states of a causal language model, plain or with adapters inside."""
    output = model.base_model(input_ids=batch.tokens, attention_mask=batch.mask, use_cache=False)
    return output.last_hidden_state


def output_logits(model: PreTrainedModel, hidden: Tensor) -> Tensor:
    """(N, V) float32 logits over (N, D) hidden states."""
    head = model.get_output_embeddings()
    return head(hidden.to(head.weight.dtype)).float()


def weighted_cross_entropy(model: PreTrainedModel, batch: TokenBatch) -> Tensor:
    """Mean negative log-likelihood of the next token, weighted by `batch.weights`.

    loss = Σ w_t · −log p(x_t | x_<t) / Σ w_t, over tokens whose weight is above 0.
    """
    hidden = hidden_states(model, batch)[:, :-1]
    weights = batch.weights[:, 1:]
    place = weights > 0
    logits = output_logits(model, hidden[place])
    losses = functional.cross_entropy(logits, batch.tokens[:, 1:][place], reduction="none")
    return (losses * weights[place]).sum() / weights[place].sum()


def anchor_divergence(model: PreTrainedModel, batch: TokenBatch, base_hidden: Tensor) -> Tensor:
    """Mean KL(base ‖ model), in nats, over the next-token distributions of `batch`.

    The base's distributions are kept as its final hidden states and rebuilt by the output embedding,
    which is frozen in both: exact, and hundreds of times smaller than logits.

    Args:
        model: the model in training; its output embedding is the base's.
        batch: anchor texts; places whose next token has weight above 0 count.
        base_hidden: (N, D) the base's final hidden states at those places, row by row.
    """
    hidden = hidden_states(model, batch)[:, :-1][batch.weights[:, 1:] > 0]
    with torch.no_grad():
        reference = output_logits(model, base_hidden).log_softmax(-1)
    predicted = output_logits(model, hidden).log_softmax(-1)
    return functional.kl_div(predicted, reference, log_target=True, reduction="batchmean")
