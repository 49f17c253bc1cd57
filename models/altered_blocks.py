"""Blocks of a Transformer that attend to less than they could, or that are passed by.

Hooks on the unmodified model, taken off when the session ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from transformers.modeling_utils import PreTrainedModel

from .transformer_blocks import transformer_blocks


@contextmanager
def altered_blocks(
    model: PreTrainedModel, blocked: Mapping[int, Tensor], skipped: Mapping[int, Tensor]
) -> Iterator[None]:
    """Within, some rows of a batch attend to less in some layers, or pass some layers by.

    Shapes: B rows, Q places that are run, K places that can be attended to.

    Args:
        model: attends by a (B, 1, Q, K) additive mask.
        blocked: by layer, (B, Q, K) True where a place may not attend to another.
        skipped: by layer, (B, Q) True where the residual stream goes past the block unchanged.

    Raises:
        ValueError: a layer's attention was never given its mask, so that nothing was blocked.
    """
    blocks = transformer_blocks(model)
    reached: set[int] = set()
    handles = []
    for layer, hidden in blocked.items():
        hook = _blocking(layer, hidden, reached)
        handles += [
            child.register_forward_pre_hook(hook, with_kwargs=True)
            for child in blocks[layer].children()
        ]
    for layer, past in skipped.items():
        hook = _skipping(past)
        handles.append(blocks[layer].register_forward_hook(hook, with_kwargs=True))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
    if unreached := set(blocked) - reached:
        raise ValueError(f"the attention of layers {sorted(unreached)} took no mask to block with")


def _blocking(layer: int, hidden: Tensor, reached: set[int]) -> Any:
    def hook(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        mask = kwargs.get("attention_mask")
        if mask is None:
            return None
        reached.add(layer)
        least = torch.finfo(mask.dtype).min
        return args, {**kwargs, "attention_mask": mask.masked_fill(hidden[:, None], least)}

    return hook


def _skipping(past: Tensor) -> Any:
    def hook(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> Any:
        before = args[0] if args else kwargs["hidden_states"]
        after = output[0] if isinstance(output, tuple) else output
        kept = torch.where(past[:, :, None], before, after)
        return (kept, *output[1:]) if isinstance(output, tuple) else kept

    return hook
