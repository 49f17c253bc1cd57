"""What makes a model write a token, in the space of its blocks' states.

A causal model's output embedding reads the states as they are, and its row e_x is what raises token x.
A masked model's head turns them first (BERT's dense layer, gelu and norm), x = t(h): what raises the
token there is

    Jᵀ e_x        J = mean of ∂t/∂h over states drawn from N(0, 1)

Without it a label that is copied into the states is scrambled by the head: attention fusion on a random
BERT ends at a loss of 4.42, with it at 2.97, and 2.51 as far as the head needs (`writing_reach`;
tests/models/test_masked_learning.py).
"""

from __future__ import annotations

from contextvars import Context
from weakref import WeakKeyDictionary

import torch
from torch import Tensor
from transformers.modeling_utils import PreTrainedModel

from .language_model import kind_of
from .partial_passes import head_reading

STATES = 64  # that the mean is taken over

# How much further a masked model's states have to go to write a token. A random token, added at a tenth
# of a state's length, is SmolLM2's likeliest; MiniLM with its head (`masked_head`) needs the whole length
# (its probability is then 0.8 in the median; at a third of the length 0.0). Gates begin at zero: without
# this, attention fusion ends at a loss of 6.2 there, at 1e-2 as at 3e-3 and with twice the steps; with it at
# 2.1 (HPO's practice questions, 3 epochs).
MASKED_REACH = 10.0
_known: WeakKeyDictionary[PreTrainedModel, Tensor] = WeakKeyDictionary()


def written_tokens(model: PreTrainedModel, tokens: Tensor) -> Tensor:
    """(…, D) for (…) token ids: what each adds to a final state to be written.

    The first call looks at the head, which it can't do within a pass: a fused model makes it in time.

    Args:
        model: frozen.
        tokens: ids.
    """
    rows: Tensor = model.get_output_embeddings().weight[tokens]
    if kind_of(model) == "causal":
        return rows
    if model not in _known:
        # In a context of its own: the head is run beside whatever session is open.
        _known[model] = Context().run(_mean_jacobian, model)
    return rows @ _known[model]


def writing_reach(model: PreTrainedModel) -> float:
    """By what a token's direction is multiplied, so that gates of one size write in either kind of model."""
    return 1.0 if kind_of(model) == "causal" else MASKED_REACH


def _mean_jacobian(model: PreTrainedModel) -> Tensor:
    """(E, D) of what the output embedding reads by the final states, in the model's own precision."""
    width = model.config.hidden_size
    states = torch.randn(STATES, width, generator=torch.Generator().manual_seed(0))

    def read(change: Tensor) -> Tensor:
        return head_reading(model, (states + change).to(model.dtype)).float().mean(dim=0)

    with torch.inference_mode(False), torch.enable_grad():
        found: Tensor = torch.autograd.functional.jacobian(read, torch.zeros(width))
    return found.detach().to(model.dtype)
