"""The blocks of a Transformer, found by structure: no family's names are needed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn
from transformers.modeling_utils import PreTrainedModel

from ..errors import UserError


def transformer_blocks(model: PreTrainedModel, name: str = "") -> nn.ModuleList:
    """The model's blocks in order.

    Args:
        model: any language model of Hugging Face.
        name: of the list of blocks within the model, where its structure doesn't tell.

    Raises:
        UserError: there is no such list, or none of as many blocks as the configuration says.
    """
    if name:
        return _named_blocks(model, name)
    count = model.config.get_text_config().num_hidden_layers
    for module in model.modules():
        if isinstance(module, nn.ModuleList) and len(module) == count:
            children = [child for child, _ in module[0].named_children()]
            if any("att" in child for child in children):
                return module
    raise UserError(
        f"no list of {count} blocks with attention is found in {type(model).__name__}",
        type(model).__name__,
        f"name one of its lists: {_lists(model)}",
    )


def top_layers(model: PreTrainedModel) -> tuple[int, ...]:
    """Three blocks in the upper fifth, the last one among them, where all below can be run once."""
    count = len(transformer_blocks(model))
    return tuple(sorted({count * 4 // 5, count * 9 // 10, count - 1}))


def _named_blocks(model: PreTrainedModel, name: str) -> nn.ModuleList:
    module = dict(model.named_modules()).get(name)
    if not isinstance(module, nn.ModuleList):
        raise UserError(
            f"{name!r} is no list of blocks in {type(model).__name__}",
            type(model).__name__,
            f"name one of its lists: {_lists(model)}",
        )
    return module


def _lists(model: PreTrainedModel) -> str:
    found = (name for name, module in model.named_modules() if isinstance(module, nn.ModuleList))
    return ", ".join(found) or "it has none"


def with_hidden(output: Any, change: Callable[[Tensor], Tensor]) -> Any:
    """A block's output with its hidden states changed: a tensor, or a tuple that begins with it."""
    if isinstance(output, Tensor):
        return change(output)
    return (change(output[0]), *output[1:])
