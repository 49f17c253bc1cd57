"""Running the training loop inside a stage: progress, checkpoints, the adapter and what it cost."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from peft import PeftModel
from torch import Tensor
from transformers.modeling_utils import PreTrainedModel

from ..models.base_model import choose_training_attention
from ..models.low_rank import trained_parameters
from ..models.training import Curriculum, TrainingSettings, train
from .stages import StageContext

BatchT = TypeVar("BatchT")


def teach(
    context: StageContext,
    adapted: PeftModel,
    curriculum: Curriculum[BatchT],
    loss: Callable[[PreTrainedModel, BatchT], Tensor],
    settings: TrainingSettings,
) -> None:
    """Train the adapters of `adapted` and write adapter/, training.json and log/training.json.

    A run that was cut off goes on from its last checkpoint. The inner model is trained, since the
    wrapper only forwards to it.
    """
    sizes = [
        curriculum.size(batch)
        for epoch in range(settings.epochs)
        for batch in curriculum.epoch(epoch)
    ]
    model: PreTrainedModel = adapted.get_base_model()  # type: ignore[assignment]
    choose_training_attention(model)
    started = time.monotonic()
    with context.console.progress("training", sum(sizes), "tokens") as advance:
        record = train(model, curriculum, loss, settings, context.checkpoint("training"), advance)
    seconds = time.monotonic() - started
    adapted.save_pretrained(str(context.work / "adapter"))
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


def write_json(path: Path, document: object) -> None:
    """Write `document` readably, the same bytes for the same document."""
    path.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n", encoding="utf-8")
