"""Running the training loop inside a stage: progress, checkpoints, the adapter and what it cost."""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import torch
from peft import PeftModel
from torch import Tensor, nn

from ...models.base_model import choose_training_attention, load_tokenizer, resolve_precision
from ...models.low_rank import trained_parameters
from ...models.taught_weights import TaughtModel, base_of, save_taught
from ...models.training import Curriculum, TrainingSettings, train
from ..stages import StageContext
from .memory_check import check_memory

BatchT = TypeVar("BatchT")
ModelT = TypeVar("ModelT", bound=nn.Module)
WHOLE_CHECKPOINT_STEPS = 100  # one of whole weights with their moments takes seconds to write


def teach(
    context: StageContext,
    table: str,
    adapted: TaughtModel,
    trained: ModelT,
    curriculum: Curriculum[BatchT],
    loss: Callable[[ModelT, BatchT], Tensor],
    settings: TrainingSettings,
) -> None:
    """Train what `adapted` added and write adapter/, training.json and log/training.json.

    A run that was cut off goes on from its last checkpoint.

    Args:
        context: of the stage.
        table: of the project file, that the settings come from.
        adapted: the model with what is taught.
        trained: what the loss takes: `adapted`, or the model inside where an adapter sits in it.
        curriculum: batches by epoch.
        loss: scalar loss of a batch.
        settings: rates and lengths.

    Raises:
        UserError: there is too little memory, or training diverges.
    """
    if not isinstance(adapted, PeftModel):
        settings = replace(settings, checkpoint_steps=WHOLE_CHECKPOINT_STEPS)
    batches = [batch for epoch in range(settings.epochs) for batch in curriculum.epoch(epoch)]
    choose_training_attention(base_of(adapted))
    check_memory(context, table, trained, batches, curriculum.size, loss)
    tokens = sum(map(curriculum.size, batches))
    started = time.monotonic()
    with context.console.progress("training", tokens, "tokens") as advance:
        record = train(
            trained,
            curriculum,
            loss,
            settings,
            context.checkpoint("training"),
            advance,
            context.team,
        )
    seconds = time.monotonic() - started
    save_taught(adapted, load_tokenizer(context.inputs["base"]), context.work / "adapter")
    write_json(
        context.work / "training.json",
        {
            "steps": record.steps,
            "tokens": record.units,
            "losses": record.losses,
            "trained_parameters": trained_parameters(adapted),
        },
    )
    log = context.work / "log"
    log.mkdir(exist_ok=True)
    write_json(log / "training.json", {"seconds": round(seconds, 2)})
    losses = ", ".join(f"{value:.3f}" for value in record.losses)
    context.console.line(f"{record.units:,} tokens in {record.steps} steps; loss by epoch {losses}")


def taught_precision(context: StageContext) -> torch.dtype:
    """Of the weights; those that are trained themselves have to hold small steps."""
    if context.project.pretrain.taught == "blocks":
        return torch.float32
    return resolve_precision(context.project.model.precision)


def write_json(path: Path, document: object) -> None:
    """Write `document` readably, the same bytes for the same document."""
    path.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n", encoding="utf-8")
