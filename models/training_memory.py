"""How much memory a training step needs: told before the first one, from a pass of the smallest batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import torch
from torch import Tensor, nn

BatchT = TypeVar("BatchT")
ModelT = TypeVar("ModelT", bound=nn.Module)
MOMENTS = 3  # of each trained number: its gradient and AdamW's two means
BESIDE = 1.5  # what a step has to hold to what it keeps for its gradients: measured on SmolLM2, rounded up


def step_bytes(
    model: ModelT,
    batches: Sequence[BatchT],
    size: Callable[[BatchT], int],
    loss: Callable[[ModelT, BatchT], Tensor],
) -> int:
    """About how much the largest batch needs beside the weights.

    Args:
        model: with the parameters that will be trained; its random state is left as it was.
        batches: all that will be trained on, at least one.
        size: tokens of a batch.
        loss: scalar loss of a batch.
    """
    smallest = min(batches, key=size)
    kept = kept_bytes(model, smallest, loss) / size(smallest) * max(map(size, batches))
    trained = sum(
        value.numel() * value.element_size() for value in model.parameters() if value.requires_grad
    )
    return round(BESIDE * kept) + MOMENTS * trained


def kept_bytes(model: ModelT, batch: BatchT, loss: Callable[[ModelT, BatchT], Tensor]) -> int:
    """What a forward pass keeps for its gradients, weights left out; each tensor's memory once."""
    weights = {value.untyped_storage().data_ptr() for value in model.parameters()}
    kept: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    training = model.training
    model.train()
    with torch.random.fork_rng(), torch.autograd.graph.saved_tensors_hooks(pack, lambda x: x):
        value = loss(model, batch)
    total = sum(kept.values())
    del value
    model.train(training)
    return total
