"""Processes that compute each training step's gradient together: a main one and its followers.

Whoever launches them (`accelerate launch`, torchrun) gives each its number in the environment. They
speak over gloo, torch's way between processors. What joins them are connections: when the main process
ends, however it ends, they close, and a follower that waits for its next word learns of it at once.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any, ParamSpec, TypeVar

import numpy as np
import torch
from accelerate import PartialState
from torch import Tensor, distributed

from ..errors import UserError

# A stage may work for hours before it trains; that a process has ended is told by its connection.
PATIENCE = timedelta(days=365)
Word = dict[str, Any]  # what JSON can hold
Arguments = ParamSpec("Arguments")
ResultT = TypeVar("ResultT")


class ConnectionLostError(UserError):
    """Another process of the team has ended."""

    def __init__(self) -> None:
        super().__init__(
            "another process of this run has ended",
            "",
            "If it said why, that stands above. Run again: training goes on from its last checkpoint.",
        )


class UnsharedMistakeError(UserError):
    """A follower's mistake within training: the main process waits for it there and doesn't know."""


class TrainingOver(BaseException):
    """The main process trains no more in this stage: a follower has nothing more to do in it."""


def _told_when_lost(call: Callable[Arguments, ResultT]) -> Callable[Arguments, ResultT]:
    def attempt(*args: Arguments.args, **kwargs: Arguments.kwargs) -> ResultT:
        try:
            return call(*args, **kwargs)
        except RuntimeError as error:  # all that gloo raises
            raise ConnectionLostError from error

    return attempt


class Team:
    """This process among those of the team.

    Args:
        number: 0 is the main process, the others follow.
        count: of processes.
        group: of all of them.
    """

    def __init__(self, number: int, count: int, group: distributed.ProcessGroup) -> None:
        self.number = number
        self.count = count
        self.group = group
        self._heard: Word | None = None

    @property
    def follows(self) -> bool:
        return self.number > 0

    def tell(self, word: Word) -> None:
        """Of the main process: what the followers hear next.

        Raises:
            ConnectionLostError: as all that follow.
        """
        text = torch.from_numpy(np.frombuffer(json.dumps(word).encode(), dtype=np.uint8).copy())
        self.spread(torch.tensor([len(text)]))
        self.spread(text)

    def hear(self) -> Word:
        """Of a follower: the main process's next word, waited for."""
        word, self._heard = self.next_word(), None
        return word

    def next_word(self) -> Word:
        """The same, which is then still to be heard."""
        if self._heard is None:
            length = torch.tensor([0])
            self.spread(length)
            text = torch.empty(int(length), dtype=torch.uint8)
            self.spread(text)
            self._heard = json.loads(text.numpy().tobytes())
        return self._heard

    def spread(self, values: Tensor) -> None:
        """Have the main process's values everywhere, in place."""
        _told_when_lost(distributed.broadcast)(values, 0, self.group)

    def add_up(self, values: Tensor) -> None:
        """Have the sum of all processes' values in the main one, in place; elsewhere they mean nothing."""
        _told_when_lost(distributed.reduce)(values, 0, group=self.group)


def join_team() -> Team:
    """Meet the other processes that were launched with this one.

    Raises:
        ConnectionLostError: they didn't come within torch's half an hour, or ended.
    """
    state = _told_when_lost(PartialState)(cpu=True, backend="gloo")
    group = _told_when_lost(distributed.new_group)(timeout=PATIENCE, backend="gloo")
    return Team(state.process_index, state.num_processes, group)
