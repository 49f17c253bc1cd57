"""Running the training loop inside a stage: progress, checkpoints, the adapter and what it cost."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, cast

from peft import PeftModel
from torch import Tensor, nn
from transformers.modeling_utils import PreTrainedModel

from ...models.base_model import choose_training_attention
from ...models.low_rank import trained_parameters
from ...models.training import Curriculum, TrainingSettings, train
from ..stages import StageContext

BatchT = TypeVar("BatchT")
ModelT = TypeVar("ModelT", bound=nn.Module)


def teach(
    context: StageContext,
    adapted: PeftModel,
    trained: ModelT,
    curriculum: Curriculum[BatchT],
    loss: Callable[[ModelT, BatchT], Tensor],
    settings: TrainingSettings,
) -> None:
    """Train what `adapted` added and write adapter/, training.json and log/training.json.

    A run that was cut off goes on from its last checkpoint.

    Args:
        context: of the stage.
        adapted: the model with its adapter, as PEFT saves it.
        trained: what the loss takes: `adapted`, or the model inside where the adapter sits in it.
        curriculum: batches by epoch.
        loss: scalar loss of a batch.
        settings: rates and lengths.
    """
    sizes = [
        curriculum.size(batch)
        for epoch in range(settings.epochs)
        for batch in curriculum.epoch(epoch)
    ]
    choose_training_attention(inner_model(adapted))
    started = time.monotonic()
    with context.console.progress("training", sum(sizes), "tokens") as advance:
        record = train(trained, curriculum, loss, settings, context.checkpoint("training"), advance)
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


def inner_model(adapted: PeftModel) -> PreTrainedModel:
    """The language model that PEFT wrapped, low-rank adapters within."""
    return cast(PreTrainedModel, adapted.get_base_model())


def write_json(path: Path, document: object) -> None:
    """Write `document` readably, the same bytes for the same document."""
    path.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n", encoding="utf-8")
