"""What outlives a training while it runs: its progress, in checkpoints, and its best weights."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic, TypeVar

import torch
from torch import nn

from ..errors import UserError
from .table_storage import TableStorage
from .training_checkpoint import Progress, load_checkpoint, save_checkpoint
from .validation import Validation, best

ModelT = TypeVar("ModelT", bound=nn.Module)


@dataclass(frozen=True)
class Kept(Generic[ModelT]):
    """What is kept of a training, where and when.

    Attributes:
        model: that is trained.
        trained: its parameters that are.
        optimizer: of them.
        checkpoint: file to continue from when it exists, and to write to.
        checkpoint_steps: steps between checkpoints.
        total: steps of all epochs.
        learning_rate: its peak, for what is said of a training that diverges.
        validation: by which the best weights are kept; None: the last are.
        storage: where the best weights lie.
    """

    model: ModelT
    trained: dict[str, nn.Parameter]
    optimizer: torch.optim.Optimizer
    checkpoint: Path
    checkpoint_steps: int
    total: int
    learning_rate: float
    validation: Validation[ModelT] | None
    storage: TableStorage


class KeptProgress(Generic[ModelT]):
    """The progress of one training, from its checkpoint on.

    Attributes:
        done: so far.
        kept_steps: of the last checkpoint; 0 where there is none.
    """

    def __init__(self, kept: Kept[ModelT]) -> None:
        self._kept = kept
        self.done = load_checkpoint(kept.checkpoint, kept.trained, kept.optimizer)
        self.kept_steps = self.done.steps

    @property
    def over(self) -> bool:
        """Whether validation has ended it before its last epoch."""
        validation = self._kept.validation
        return validation is not None and validation.over(self.done.validation)

    def count(self, value: float, epoch: int, epoch_steps: int) -> None:
        """Take note of a step's loss; epochs count from 1.

        Raises:
            UserError: it is no number.
        """
        if not math.isfinite(value):
            raise self._diverged("the loss is no number", self.done.steps + 1)
        losses = [*self.done.losses, *[0.0] * (epoch - len(self.done.losses))]
        losses[epoch - 1] += value / epoch_steps
        self.done = replace(self.done, steps=self.done.steps + 1, losses=tuple(losses))

    def keep_if_due(self) -> None:
        """Behind a step within an epoch.

        Raises:
            UserError: a weight is no number; the last checkpoint stays what it was.
        """
        if self.done.steps % self._kept.checkpoint_steps == 0:
            self._check_weights()
            self._save()

    def end_epoch(self, epoch: int, epochs: int) -> None:
        """Validate and keep, where either is due.

        Raises:
            UserError: as `keep_if_due`.
        """
        validation = self._kept.validation
        if validation is not None and validation.due(epoch, epochs):
            self._check_weights()
            self.done = self._validated(validation, epoch)
        if self.done.steps == self._kept.total or self.over:
            self._check_weights()
            self._save()
        else:
            self.keep_if_due()

    def _validated(self, validation: Validation[ModelT], epoch: int) -> Progress:
        """With this epoch's score, and with the weights where it is the best so far."""
        self._kept.model.eval()
        score = validation.score(self._kept.model)
        self._kept.model.train()
        history = (*self.done.validation, (epoch, score))
        if best(history) != history[-1]:
            return replace(self.done, validation=history)
        copy = self._kept.storage.copy
        weights = {name: copy(f"best-{name}", of) for name, of in self._kept.trained.items()}
        return replace(self.done, validation=history, best=weights)

    def _save(self) -> None:
        kept = self._kept
        save_checkpoint(kept.checkpoint, kept.trained, kept.optimizer, self.done)
        self.kept_steps = self.done.steps

    def _check_weights(self) -> None:
        for value in self._kept.trained.values():
            # In parts: what says of each number of a large table whether it is one is large too.
            parts = value.detach().flatten().split(1 << 24)
            if not all(bool(part.isfinite().all()) for part in parts):
                raise self._diverged("a weight is no number", self.done.steps)

    def _diverged(self, what: str, step: int) -> UserError:
        kept = self.kept_steps
        return UserError(
            f"Training diverged: {what}.",
            f"step {step} of {self._kept.total}, learning rate {self._kept.learning_rate:g} at its peak",
            "Lower the stage's learning_rate; "
            + (f"what step {kept} had come to is kept." if kept else "nothing had been kept yet."),
        )
