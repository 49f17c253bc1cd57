"""One training's steps, computed by a team of processes: every step is the one that one process takes.

    ∇ loss(batch) = Σ_k ∇ loss(part k of the batch)

as the losses of a batch's parts add up to the batch's own: a part knows the whole that it is of. The main
process adds the gradients up, clips, steps, and sends the weights out again; it alone has the optimiser
and the checkpoints. So there is nothing in the others that could drift or has to be resumed, and as
much is sent as when every process gets the sum. It fails to be the same step where a model draws: dropout draws
other units for a part than for the whole.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import torch
from torch import Tensor, nn

from ..errors import UserError
from .process_team import ConnectionLostError, Team, TrainingOver, UnsharedMistakeError

BatchT = TypeVar("BatchT")
ModelT = TypeVar("ModelT", bound=nn.Module)
# Part k of n; None where the batch has fewer parts.
Part = Callable[[BatchT, int, int], BatchT | None]


@dataclass(frozen=True)
class SharedSteps(Generic[ModelT, BatchT]):
    """How one training's steps are shared.

    Attributes:
        team: that shares them.
        trained: the parameters, in the same order everywhere.
        part: of a batch, for one process.
        loss: of a batch or a part.
    """

    team: Team
    trained: Sequence[nn.Parameter]
    part: Part[BatchT]
    loss: Callable[[ModelT, BatchT], Tensor]

    def begin(self, sizes: Sequence[Sequence[int]], done: int) -> int:
        """Agree on what is trained and from where; the main process's weights are everywhere then.

        Args:
            sizes: units of every step's batch, by epoch.
            done: steps that the main process has done before; a follower's doesn't count.

        Returns:
            Steps done before.

        Raises:
            TrainingOver: in a follower, when the main process trains no more in this stage.
            UnsharedMistakeError: in a follower, when it has prepared other batches.
        """
        prepared = hashlib.sha256(json.dumps(sizes).encode()).hexdigest()
        if not self.team.follows:
            self.team.tell({"training": prepared, "done": done})
        else:
            self.await_training()
            word = self.team.hear()
            done = word["done"]
            if word["training"] != prepared:
                raise UnsharedMistakeError(
                    f"process {self.team.number} has prepared other batches than the main process",
                    "",
                    "Run all of them on machines alike, with the same number of threads.",
                )
        self.spread_weights()
        return done

    def agree(self, over: bool) -> bool:
        """Behind an epoch: whether training is over, as the main process says; a follower's word doesn't count."""
        if self.team.follows:
            return bool(self.team.hear()["over"])
        self.team.tell({"over": over})
        return over

    def await_training(self) -> None:
        """Of a follower: wait until the main process trains; it raises TrainingOver if it doesn't."""
        if "training" not in self.team.next_word():
            raise TrainingOver

    def gradient(self, model: ModelT, batch: BatchT) -> Tensor:
        """Each process's part of the gradient; in the main one, the whole is laid into `.grad`.

        Returns:
            The batch's loss, a scalar; in a follower it means nothing.
        """
        for value in self.trained:
            value.grad = None
        own = self.part(batch, self.team.number, self.team.count)
        loss = torch.zeros(())
        if own is not None:
            loss = self.loss(model, own)
            loss.backward()  # type: ignore[no-untyped-call]
        # What no part has run has no gradient, which isn't one of 0: optimisers leave it alone.
        reached = torch.tensor([float(value.grad is not None) for value in self.trained])
        gradients = [
            torch.zeros(value.numel()) if value.grad is None else _flat(value.grad)
            for value in self.trained
        ]
        joined = torch.cat([loss.detach().float().reshape(1), reached, *gradients])
        self.team.add_up(joined)
        if not self.team.follows:
            self._lay(joined[1:])
        return joined[0]

    def _lay(self, joined: Tensor) -> None:
        reached, gradients = joined[: len(self.trained)], joined[len(self.trained) :]
        parts = gradients.split([value.numel() for value in self.trained])
        for value, there, part in zip(self.trained, reached.tolist(), parts, strict=True):
            value.grad = part.view_as(value).to(value.dtype) if there else None

    @torch.no_grad()
    def spread_weights(self) -> None:
        """Have the main process's weights everywhere."""
        joined = torch.cat([value.float().flatten() for value in self.trained])
        self.team.spread(joined)
        if self.team.follows:
            parts = joined.split([value.numel() for value in self.trained])
            for value, part in zip(self.trained, parts, strict=True):
                value.copy_(part.view_as(value))


def _flat(gradient: Tensor) -> Tensor:
    dense = gradient.to_dense() if gradient.is_sparse else gradient
    return dense.float().flatten()


def follow_steps(
    steps: SharedSteps[ModelT, BatchT],
    model: ModelT,
    epochs: Sequence[Sequence[BatchT]],
    sizes: Sequence[Sequence[int]],
    may_stop: Callable[[int], bool],
) -> None:
    """Of a follower: compute its part of every step that the main process takes.

    Args:
        steps: shared ones.
        model: with the parameters that are trained.
        epochs: the batches of each, in order.
        sizes: units of each batch.
        may_stop: whether the main process says behind an epoch, counted from 1, if training is over.

    Raises:
        TrainingOver: see `SharedSteps.begin`; also behind the last step.
        UnsharedMistakeError: what else goes wrong by the user's mistake.
    """
    model.train()
    try:
        done, step = steps.begin(sizes, 0), 0
        for number, batches in enumerate(epochs, start=1):
            for batch in batches:
                step += 1
                if step > done:
                    # Other draws than the main process's, the same when this step is done again.
                    torch.manual_seed(step * steps.team.count + steps.team.number)
                    steps.gradient(model, batch)
                    steps.spread_weights()
            if step > done and may_stop(number) and steps.agree(over=False):
                break
    except (ConnectionLostError, UnsharedMistakeError):
        raise
    except UserError as error:
        raise UnsharedMistakeError(error.what, error.where, error.fix) from error
    model.eval()
    steps.await_training()
