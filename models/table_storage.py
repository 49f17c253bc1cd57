"""Where tables of vectors lie while they are trained: in memory, or in files that are mapped into it.

A step that reads rows touches the pages of those rows alone, and what hasn't been touched of late goes
back to the disk, so tables may be larger than memory. Both kinds hold the same numbers.

When it fails: a step that goes through a whole table (1-vs-all, dense optimisers) reads and writes all of
the disk's copy each time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from mmap import MADV_RANDOM, mmap
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor


class TableStorage(Protocol):
    """Gives tables of float32, each by a name of its own."""

    def zeros(self, name: str, shape: torch.Size | tuple[int, ...]) -> Tensor:
        """A new table, in place of one that had this name."""

    def copy(self, name: str, table: Tensor) -> Tensor:
        """A copy, over the one that had this name."""


class InMemory:
    """Tables as torch has them."""

    def zeros(self, name: str, shape: torch.Size | tuple[int, ...]) -> Tensor:
        return torch.zeros(shape)

    def copy(self, name: str, table: Tensor) -> Tensor:
        return table.detach().clone()


@dataclass(frozen=True)
class InFiles:
    """A file a table, in a folder that exists; they are nobody's once the process ends."""

    folder: Path

    def zeros(self, name: str, shape: torch.Size | tuple[int, ...]) -> Tensor:
        self._path(name).unlink(missing_ok=True)  # whoever still has the old one keeps it
        return self._mapped(name, shape)

    def copy(self, name: str, table: Tensor) -> Tensor:
        return self._mapped(name, table.shape).copy_(table.detach())

    def _mapped(self, name: str, shape: torch.Size | tuple[int, ...]) -> Tensor:
        size = math.prod(shape)
        if not size:
            return torch.zeros(shape)  # an empty file can't be mapped
        with self._path(name).open("a+b") as file:
            file.truncate(4 * size)  # what is new of it is zeros, without blocks on the disk
            mapped = mmap(file.fileno(), 4 * size)
        # Rows are read here and there: to read on from each would push out others that are wanted.
        mapped.madvise(MADV_RANDOM)
        return torch.frombuffer(mapped, dtype=torch.float32).view(shape)

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.float32"


IN_MEMORY = InMemory()
