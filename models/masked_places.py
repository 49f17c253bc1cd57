"""A masked language model run for one place of each row, where every other place is only context.

The output head, more than half of a small encoder's work, sees that place alone. So does the upper
half of the last block, where a block is built as BERT's is: nothing after its attention looks
sideways. Whether that gives the model's own logits is checked once for each model.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from transformers.modeling_utils import PreTrainedModel

from .near_ties import relative_error, tolerance_of

_known: WeakKeyDictionary[PreTrainedModel, bool] = WeakKeyDictionary()


@torch.inference_mode()
def logits_at(
    model: PreTrainedModel, tokens: Tensor, places: Tensor, mask: Tensor | None
) -> Tensor:
    """(B, V) logits at (B,) `places` of (B, T) `tokens`.

    Args:
        model: a masked language model.
        tokens: ids, padded at the end.
        places: one of each row.
        mask: (B, T) 1 for text, 0 for padding; None where there is no padding.
    """
    if model not in _known:
        _known[model] = _narrows_exactly(model)
    return _run(model, tokens, places, mask, _known[model])


def _run(
    model: PreTrainedModel, tokens: Tensor, places: Tensor, mask: Tensor | None, narrow: bool
) -> Tensor:
    with ExitStack() as hooks:
        if narrow and tokens.shape[1] > 1:
            hooks.enter_context(_last_block_narrowed(model, places))
        hooks.enter_context(_head_narrowed(model, places))
        return model(input_ids=tokens, attention_mask=mask).logits[:, 0]


def _narrows_exactly(model: PreTrainedModel) -> bool:
    if _after_attention(model) is None:
        return False
    vocabulary = model.config.vocab_size
    tokens = (torch.arange(24) * 7 % (vocabulary // 2) + vocabulary // 2).reshape(3, 8)
    places = torch.tensor([1, 4, 6])
    own = model(input_ids=tokens).logits[torch.arange(3), places]
    found = _run(model, tokens, places, None, narrow=True)
    error = relative_error(found.double().numpy(), own.double().numpy())
    return error <= tolerance_of(model.dtype)


def _after_attention(model: PreTrainedModel) -> nn.Module | None:
    """The last block's module that takes attention's result and the residual; None without one."""
    lists = [part for part in model.base_model.modules() if isinstance(part, nn.ModuleList)]
    blocks = [part for part in lists if len(part) == model.config.num_hidden_layers]
    if not blocks:
        return None
    last = blocks[-1][-1]
    found = getattr(getattr(last, "attention", None), "output", None)
    built_so = all(hasattr(last, name) for name in ("intermediate", "output"))
    return found if built_so and isinstance(found, nn.Module) else None


@contextmanager
def _last_block_narrowed(model: PreTrainedModel, places: Tensor) -> Iterator[None]:
    """Within, what follows the last attention sees (B, 1, D) of (B, T, D)."""

    def narrow(module: nn.Module, given: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(_at(part, places) for part in given)

    module = _after_attention(model)
    assert module is not None
    handle = module.register_forward_pre_hook(narrow)
    try:
        yield
    finally:
        handle.remove()


@contextmanager
def _head_narrowed(model: PreTrainedModel, places: Tensor) -> Iterator[None]:
    """Within, the model's head sees (B, 1, D) of (B, T, D)."""

    def keep(module: nn.Module, given: object, output: Any) -> Any:  # a tuple or a ModelOutput
        kept = _at(output[0], places)
        if isinstance(output, tuple):
            return (kept, *output[1:])
        output["last_hidden_state"] = kept
        return output

    handle = model.base_model.register_forward_hook(keep)
    try:
        yield
    finally:
        handle.remove()


def _at(hidden: Tensor, places: Tensor) -> Tensor:
    """(B, 1, D) hidden states at `places`; as they are where they have been narrowed already."""
    if hidden.shape[1] == 1:
        return hidden
    return hidden[torch.arange(len(hidden)), places][:, None]
