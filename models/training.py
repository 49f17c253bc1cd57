"""The one training loop of the house, on accelerate, parameterised by a loss.

A killed run continues from its last checkpoint to the same bytes: what an epoch holds depends on
(seed, epoch) alone, and a checkpoint keeps weights, optimiser state, step and the processor's random
state. Checkpoints are safetensors, written beside and renamed into place.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic, Literal, TypeVar

import torch
from accelerate import Accelerator
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from ..errors import UserError
from .process_team import Team
from .shared_steps import Part, SharedSteps, follow_steps

BatchT = TypeVar("BatchT")
ModelT = TypeVar("ModelT", bound=nn.Module)


@dataclass(frozen=True)
class TrainingSettings:
    """How long and how fast to train.

    Attributes:
        learning_rate: peak.
        epochs: passes over the batches.
        optimizer: AdamW for networks; Adagrad for tables of vectors, of which a step reads few rows.
        schedule: "cosine" rises linearly, then falls as a cosine to 0; "constant" stays at the peak.
        warmup: share of all steps over which the cosine schedule rises.
        weight_decay: the optimiser's.
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
    """What a run did: steps taken, units seen, and the mean loss of each epoch."""

    steps: int
    units: int
    losses: tuple[float, ...]


def train(
    model: ModelT,
    curriculum: Curriculum[BatchT],
    loss: Callable[[ModelT, BatchT], Tensor],
    settings: TrainingSettings,
    checkpoint: Path,
    advance: Callable[[int], None],
    team: Team | None = None,
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

    Returns:
        What was done; in a follower, without the losses.

    Raises:
        UserError: training diverges, and the last checkpoint is kept as it was; or a process has ended.
        TrainingOver: in a follower, see `follow_steps`.
    """
    trained = {name: value for name, value in model.named_parameters() if value.requires_grad}
    shared = None if team is None else _shared(team, trained, curriculum, loss)
    if shared is not None and shared.team.follows:
        return _follow(shared, model, curriculum, settings)
    optimizer = _optimizer(trained.values(), settings)
    done = _restore(checkpoint, trained, optimizer)
    epochs = [curriculum.epoch(number) for number in range(settings.epochs)]
    total = sum(len(batches) for batches in epochs)
    if shared is not None:
        shared.begin([curriculum.size(batch) for each in epochs for batch in each], done.steps)
    take_step = _steps(model, trained, optimizer, loss, settings, shared)
    losses = list(done.losses)
    step = 0
    for number, batches in enumerate(epochs):
        for batch in batches:
            step += 1
            if step > done.steps:
                value = take_step(batch, settings.learning_rate * _rate(step - 1, total, settings))
                if not math.isfinite(value):
                    raise _diverged("the loss is no number", step, total, done, settings)
                losses = _add_loss(losses, number, value / len(batches))
                saved = step % settings.checkpoint_steps == 0 or step == total
                if saved and not all(each.isfinite().all() for each in trained.values()):
                    raise _diverged("a weight is no number", step, total, done, settings)
                done = replace(done, steps=step, losses=tuple(losses))
                if saved:
                    _save(checkpoint, trained, optimizer, done)
            advance(curriculum.size(batch))
    model.eval()
    units = sum(curriculum.size(batch) for batches in epochs for batch in batches)
    return TrainingRecord(total, units, tuple(losses))


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
    steps = accelerator.prepare_optimizer(optimizer)
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
            steps.step()
            steps.zero_grad()
            if shared is not None:
                shared.spread_weights()
        return value.item()

    return take_step


def _diverged(
    what: str, step: int, total: int, done: TrainingRecord, settings: TrainingSettings
) -> UserError:
    kept = done.steps // settings.checkpoint_steps * settings.checkpoint_steps
    return UserError(
        f"Training diverged: {what}.",
        f"step {step} of {total}, learning rate {settings.learning_rate:g} at its peak",
        "Lower the stage's learning_rate; "
        + (f"what step {kept} had come to is kept." if kept else "nothing had been kept yet."),
    )


def _optimizer(
    trained: Iterable[nn.Parameter], settings: TrainingSettings
) -> torch.optim.Optimizer:
    kind = {"adamw": torch.optim.AdamW, "adagrad": torch.optim.Adagrad}[settings.optimizer]
    return kind(trained, lr=settings.learning_rate, weight_decay=settings.weight_decay)


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


def _save(
    checkpoint: Path,
    trained: dict[str, nn.Parameter],
    optimizer: torch.optim.Optimizer,
    record: TrainingRecord,
) -> None:
    """Write weights, optimiser state and step, then rename into place."""
    tensors = {f"weight/{name}": value.detach() for name, value in trained.items()}
    for index, state in optimizer.state_dict()["state"].items():
        for key, value in state.items():
            tensors[f"optimizer/{index}/{key}"] = torch.as_tensor(value)
    tensors["random/state"] = torch.get_rng_state()  # dropout draws from it
    beside = checkpoint.with_suffix(".writing")
    progress = json.dumps({"steps": record.steps, "losses": record.losses})
    save_file(
        {key: value.contiguous() for key, value in tensors.items()}, beside, {"progress": progress}
    )
    os.replace(beside, checkpoint)


def _restore(
    checkpoint: Path, trained: dict[str, nn.Parameter], optimizer: torch.optim.Optimizer
) -> TrainingRecord:
    """Load a checkpoint into `trained` and `optimizer`; nothing done where there is none."""
    if not checkpoint.exists():
        return TrainingRecord(0, 0, ())
    state: dict[int, dict[str, Tensor]] = {}
    with safe_open(checkpoint, framework="pt") as file:
        progress = json.loads(file.metadata()["progress"])
        for key in file.keys():  # noqa: SIM118  (safe_open is no mapping)
            kind, _, rest = key.partition("/")
            if kind == "weight":
                with torch.no_grad():
                    trained[rest].copy_(file.get_tensor(key))
            elif kind == "random":
                torch.set_rng_state(file.get_tensor(key))
            else:
                index, _, name = rest.partition("/")
                state.setdefault(int(index), {})[name] = file.get_tensor(key)
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": state, "param_groups": groups})
    return TrainingRecord(progress["steps"], 0, tuple(progress["losses"]))
