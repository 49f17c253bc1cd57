"""What a forward pass costs here: measured in a second, or estimated from the model's sizes.

    seconds = per_pass × passes + per_token × padded tokens + per_pair × (query, key) pairs

The output head isn't in it: every way of scoring computes it at the same places.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import torch
from scipy.optimize import nnls
from transformers import PretrainedConfig
from transformers.modeling_utils import PreTrainedModel

# Rows and tokens of the timed passes: few, many in short rows, many in one, pairs that tell.
TIMED = ((1, 8), (8, 16), (1, 128), (1, 384))
ROUNDS = 2  # the faster of them counts
CALIBRATION_TOKENS = ROUNDS * sum(rows * length for rows, length in TIMED)
WORTH_MEASURING = 20  # times the calibration's own tokens
# Reading the weights takes as long as computing with them on so many tokens (SmolLM2, 2 cores:
# 16 to 48).
TOKENS_A_PASS = 32


@dataclass(frozen=True)
class PassCosts:
    """Seconds by pass, padded token and attended pair; only their ratios matter to a choice."""

    per_pass: float
    per_token: float
    per_pair: float

    def seconds(self, passes: int, tokens: int, pairs: int) -> float:
        return self.per_pass * passes + self.per_token * tokens + self.per_pair * pairs


def estimated_costs(model: PreTrainedModel) -> PassCosts:
    """From multiplications, as if 10¹¹ a second were done."""
    config: PretrainedConfig = model.config.get_text_config()
    embeddings = {id(part.weight) for part in (model.get_input_embeddings(), _head(model))}
    weights = sum(part.numel() for part in model.parameters() if id(part) not in embeddings)
    token = weights / 1e11
    # A query times a key and a weight times a value, in each layer.
    pair = 2 * config.hidden_size * config.num_hidden_layers / 1e11
    return PassCosts(TOKENS_A_PASS * token, token, pair)


def costs_for(model: PreTrainedModel, tokens: int) -> PassCosts:
    """Measured where so many tokens are to be run that measuring is a small part; else estimated."""
    worth_it = tokens >= WORTH_MEASURING * CALIBRATION_TOKENS
    return measure_costs(model) if worth_it else estimated_costs(model)


def _head(model: PreTrainedModel) -> torch.nn.Module:
    return model.get_output_embeddings() or model.get_input_embeddings()


def measure_costs(model: PreTrainedModel) -> PassCosts:
    """Time passes of several shapes and fit the three costs by non-negative least squares.

    Estimated costs where the times don't allow of a fit.

    Args:
        model: one that can score trees; see `exact_ways`.
    """
    _seconds(model, *TIMED[0])  # a first pass makes room
    rounds = [[_seconds(model, *shape) for shape in TIMED] for _ in range(ROUNDS)]
    seconds = np.min(rounds, axis=0)
    features = np.array([[1, rows * length, rows * length**2] for rows, length in TIMED], float)
    # Relative errors count, so that the short passes have a say.
    found, _ = nnls(features / seconds[:, None], np.ones(len(TIMED)))
    measured = PassCosts(*(float(value) for value in found))
    # A pass or a token that costs nothing: something else ran, and the times mean little.
    disturbed = measured.per_pass == 0 or measured.per_token == 0
    return estimated_costs(model) if disturbed else measured


@torch.inference_mode()
def _seconds(model: PreTrainedModel, rows: int, length: int) -> float:
    """Of a pass as trees are run: with a mask over pairs, which makes a pair dearer."""
    vocabulary = model.config.get_text_config().vocab_size
    tokens = torch.arange(rows * length).reshape(rows, length) % vocabulary
    seen = torch.ones(length, length, dtype=torch.bool).tril()
    mask = torch.zeros(rows, 1, length, length, dtype=model.dtype)
    mask.masked_fill_(~seen, torch.finfo(model.dtype).min)
    positions = torch.arange(length).expand(rows, -1)
    started = time.perf_counter()
    model.base_model(input_ids=tokens, attention_mask=mask, position_ids=positions, use_cache=False)
    return time.perf_counter() - started
