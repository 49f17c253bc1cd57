"""From final hidden states to next-token log-probabilities: the one seam between a model and its arms.

An arm that changes only the top of a frozen model (late fusion, its controls) shares the hidden
states of the base and differs in the read-out alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from transformers.modeling_utils import PreTrainedModel


@dataclass(frozen=True)
class Positions:
    """Places of a text whose next token is predicted. Shapes: N places, D hidden width.

    Attributes:
        hidden: (N, D) final hidden states, after the last norm.
        current: (N,) token id at each place.
        previous: (N,) token id before it; -1 at the start of a text.
        request: (N,) number of the question that each place belongs to.
    """

    hidden: Tensor
    current: Tensor
    previous: Tensor
    request: Tensor

    def __len__(self) -> int:
        return len(self.current)

    def select(self, rows: Tensor | slice) -> Positions:
        """The places at `rows`."""
        return Positions(
            self.hidden[rows], self.current[rows], self.previous[rows], self.request[rows]
        )


class ReadOut(Protocol):
    """What turns a place and the model's own distribution into an arm's distribution."""

    def __call__(self, positions: Positions, own: Tensor) -> Tensor:
        """(N, V) natural-log probabilities of the next token at each place.

        Args:
            positions: N places.
            own: (N, V) log-probabilities of the unchanged model; must not be written to.
        """
        ...


def own_read_out(positions: Positions, own: Tensor) -> Tensor:
    """The model's own distribution: the arm that adds nothing."""
    return own


def next_token_log_probabilities(model: PreTrainedModel, hidden: Tensor) -> Tensor:
    """(N, V) log-softmax of the model's output embedding over (N, D) final hidden states."""
    head = model.get_output_embeddings()
    logits = head(hidden.to(head.weight.dtype)).float()
    return torch.log_softmax(_scaled(model, logits), dim=-1)


def _scaled(model: PreTrainedModel, logits: Tensor) -> Tensor:
    """What some families do to the logits: Gemma 2 and 3 cap them, Cohere and Granite scale them."""
    config = model.config.get_text_config()
    cap = getattr(config, "final_logit_softcapping", None)
    if cap is not None:
        return cap * torch.tanh(logits / cap)
    if config.model_type.startswith("cohere"):
        return logits * config.logit_scale
    if config.model_type.startswith("granite"):
        return logits / config.logits_scaling
    return logits
