"""What a fused model is trained on: the answers that its facts give, and nothing else changed.

loss = mean over places of
    −(1 − w) · log p(target) + w · KL(prompted ‖ fused)     where the memory tells what is asked
    KL(base ‖ fused)                                        where it doesn't

Prompted is the base with the facts as text before the question: context distillation (Snell et al. 2022)
into an adapter. It knows less than the targets do where the base reads badly.
"""

from __future__ import annotations

from contextlib import nullcontext

import torch
from torch import Tensor
from torch.nn import functional
from transformers.modeling_utils import PreTrainedModel

from .fused_model import FusedModel
from .partial_passes import from_block, logits_at_places
from .practice_batches import PracticeBatch
from .read_out import next_token_log_probabilities
from .text_beginnings import logits_after


def practice_loss(model: FusedModel, batch: PracticeBatch, prompted_weight: float = 0.0) -> Tensor:
    """The loss above on one batch, with w = `prompted_weight`; see `PracticeStates.prompted`.

    The mean is over the places of the step, also where the batch is a part of it.
    """
    base = model.base
    below = nullcontext() if batch.bottom is None else from_block(base, batch.bottom)
    with model.session(batch.memory, batch.read_from), below:
        logits = _logits(base, batch)
    losses = functional.cross_entropy(logits, batch.targets, reduction="none")
    taught, untaught = batch.taught, ~batch.taught
    if prompted_weight and batch.prompted is not None and taught.any():
        divergence = _divergence(base, batch.prompted[taught], logits[taught])
        mixed = (1 - prompted_weight) * losses[taught] + prompted_weight * divergence
        losses = losses.masked_scatter(taught, mixed)
    if untaught.any():
        divergence = _divergence(base, batch.base[untaught], logits[untaught])
        losses = losses.masked_scatter(untaught, divergence)
    return losses.sum() / batch.places


def _divergence(base: PreTrainedModel, read: Tensor, logits: Tensor) -> Tensor:
    """(N,) KL of what the base's head makes of the (N, D) states `read` to the (N, V) logits."""
    with torch.no_grad():
        reference = next_token_log_probabilities(base, read)
    predicted = logits.log_softmax(-1)
    return functional.kl_div(predicted, reference, reduction="none", log_target=True).sum(-1)


def _logits(base: PreTrainedModel, batch: PracticeBatch) -> Tensor:
    """(N, V) at the predicted places."""
    if batch.begun is None:
        return logits_at_places(base, batch.tokens, batch.mask, batch.at)
    return logits_after(base, batch.begun, batch.tokens, batch.mask, batch.at)
