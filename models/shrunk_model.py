"""A smaller model of the same family: some of a model's blocks, its embeddings and head as they are.

Taken evenly from the bottom to the top, they are where a student begins that is trained to say what the
whole says (DistilBERT, Sanh et al. 2019); alone they say little.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np
from torch import nn
from transformers.modeling_utils import PreTrainedModel

from .transformer_blocks import transformer_blocks


def evenly(count: int, kept: int) -> tuple[int, ...]:
    """Numbers of `kept` of `count` blocks, the last one and, of two or more, the first among them.

    >>> evenly(12, 6)
    (0, 2, 4, 7, 9, 11)
    """
    if kept == 1:
        return (count - 1,)
    return tuple(int(number) for number in np.round(np.linspace(0, count - 1, kept)))


def shrunk_model(model: PreTrainedModel, kept: Sequence[int]) -> PreTrainedModel:
    """A new model of the blocks `kept`, in that order, in evaluation mode.

    Args:
        model: masked or causal; it stays as it is.
        kept: numbers of its blocks, ascending.

    Raises:
        UserError: its blocks aren't found.
        ValueError: `kept` names none of them, or one that isn't there.
    """
    blocks = transformer_blocks(model)
    if not kept or sorted(set(kept)) != list(kept) or kept[-1] >= len(blocks):
        raise ValueError(f"{list(kept)} are no blocks of {len(blocks)} in their order")
    config = copy.deepcopy(model.config)
    text = config.get_text_config()
    # What is told block by block, as kinds of attention.
    for name, value in list(vars(text).items()):
        if isinstance(value, list) and len(value) == len(blocks):
            setattr(text, name, [value[number] for number in kept])
    text.num_hidden_layers = len(kept)
    smaller: PreTrainedModel = type(model)(config)
    nn.Module.to(smaller, model.dtype)
    (prefix,) = [name for name, module in model.named_modules() if module is blocks]
    places = {f"{prefix}.{number}.": f"{prefix}.{place}." for place, number in enumerate(kept)}
    smaller.load_state_dict(
        {
            _renamed(name, prefix, places): value
            for name, value in model.state_dict().items()
            if not name.startswith(f"{prefix}.") or name.startswith(tuple(places))
        }
    )
    return smaller.eval().requires_grad_(False)


def _renamed(name: str, prefix: str, places: dict[str, str]) -> str:
    if not name.startswith(f"{prefix}."):
        return name
    start = name[: name.index(".", len(prefix) + 1) + 1]
    return places[start] + name[len(start) :]
