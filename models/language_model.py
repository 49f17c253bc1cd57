"""Any masked or causal language model to ask, from a folder of weights or of an adapter."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from peft import PeftModel
from safetensors import SafetensorError
from transformers import (
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    PreTrainedTokenizerBase,
)
from transformers.modeling_utils import PreTrainedModel

from ..errors import UserError
from .base_model import (
    Kind,
    check_model_folder,
    folder_kind,
    load_tokenizer,
    read_weights,
)
from .reading_window import reading_window

ADAPTER = "adapter_config.json"


@dataclass(frozen=True)
class LanguageModel:
    """A model ready to be asked, its tokenizer, and how it reads: all of a text, or left to right."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    kind: Kind

    @property
    def window(self) -> int | None:
        """How many tokens it can read; None where its kind of position has no end."""
        return reading_window(self.model)


def kind_of(model: PreTrainedModel) -> Kind:
    """How a loaded model reads: all of a text, or left to right."""
    return "masked" if "ForMaskedLM" in type(model).__name__ else "causal"


def model_folders(folder: Path, base: Path | None) -> list[Path]:
    """The folders that a model is made of: its own, and the base's where it is an adapter.

    Raises:
        UserError: weights are missing, or the adapter's base isn't where it says.
    """
    if not (folder / ADAPTER).exists():
        check_model_folder(folder)
        return [folder]
    if not (folder / "adapter_model.safetensors").exists():
        problem = "The adapter has no adapter_model.safetensors."
        raise UserError(problem, str(folder), "Give a folder written by save_pretrained().")
    found = base or _named_base(folder / ADAPTER)
    if not (found / "config.json").exists():
        problem = f"The adapter's base model isn't a folder here: {found}"
        raise UserError(problem, str(folder / ADAPTER), "Name the base's folder with --base.")
    check_model_folder(found)
    return [folder, found]


def _named_base(adapter: Path) -> Path:
    try:
        told = json.loads(adapter.read_text(encoding="utf-8"))
        return Path(told.get("base_model_name_or_path") or "")
    except (ValueError, AttributeError, TypeError):
        problem = "The adapter's configuration isn't a JSON object."
        raise UserError(
            problem, str(adapter), "Give a folder written by save_pretrained()."
        ) from None


def load_language_model(folder: Path, base: Path | None, dtype: torch.dtype) -> LanguageModel:
    """Load the model in `folder`, in evaluation mode, without gradients.

    Args:
        folder: weights as safetensors with config.json, or a PEFT adapter.
        base: the folder of the adapter's base; where None, the one that the adapter names.
        dtype: of the weights.

    Raises:
        UserError: there is no such model, or its output head was never trained.
    """
    folders = model_folders(folder, base)
    try:
        return _loaded(folders, dtype)
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        # What a damaged or foreign folder makes of a library's loader is one of these.
        said = str(error).strip() or type(error).__name__
        problem = f"The model can't be loaded: {said.splitlines()[0]}"
        fix = "Give a whole folder, as save_pretrained() writes it, with its tokenizer."
        raise UserError(problem, str(folder), fix) from error


def load_model(folder: Path, dtype: torch.dtype) -> PreTrainedModel:
    """The model of a folder of weights, of either kind, in evaluation mode, without gradients.

    Raises:
        UserError: its output head was never trained.
    """
    auto = AutoModelForMaskedLM if folder_kind(folder) == "masked" else AutoModelForCausalLM
    model, lacking = read_weights(auto, folder, dtype)
    if lacking:
        problem = f"The folder lacks weights that scoring needs: {min(lacking)}"
        fix = "A text encoder has no trained output head; train one first, or give another model."
        raise UserError(problem, str(folder), fix)
    whole: PreTrainedModel = model.eval().requires_grad_(False)
    return whole


def _loaded(folders: Sequence[Path], dtype: torch.dtype) -> LanguageModel:
    source = folders[-1]
    model = load_model(source, dtype)
    if len(folders) == 2:
        adapted = PeftModel.from_pretrained(model, folders[0]).merge_and_unload()
        model = adapted.eval().requires_grad_(False)
    return LanguageModel(model, load_tokenizer(source), kind_of(model))
