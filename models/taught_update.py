"""How strongly what was taught is felt, between the base (s = 0) and what was trained (s = 1).

    low-rank   W + s · BA
    blocks     W + s · (W' − W) of every weight (WiSE-FT, Wortsman et al. 2022)

Along the way lies a curve of what was learnt against what was forgotten. A model is run at each s as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from peft import PeftModel
from torch import Tensor, nn
from transformers.modeling_utils import PreTrainedModel

from .anchors import AnchorBatch
from .language_model_loss import anchor_divergence
from .taught_weights import TaughtModel


@dataclass(frozen=True)
class TaughtUpdate:
    """What training moves a model by.

    Attributes:
        moved: parameters that the model's weights are linear in.
        origin: their values before training.
    """

    moved: tuple[nn.Parameter, ...]
    origin: tuple[Tensor, ...]


def update_of(taught: TaughtModel) -> TaughtUpdate:
    """Of a model that is about to be trained: the B of every low-rank update, or all weights that are taught."""
    low_rank = isinstance(taught, PeftModel)
    moved = tuple(
        value
        for name, value in taught.named_parameters()
        if (".lora_B." in name if low_rank else value.requires_grad)
    )
    return TaughtUpdate(moved, tuple(value.detach().clone() for value in moved))


@torch.no_grad()
def scale_update(update: TaughtUpdate, scale: float) -> None:
    """Let it be felt by `scale`, for good."""
    for value, origin in zip(update.moved, update.origin, strict=True):
        value.copy_(torch.lerp(origin, value, scale))  # either end to the bit


@contextmanager
def scaled_update(update: TaughtUpdate, scale: float) -> Iterator[None]:
    """Within, it is felt by `scale`; after, it is again what it was to the bit."""
    kept = [value.detach().clone() for value in update.moved]
    scale_update(update, scale)
    try:
        yield
    finally:
        with torch.no_grad():
            for value, own in zip(update.moved, kept, strict=True):
                value.copy_(own)


@torch.no_grad()
def mean_drift(model: PreTrainedModel, texts: Sequence[AnchorBatch]) -> float:
    """KL(base ‖ model) in nats a token, over texts with the base's states."""
    places = [len(batch.base) for batch in texts]
    found = [float(anchor_divergence(model, batch.texts, batch.base)) for batch in texts]
    return sum(n * value for n, value in zip(places, found, strict=True)) / sum(places)
