"""Questions as a model gets them, and its answers."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from .read_out import Positions, ReadOut


@dataclass(frozen=True)
class Posed:
    """A question as a model gets it.

    Attributes:
        prompt: the text that an answer completes after one space.
        options: answers to choose from.
        request: number by which read-outs know the question.
        freely: whether it is also answered without options, where the model can write.
    """

    prompt: str
    options: tuple[str, ...]
    request: int
    freely: bool


@dataclass(frozen=True)
class Answered:
    """One arm's answer to one question.

    Attributes:
        scores: (options,) log-probabilities in nats.
        text: the free answer; None where none was asked for, and of a masked model.
        tokens: of the prompt.
        seconds: its share of the batch's reading and scoring; writing the free answer isn't in it.
    """

    scores: np.ndarray
    text: str | None
    tokens: int
    seconds: float


@dataclass
class TimedReadOut:
    """A read-out that adds up the seconds it takes."""

    read_out: ReadOut
    seconds: float = 0.0

    def __call__(self, positions: Positions, own: Tensor) -> Tensor:
        started = time.monotonic()
        table = self.read_out(positions, own)
        self.seconds += time.monotonic() - started
        return table
