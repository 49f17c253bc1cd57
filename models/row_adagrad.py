"""Adagrad that touches only the rows that a step has read.

    sum += g²        weight -= rate * g / (sqrt(sum) + 1e-10)        element by element

A row without a gradient stays what it is, so with a sparse gradient (rows and their values) a step costs
what its rows cost, however long the table; the result is dense Adagrad's. A dense gradient is gone
through in blocks that stay near the processor.

When it fails: sums only grow, so a row that is read often learns ever less.

Paper: Duchi, Hazan, Singer 2011, "Adaptive subgradient methods for online learning and stochastic
optimization", JMLR.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

from .table_storage import IN_MEMORY, TableStorage

LEAST_ROOT = 1e-10  # beside the root in the denominator, as torch has it
BLOCK = 1 << 18  # numbers: the three arrays of a block are 3 MiB


class RowAdagrad(torch.optim.Optimizer):
    """Adagrad over tables of vectors.

    Args:
        parameters: dense ones, whose gradients are dense or sparse in their first dimension.
        rate: learning rate; the group's "lr" is read at each step.
        storage: where the sums lie.
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        rate: float,
        storage: TableStorage = IN_MEMORY,
    ) -> None:
        super().__init__(parameters, {"lr": rate})
        for group in self.param_groups:
            for number, weight in enumerate(group["params"]):
                self.state[weight]["sum"] = storage.zeros(f"sum-{number}", weight.shape)

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        """Take one step; there is no closure."""
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                take = _row_step if weight.grad.is_sparse else _dense_step
                take(weight, weight.grad, self.state[weight]["sum"], group["lr"])


def _row_step(weight: Tensor, gradient: Tensor, total: Tensor, rate: float) -> None:
    joined = gradient.coalesce()  # a row that was read twice is there twice
    rows, values = joined.indices().squeeze(0), joined.values()
    sums = total.index_select(0, rows).addcmul_(values, values)
    total.index_copy_(0, rows, sums)
    weight.index_add_(0, rows, values.div_(sums.sqrt_().add_(LEAST_ROOT)), alpha=-rate)


def _dense_step(weight: Tensor, gradient: Tensor, total: Tensor, rate: float) -> None:
    flat = (each.view(-1).split(BLOCK) for each in (weight, gradient.contiguous(), total))
    for block, slope, sums in zip(*flat, strict=True):
        sums.addcmul_(slope, slope)
        block.addcdiv_(slope, sums.sqrt().add_(LEAST_ROOT), value=-rate)
