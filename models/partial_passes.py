"""Passes through a part of an unmodified model, where the rest is frozen and known.

The blocks below the first one that anything is added to give the same for a text however long is
trained: they are run once, and training goes on from there. The output embedding is run where a loss
lies alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers.modeling_outputs import BaseModelOutput
from transformers.modeling_utils import PreTrainedModel

from ..errors import UserError
from .transformer_blocks import transformer_blocks


@dataclass(frozen=True)
class BlockOutput:
    """What one block gave. Shapes: B texts, T tokens, D hidden width.

    Attributes:
        layer: the block's number.
        hidden: (B, T, D).
        members: of the tuple that it gives; 0 where it gives a tensor.
    """

    layer: int
    hidden: Tensor
    members: int


@dataclass(frozen=True)
class Places:
    """(N,) rows and places of a batch of texts, at which tokens are predicted."""

    rows: Tensor
    places: Tensor


@torch.no_grad()
def run_once(
    model: PreTrainedModel, layer: int, tokens: Tensor, mask: Tensor, at: Places
) -> tuple[BlockOutput, Tensor]:
    """Run texts once: what block `layer` gave, and the (N, D) states that the output embedding reads at `at`.

    Args:
        model: any language model.
        layer: number of a block.
        tokens, mask: (B, T) ids, padded at the end, and 0 in padding.
        at: N places.
    """
    with _kept_output(model, layer) as found:
        read = states_at(model, tokens, mask, at)
    return found[-1], read


class _ReachedError(Exception):
    """Ends a pass whose rest nobody reads."""


@torch.no_grad()
def run_bottom(model: PreTrainedModel, layer: int, tokens: Tensor, mask: Tensor) -> BlockOutput:
    """What block `layer` gives of (B, T) texts; the blocks behind it aren't run."""

    def stop(module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        raise _ReachedError

    with _kept_output(model, layer) as found:
        handle = transformer_blocks(model)[layer].register_forward_hook(stop)
        try:
            model(input_ids=tokens, attention_mask=mask)
        except _ReachedError:
            pass
        finally:
            handle.remove()
    return found[-1]


@contextmanager
def _kept_output(model: PreTrainedModel, layer: int) -> Iterator[list[BlockOutput]]:
    """Within, what block `layer` gives is kept."""
    found: list[BlockOutput] = []

    def keep(module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        plain = isinstance(output, Tensor)
        hidden, members = (output, 0) if plain else (output[0], len(output))
        found.append(BlockOutput(layer, hidden, members))

    handle = transformer_blocks(model)[layer].register_forward_hook(keep)
    try:
        yield found
    finally:
        handle.remove()


@torch.no_grad()
def states_at(model: PreTrainedModel, tokens: Tensor, mask: Tensor, at: Places) -> Tensor:
    """(N, D) states that the output embedding reads at N places of (B, T) texts."""
    with head_at(model, at) as read:
        model(input_ids=tokens, attention_mask=mask)
    return read[-1][0]


@contextmanager
def from_block(model: PreTrainedModel, bottom: BlockOutput) -> Iterator[None]:
    """Within, a pass begins with what a block gave: that block and those before it rest.

    Hooks behind them are run as ever.
    """

    def give(*args: object, **given: object) -> Any:
        nothing = (None,) * (bottom.members - 1)
        return (bottom.hidden, *nothing) if bottom.members else bottom.hidden

    with ExitStack() as replaced:
        for block in transformer_blocks(model)[: bottom.layer + 1]:
            replaced.enter_context(_forward_of(block, give))
        yield


@contextmanager
def from_states(model: PreTrainedModel, hidden: Tensor) -> Iterator[None]:
    """Within, a pass begins with the (B, T, D) final states of the blocks: the head alone is run."""
    output = BaseModelOutput(last_hidden_state=hidden)
    with _forward_of(model.base_model, lambda *given, **named: output):
        yield


def head_reading(model: PreTrainedModel, hidden: Tensor) -> Tensor:
    """(N, E) what the output embedding reads of (N, D) final states."""
    count = len(hidden)
    at = Places(torch.zeros(count, dtype=torch.long), torch.arange(count))
    with from_states(model, hidden[None]), head_at(model, at) as read:
        model(input_ids=torch.zeros(1, count, dtype=torch.long))
    return read[-1][0]


def logits_at_places(model: PreTrainedModel, tokens: Tensor, mask: Tensor, at: Places) -> Tensor:
    """(N, V) float32 logits at N places of (B, T) texts; the output embedding sees those alone."""
    with head_at(model, at):
        logits: Tensor = model(input_ids=tokens, attention_mask=mask).logits
    return logits.squeeze(0).float()


@contextmanager
def head_at(model: PreTrainedModel, at: Places) -> Iterator[list[Tensor]]:
    """Within, the output embedding reads (1, N, D) of (B, T, D), which is kept.

    Raises:
        UserError: a pass has ended without it, so that nothing was narrowed (MobileBERT uses its weights alone).
    """
    read: list[Tensor] = []

    def narrow(module: nn.Module, given: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        read.append(given[0][at.rows, at.places][None])
        return (read[-1],)

    handle = model.get_output_embeddings().register_forward_pre_hook(narrow)
    try:
        yield read
    finally:
        handle.remove()
    if not read:
        name = type(model).__name__
        raise UserError(
            f"{name} doesn't run its output embedding as a module, which is where its logits are read",
            name,
            "Take a model of another family: `make families` lists those that are tested.",
        )


@contextmanager
def _forward_of(module: nn.Module, forward: Any) -> Iterator[None]:
    """Within, calling the module runs `forward` and the module's hooks."""
    module.forward = forward
    try:
        yield
    finally:
        del module.forward
