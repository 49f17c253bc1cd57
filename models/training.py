"""The one training loop of the house, on accelerate, parameterised by a loss.

A killed run continues from its last checkpoint to the same bytes: what an epoch holds depends on
(seed, epoch) alone, and a checkpoint keeps weights, optimiser state, step, validations, the best weights
by them and the processor's random state.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic, Literal, TypeVar

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from ..errors import UserError
from .process_team import Team
from .row_adagrad import RowAdagrad
from .shared_steps import Part, SharedSteps, follow_steps
from .training_checkpoint import Progress, load_checkpoint, save_checkpoint
from .validation import History, Validation, best

BatchT = TypeVar("BatchT")
ModelT = TypeVar("ModelT", bound=nn.Module)


@dataclass(frozen=True)
class TrainingSettings:
    """How long and how fast to train.

    Attributes:
        learning_rate: peak.
        epochs: passes over the batches.
        optimizer: AdamW for networks; Adagrad, row by row, for tables of vectors of which a step reads few.
        schedule: "cosine" rises linearly, then falls as a cosine to 0; "constant" stays at the peak.
        warmup: share of all steps over which the cosine schedule rises.
        weight_decay: AdamW's.
        clip_norm: largest gradient norm; none where None.
        checkpoint_steps: steps between checkpoints.
    """

    learning_rate: float
    epochs: int
    optimizer: Literal["adamw", "adagrad"] = "adamw"
    schedule: Literal["cosine", "constant"] = "cosine"
    warmup: float = 0.05
    weight_decay: float = 0.0
    clip_norm: float | None = 1.0
    checkpoint_steps: int = 20


@dataclass(frozen=True)
class Curriculum(Generic[BatchT]):
    """What is trained on.

    Attributes:
        epoch: the batches of an epoch, the same for the same number.
        size: units (tokens, rows) in a batch, for progress.
        part: part k of n of a batch, whose losses add up to the batch's, for several processes; None
            where a batch can't be parted.
    """

    epoch: Callable[[int], Sequence[BatchT]]
    size: Callable[[BatchT], int]
    part: Part[BatchT] | None = None


@dataclass(frozen=True)
class TrainingRecord:
    """What a run did.

    Attributes:
        steps: taken.
        units: seen.
        losses: the mean of each epoch.
        validation: scores, where the run was validated.
    """

    steps: int
    units: int
    losses: tuple[float, ...]
    validation: History = ()


def train(
    model: ModelT,
    curriculum: Curriculum[BatchT],
    loss: Callable[[ModelT, BatchT], Tensor],
    settings: TrainingSettings,
    checkpoint: Path,
    advance: Callable[[int], None],
    team: Team | None = None,
    validation: Validation[ModelT] | None = None,
) -> TrainingRecord:
    """Train `model`'s parameters that require gradients, in place.

    Args:
        model: any module; frozen parameters are neither trained nor kept in checkpoints.
        curriculum: batches by epoch.
        loss: scalar loss of a batch.
        settings: rates and lengths.
        checkpoint: file to continue from when it exists, and to write to.
        advance: called with the units of each batch, also for those done before a kill.
        team: processes that share each step, all of which call this; None: this one alone.
        validation: by which the best weights are kept, and training may stop; None: the last are kept.

    Returns:
        What was done; in a follower, without the losses.

    Raises:
        UserError: training diverges, and the last checkpoint is kept as it was; or a process has ended.
        TrainingOver: in a follower, see `follow_steps`.
    """
    trained = {name: value for name, value in model.named_parameters() if value.requires_grad}
    shared = None if team is None else _shared(team, trained, curriculum, loss)
    if shared is not None and validation is not None and validation.patience:
        raise ValueError("a team trains all epochs: it can't stop early")
    if shared is not None and shared.team.follows:
        return _follow(shared, model, curriculum, settings)
    optimizer = _optimizer(trained.values(), settings)
    done = load_checkpoint(checkpoint, trained, optimizer)
    kept = done.steps
    epochs = [curriculum.epoch(number) for number in range(settings.epochs)]
    total = sum(len(batches) for batches in epochs)
    if shared is not None:
        shared.begin([curriculum.size(batch) for each in epochs for batch in each], done.steps)
    take_step = _steps(model, trained, optimizer, loss, settings, shared)
    step = units = 0
    for number, batches in enumerate(epochs):
        if validation is not None and validation.over(done.validation) and step >= done.steps:
            break
        last = step + len(batches)
        for batch in batches:
            step += 1
            size = curriculum.size(batch)
            if step > done.steps:
                value = take_step(batch, settings.learning_rate * _rate(step - 1, total, settings))
                if not math.isfinite(value):
                    raise _diverged("the loss is no number", step, total, kept, settings)
                losses = _add_loss(list(done.losses), number, value / len(batches))
                done = replace(done, steps=step, losses=tuple(losses))
                validated = (
                    validation is not None
                    and step == last
                    and validation.due(number + 1, settings.epochs)
                )
                saved = step % settings.checkpoint_steps == 0 or step == total
                if (saved or validated) and not _finite(trained):
                    raise _diverged("a weight is no number", step, total, kept, settings)
                if validation is not None and validated:
                    done = _validated(model, trained, validation, number + 1, done)
                    saved = saved or validation.over(done.validation)
                if saved:
                    save_checkpoint(checkpoint, trained, optimizer, done)
                    kept = step
            units += size
            advance(size)
    model.eval()
    if done.best:
        model.load_state_dict(done.best, strict=False)
    return TrainingRecord(step, units, done.losses, done.validation)


def _finite(trained: dict[str, nn.Parameter]) -> bool:
    return all(bool(value.isfinite().all()) for value in trained.values())


def _validated(
    model: ModelT,
    trained: dict[str, nn.Parameter],
    validation: Validation[ModelT],
    epoch: int,
    done: Progress,
) -> Progress:
    """`done` with this epoch's score, and with the weights where it is the best so far."""
    model.eval()
    score = validation.score(model)
    model.train()
    history = (*done.validation, (epoch, score))
    if best(history) != history[-1]:
        return replace(done, validation=history)
    weights = {name: value.detach().clone() for name, value in trained.items()}
    return replace(done, validation=history, best=weights)


def _shared(
    team: Team,
    trained: dict[str, nn.Parameter],
    curriculum: Curriculum[BatchT],
    loss: Callable[[ModelT, BatchT], Tensor],
) -> SharedSteps[ModelT, BatchT]:
    if curriculum.part is None:
        raise ValueError("a team can't share batches that can't be parted")
    return SharedSteps(team, list(trained.values()), curriculum.part, loss)


def _follow(
    shared: SharedSteps[ModelT, BatchT],
    model: ModelT,
    curriculum: Curriculum[BatchT],
    settings: TrainingSettings,
) -> TrainingRecord:
    """Compute this process's part of every step."""
    batches = [batch for number in range(settings.epochs) for batch in curriculum.epoch(number)]
    sizes = [curriculum.size(batch) for batch in batches]
    follow_steps(shared, model, batches, sizes)
    return TrainingRecord(len(batches), sum(sizes), ())


def _steps(
    model: ModelT,
    trained: dict[str, nn.Parameter],
    optimizer: torch.optim.Optimizer,
    loss: Callable[[ModelT, BatchT], Tensor],
    settings: TrainingSettings,
    shared: SharedSteps[ModelT, BatchT] | None,
) -> Callable[[BatchT, float], float]:
    """What takes one step on a batch at a learning rate, and gives its loss; none where that is no number."""
    # On the processor lie the batches and what is kept of the frozen base. The project's precision is in
    # the artifact's key, the launcher's isn't.
    accelerator = Accelerator(cpu=True, mixed_precision="no")
    # Its wrapper for several processes would hide what the losses call of a model.
    prepared: ModelT = accelerator.prepare_model(model, evaluation_mode=True)
    # Its optimiser would look for a package at each step, which is longer than small steps take, and has
    # nothing to add without mixed precision.
    prepared.train()

    def take_step(batch: BatchT, rate: float) -> float:
        for group in optimizer.param_groups:
            group["lr"] = rate
        if shared is None:
            value = loss(prepared, batch)
            if value.isfinite():
                accelerator.backward(value)
        else:
            value = shared.gradient(prepared, batch)
        if value.isfinite():
            if settings.clip_norm is not None:
                accelerator.clip_grad_norm_(trained.values(), settings.clip_norm)
            optimizer.step()
            optimizer.zero_grad()
            if shared is not None:
                shared.spread_weights()
        return value.item()

    return take_step


def _diverged(what: str, step: int, total: int, kept: int, settings: TrainingSettings) -> UserError:
    return UserError(
        f"Training diverged: {what}.",
        f"step {step} of {total}, learning rate {settings.learning_rate:g} at its peak",
        "Lower the stage's learning_rate; "
        + (f"what step {kept} had come to is kept." if kept else "nothing had been kept yet."),
    )


def _optimizer(
    trained: Iterable[nn.Parameter], settings: TrainingSettings
) -> torch.optim.Optimizer:
    if settings.optimizer == "adagrad":
        return RowAdagrad(trained, settings.learning_rate)
    return torch.optim.AdamW(trained, lr=settings.learning_rate, weight_decay=settings.weight_decay)


def _rate(step: int, total: int, settings: TrainingSettings) -> float:
    """Share of the peak learning rate: linear warm-up, then cosine decay (Loshchilov & Hutter 2017)."""
    if settings.schedule == "constant":
        return 1.0
    rising = max(1, round(total * settings.warmup))
    if step < rising:
        return (step + 1) / rising
    return 0.5 * (1 + math.cos(math.pi * (step - rising) / max(1, total - rising)))


def _add_loss(losses: list[float], epoch: int, share: float) -> list[float]:
    """`losses` with `share` added to the epoch's mean."""
    padded = losses + [0.0] * (epoch + 1 - len(losses))
    padded[epoch] += share
    return padded
