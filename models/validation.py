"""Holding a model against facts kept from training while it trains: the best state, and when to stop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from torch import nn

ModelT = TypeVar("ModelT", bound=nn.Module)
History = tuple[tuple[int, float], ...]
"""(epoch, counted from 1; score) of each validation so far."""


@dataclass(frozen=True)
class Validation(Generic[ModelT]):
    """What is measured, and when.

    Attributes:
        score: of the model; higher is better.
        every: epochs between two validations; the last epoch is validated too.
        patience: validations without a better score than the best before it stops; 0: it never does.
    """

    score: Callable[[ModelT], float]
    every: int
    patience: int

    def due(self, epoch: int, epochs: int) -> bool:
        """Behind this epoch, counted from 1."""
        return epoch % self.every == 0 or epoch == epochs

    def over(self, history: History) -> bool:
        """Whether training is to stop."""
        if not self.patience or not history:
            return False
        return len(history) - 1 - history.index(best(history)) >= self.patience


def best(history: History) -> tuple[int, float]:
    """The first of the highest scores."""
    return max(history, key=lambda each: each[1])
