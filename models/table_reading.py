"""Some rows of a table and the whole of it, in one reading with one gradient.

Looked up apart, the rows' gradient would be a second table, or a sparse one that is added to a copy of
the first: on 41,000 entities that costs as much as the products themselves.

Shapes: E rows of the table, B rows that are looked up, d numbers a row.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def read_table(table: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
    """Those rows (B, d) and the table (E, d), both of which must be used. (E, d), (B,)."""
    return _TableReading.apply(table, rows)  # type: ignore[no-any-return]


class _TableReading(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, table: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        context.save_for_backward(rows)
        return table.index_select(0, rows), table.view_as(table)

    @staticmethod
    def backward(context: Any, rows_slope: Tensor, table_slope: Tensor) -> tuple[Tensor, None]:  # type: ignore[override]
        (rows,) = context.saved_tensors
        # In place: this table's slope is made for this reading and seen by nothing else.
        return table_slope.contiguous().index_add_(0, rows, rows_slope), None
