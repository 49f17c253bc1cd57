"""What of a model is taught: low-rank updates beside its weights, or the weights of its upper blocks.

    low-rank   a PEFT adapter on the MLPs of the upper blocks (`low_rank`)
    blocks     every weight of the upper blocks; all of them is full fine-tuning

Embeddings and head stay as they are in both: what general text is held to (`anchors`) is read by one
head before and after. A model whose blocks were taught is saved as a whole folder, as Hugging Face
saves one, with a record of how many they were.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal, cast

import torch
from peft import PeftModel
from transformers import PreTrainedTokenizerBase
from transformers.modeling_utils import PreTrainedModel

from .language_model import ADAPTER, load_model
from .low_rank import add_low_rank_adapters
from .transformer_blocks import transformer_blocks

Taught = Literal["low-rank", "blocks"]
TaughtModel = PeftModel | PreTrainedModel
RECORD = "taught_blocks.json"


def add_taught_weights(
    model: PreTrainedModel, taught: Taught, rank: int, upper_layers: int
) -> TaughtModel:
    """A frozen model with what is to be taught: of its last `upper_layers` blocks, as many as there are.

    Args:
        model: frozen.
        taught: see the module.
        rank: of low-rank updates.
        upper_layers: how many of the last blocks.
    """
    if taught == "low-rank":
        return add_low_rank_adapters(model, rank, upper_layers)
    return _with_blocks(model, upper_layers)


def _with_blocks(model: PreTrainedModel, upper_layers: int) -> PreTrainedModel:
    for block in list(transformer_blocks(model))[-upper_layers:]:
        block.requires_grad_(True)
    return model


def base_of(taught: TaughtModel) -> PreTrainedModel:
    """The language model itself, low-rank adapters within."""
    if isinstance(taught, PeftModel):
        return cast(PreTrainedModel, taught.get_base_model())
    return taught


def save_taught(taught: TaughtModel, tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    """Write what was taught: an adapter as PEFT writes it, or a whole model with its tokenizer."""
    taught.save_pretrained(str(folder))
    if isinstance(taught, PeftModel):
        return
    tokenizer.save_pretrained(folder)
    blocks = list(transformer_blocks(taught))
    count = sum(any(value.requires_grad for value in block.parameters()) for block in blocks)
    (folder / RECORD).write_text(json.dumps({"upper_layers": count}) + "\n", encoding="utf-8")


def load_taught_model(base_folder: Path, taught: Path, dtype: torch.dtype) -> PreTrainedModel:
    """The base with what was taught, frozen; adapters are added to its weights."""
    if not (taught / ADAPTER).exists():
        return load_model(taught, dtype)
    model = load_model(base_folder, dtype)
    merged: PreTrainedModel = PeftModel.from_pretrained(model, taught).merge_and_unload()
    return merged.eval().requires_grad_(False)


def load_for_more_training(base_folder: Path, taught: Path, dtype: torch.dtype) -> TaughtModel:
    """The base with what was taught as it was saved, the same weights ready to be trained further."""
    if (taught / ADAPTER).exists():
        return PeftModel.from_pretrained(load_model(base_folder, dtype), taught, is_trainable=True)
    record = json.loads((taught / RECORD).read_text(encoding="utf-8"))
    return _with_blocks(load_model(taught, dtype), int(record["upper_layers"]))
