"""Vectors of complex numbers, stored as real ones: d/2 real parts, then d/2 imaginary parts."""

from __future__ import annotations

import torch
from torch import Tensor


def complex_product(left: Tensor, right: Tensor) -> Tensor:
    """Number by number, (*, d) each. Re(left * conj(right)), summed, is an ordinary dot product."""
    left_real, left_imaginary = left.chunk(2, dim=-1)
    right_real, right_imaginary = right.chunk(2, dim=-1)
    return torch.cat(
        (
            left_real * right_real - left_imaginary * right_imaginary,
            left_real * right_imaginary + left_imaginary * right_real,
        ),
        dim=-1,
    )


def conjugate(vectors: Tensor) -> Tensor:
    """(*, d) -> (*, d)."""
    real, imaginary = vectors.chunk(2, dim=-1)
    return torch.cat((real, -imaginary), dim=-1)


def complex_squared_moduli(vectors: Tensor) -> Tensor:
    """|v_k|² of each number. (*, d) -> (*, d/2)."""
    real, imaginary = vectors.chunk(2, dim=-1)
    return real.square() + imaginary.square()
