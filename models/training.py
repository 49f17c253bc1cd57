"""The one training loop of the house, on accelerate, parameterised by a loss.

A killed run continues from its last checkpoint to the same bytes: what an epoch holds depends on
(seed, epoch) alone, and a checkpoint keeps weights, optimiser state, step, validations, the best weights
by them and the processor's random state.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Generic, Literal, TypeVar

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from .kept_progress import Kept, KeptProgress
from .process_team import Team
from .row_adagrad import RowAdagrad
from .shared_steps import Part, SharedSteps, follow_steps
from .table_storage import IN_MEMORY, TableStorage
from .validation import History, Validation

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
    storage: TableStorage = IN_MEMORY,
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
        storage: where the best weights lie, and the sums of Adagrad.

    Returns:
        What was done; in a follower, without the losses.

    Raises:
        UserError: training diverges, and the last checkpoint is kept as it was; or a process has ended.
        TrainingOver: in a follower, see `follow_steps`.
    """
    trained = {name: value for name, value in model.named_parameters() if value.requires_grad}
    shared = None if team is None else _shared(team, trained, curriculum, loss)
    epochs = [curriculum.epoch(number) for number in range(settings.epochs)]
    total, may_stop = sum(map(len, epochs)), _asked_to_stop(validation, settings)
    # Batches may be made when they are asked for, so one process alone doesn't go through them for this.
    sizes = [list(map(curriculum.size, batches)) for batches in epochs] if shared else []
    if shared is not None and shared.team.follows:
        follow_steps(shared, model, epochs, sizes, may_stop)
        return TrainingRecord(total, sum(map(sum, sizes)), ())
    optimizer = _optimizer(trained.values(), settings, storage)
    progress = KeptProgress(
        Kept(
            model,
            trained,
            optimizer,
            checkpoint,
            settings.checkpoint_steps,
            total,
            settings.learning_rate,
            validation,
            storage,
        )
    )
    first = progress.done.steps
    if shared is not None:
        shared.begin(sizes, total if progress.over else first)
    take_step = _steps(model, trained, optimizer, loss, settings, shared)
    step = units = 0
    for number, batches in enumerate(epochs, start=1):
        if progress.over and step >= first:
            break
        last = step + len(batches)
        for batch in batches:
            step += 1
            size = curriculum.size(batch)
            if step > first:
                rate = settings.learning_rate * _rate(step - 1, total, settings)
                progress.count(take_step(batch, rate), number, len(batches))
                if step < last:
                    progress.keep_if_due()
                else:
                    progress.end_epoch(number, settings.epochs)
            units += size
            advance(size)
        if shared is not None and last > first and may_stop(number):
            shared.agree(progress.over)
    model.eval()
    if progress.done.best:
        model.load_state_dict(progress.done.best, strict=False)
    return TrainingRecord(step, units, progress.done.losses, progress.done.validation)


def _asked_to_stop(
    validation: Validation[ModelT] | None, settings: TrainingSettings
) -> Callable[[int], bool]:
    """Whether training may be over behind an epoch, counted from 1, so that a team asks."""
    if validation is None or not validation.patience:
        return lambda epoch: False
    return partial(validation.due, epochs=settings.epochs)


def _shared(
    team: Team,
    trained: dict[str, nn.Parameter],
    curriculum: Curriculum[BatchT],
    loss: Callable[[ModelT, BatchT], Tensor],
) -> SharedSteps[ModelT, BatchT]:
    if curriculum.part is None:
        raise ValueError("a team can't share batches that can't be parted")
    return SharedSteps(team, list(trained.values()), curriculum.part, loss)


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


def _optimizer(
    trained: Iterable[nn.Parameter], settings: TrainingSettings, storage: TableStorage
) -> torch.optim.Optimizer:
    if settings.optimizer == "adagrad":
        return RowAdagrad(trained, settings.learning_rate, storage)
    return torch.optim.AdamW(trained, lr=settings.learning_rate, weight_decay=settings.weight_decay)


def _rate(step: int, total: int, settings: TrainingSettings) -> float:
    """Share of the peak learning rate: linear warm-up, then cosine decay (Loshchilov & Hutter 2017)."""
    if settings.schedule == "constant":
        return 1.0
    rising = max(1, round(total * settings.warmup))
    if step < rising:
        return (step + 1) / rising
    return 0.5 * (1 + math.cos(math.pi * (step - rising) / max(1, total - rising)))
