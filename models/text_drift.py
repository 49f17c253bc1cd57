"""What an arm does to general text: perplexity, and divergence from the base."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers.modeling_utils import PreTrainedModel

from .option_scoring import PLACES_AT_ONCE, TreeStates
from .read_out import ReadOut, next_token_log_probabilities


@dataclass(frozen=True)
class TextDrift:
    """Over all predicted tokens of a text.

    Attributes:
        perplexity: exp of the mean negative log-likelihood.
        divergence: mean KL(base ‖ arm) of the next-token distributions, in nats.
        tokens: how many.
    """

    perplexity: float
    divergence: float
    tokens: int


@torch.inference_mode()
def text_drift(
    model: PreTrainedModel, states: TreeStates, base_hidden: Tensor, read_out: ReadOut
) -> TextDrift:
    """Measure an arm on texts that were run through `model` as one-option trees.

    Args:
        model: the arm's model; its output embedding is the base's.
        states: its states on the texts.
        base_hidden: (P, D) the base's final hidden states at the same places.
        read_out: the arm's.
    """
    loss = divergence = 0.0
    count = len(states.scored_row)
    for start in range(0, len(states.positions), PLACES_AT_ONCE):
        stop = min(start + PLACES_AT_ONCE, len(states.positions))
        chosen = ((states.scored_row >= start) & (states.scored_row < stop)).nonzero().squeeze(1)
        rows = states.scored_row[chosen] - start
        places = states.positions.select(slice(start, stop))
        table = read_out(places, next_token_log_probabilities(model, places.hidden))
        base = next_token_log_probabilities(model, base_hidden[start:stop])
        loss -= table[rows, states.scored_token[chosen]].sum().item()
        divergence += (base.exp() * (base - table)).sum(dim=1)[rows].sum().item()
    return TextDrift(math.exp(loss / count), divergence / count, count)
