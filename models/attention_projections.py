"""Queries, keys and values of a block, found by the names that families give to what makes them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

from ..errors import UserError

APART = (
    ("q_proj", "k_proj", "v_proj"),
    ("query", "key", "value"),
    ("q_lin", "k_lin", "v_lin"),
    ("query_proj", "key_proj", "value_proj"),
)
JOINED = ("c_attn", "Wqkv", "query_key_value")  # one matrix gives all three, one behind another


@contextmanager
def kept_projections(block: nn.Module) -> Iterator[list[Tensor]]:
    """Within, the list holds the (B, T, W) queries, keys and values of the block's last pass.

    Raises:
        UserError: the block's attention isn't made of any known modules.
    """
    found: list[Tensor] = []
    modules = {name.rsplit(".", 1)[-1]: module for name, module in block.named_modules()}

    def keep(place: int, parts: int) -> Any:
        def hook(module: nn.Module, args: tuple[Any, ...], output: Tensor) -> None:
            pieces = output.chunk(parts, dim=-1)
            del found[place:]
            found.extend(pieces)

        return hook

    joined = next((modules[name] for name in JOINED if name in modules), None)
    apart = next((names for names in APART if all(name in modules for name in names)), ())
    if joined is not None:
        handles = [joined.register_forward_hook(keep(0, 3))]
    elif apart:
        handles = [
            modules[name].register_forward_hook(keep(place, 1)) for place, name in enumerate(apart)
        ]
    else:
        raise UserError(
            f"queries, keys and values aren't found in {type(block).__name__}",
            type(block).__name__,
            "Set shrink.relation_weight = 0, which leaves attention relations out.",
        )
    try:
        yield found
    finally:
        for handle in handles:
            handle.remove()
