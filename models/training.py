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
    """

    epoch: Callable[[int], Sequence[BatchT]]
    size: Callable[[BatchT], int]


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
) -> TrainingRecord:
    """Train `model`'s parameters that require gradients, in place.

    Args:
        model: any module; frozen parameters are neither trained nor kept in checkpoints.
        curriculum: batches by epoch.
        loss: scalar loss of a batch.
        settings: rates and lengths.
        checkpoint: file to continue from when it exists, and to write to.
        advance: called with the units of each batch, also for those done before a kill.

    Raises:
        UserError: training diverges; the last checkpoint is kept as it was.
    """
    accelerator = Accelerator(cpu=True)  # batches, and what is kept of the frozen base, lie there
    trained = {name: value for name, value in model.named_parameters() if value.requires_grad}
    optimizer = _optimizer(trained.values(), settings)
    done = _restore(checkpoint, trained, optimizer)
    epochs = [curriculum.epoch(number) for number in range(settings.epochs)]
    total = sum(len(batches) for batches in epochs)
    prepared, optimizer = accelerator.prepare(model, optimizer)
    prepared.train()
    losses = list(done.losses)
    step = 0
    for number, batches in enumerate(epochs):
        for batch in batches:
            step += 1
            if step > done.steps:
                for group in optimizer.param_groups:
                    group["lr"] = settings.learning_rate * _rate(step - 1, total, settings)
                value = loss(prepared, batch)
                if not value.isfinite():
                    raise _diverged("the loss is no number", step, total, done, settings)
                accelerator.backward(value)
                if settings.clip_norm is not None:
                    accelerator.clip_grad_norm_(trained.values(), settings.clip_norm)
                optimizer.step()
                optimizer.zero_grad()
                losses = _add_loss(losses, number, value.item() / len(batches))
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
