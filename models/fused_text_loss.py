"""What a fused model is trained on: the answers that its facts give, and nothing else changed.

loss = mean over places of   −log p(target)       where the memory tells what is asked
                             KL(base ‖ fused)      where it doesn't
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


def practice_loss(model: FusedModel, batch: PracticeBatch) -> Tensor:
    """The loss above on one batch."""
    base = model.base
    below = nullcontext() if batch.bottom is None else from_block(base, batch.bottom)
    with model.session(batch.memory, batch.read_from), below:
        logits = _logits(base, batch)
    losses = functional.cross_entropy(logits, batch.targets, reduction="none")
    untaught = ~batch.taught
    if untaught.any():
        with torch.no_grad():
            reference = next_token_log_probabilities(base, batch.base[untaught])
        predicted = logits[untaught].log_softmax(-1)
        divergence = functional.kl_div(predicted, reference, reduction="none", log_target=True)
        losses = losses.masked_scatter(untaught, divergence.sum(-1))
    return losses.mean()


def _logits(base: PreTrainedModel, batch: PracticeBatch) -> Tensor:
    """(N, V) at the predicted places."""
    if batch.begun is None:
        return logits_at_places(base, batch.tokens, batch.mask, batch.at)
    return logits_after(base, batch.begun, batch.tokens, batch.mask, batch.at)
