"""How strongly a trained low-rank update is felt: W + s · BA, 0 ≤ s ≤ 1, and how far that drifts from the base.

Between the base (s = 0) and what was trained (s = 1) lies a curve of what was learnt against what was
forgotten (WiSE-FT, Wortsman et al. 2022, for whole weights). A model is run at each s as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import cast

import torch
from peft import PeftModel
from torch import Tensor, nn
from transformers.modeling_utils import PreTrainedModel

from .anchors import AnchorBatch
from .language_model_loss import anchor_divergence


def _raised(adapted: PeftModel) -> list[nn.Parameter]:
    """The B of every update: it is linear in them."""
    return [value for name, value in adapted.named_parameters() if ".lora_B." in name]


@torch.no_grad()
def scale_update(adapted: PeftModel, scale: float) -> None:
    """Multiply the update that `adapted` holds, for good."""
    for matrix in _raised(adapted):
        matrix.mul_(scale)


@contextmanager
def scaled_update(adapted: PeftModel, scale: float) -> Iterator[None]:
    """Within, the update is felt by `scale`; after, it is again what it was to the bit."""
    kept: list[Tensor] = [matrix.detach().clone() for matrix in _raised(adapted)]
    scale_update(adapted, scale)
    try:
        yield
    finally:
        with torch.no_grad():
            for matrix, own in zip(_raised(adapted), kept, strict=True):
                matrix.copy_(own)


@torch.no_grad()
def mean_drift(adapted: PeftModel, texts: Sequence[AnchorBatch]) -> float:
    """KL(base ‖ adapted) in nats a token, over texts with the base's states."""
    model = cast(PreTrainedModel, adapted.get_base_model())
    places = [len(batch.base) for batch in texts]
    found = [float(anchor_divergence(model, batch.texts, batch.base)) for batch in texts]
    return sum(n * value for n, value in zip(places, found, strict=True)) / sum(places)
