"""Loading base models: folders of safetensors, GGUF files and Hugging Face ids; never pickle.

A GGUF file is dequantised once into a plain folder (`convert_gguf`), because reading it takes
half a minute and the model that transformers makes of it can't be saved with its quantisation entry.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerBase
from transformers.modeling_utils import PreTrainedModel
from transformers.models.auto.modeling_auto import (
    MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
    MODEL_FOR_MASKED_LM_MAPPING_NAMES,
)
from transformers.utils import logging

from ..errors import UserError

# Its bars say nothing that the stages do not say.
logging.disable_progress_bar()

Kind = Literal["masked", "causal"]  # reads all of a text, or left to right
PICKLE_SUFFIXES = {".bin", ".pt", ".pth", ".pkl", ".ckpt"}


def read_weights(auto: Any, folder: Path, dtype: torch.dtype) -> tuple[Any, set[str]]:
    """A folder's model by one of transformers' auto classes, and the names of weights that the folder lacks.

    transformers doesn't list what wasn't read: a checkpoint with two heads is read one head at a time.
    """
    said = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        model, told = auto.from_pretrained(
            folder,
            dtype=dtype,
            local_files_only=True,
            use_safetensors=True,
            output_loading_info=True,
        )
    finally:
        logging.set_verbosity(said)
    return model, set(told["missing_keys"])


def resolve_precision(precision: str) -> torch.dtype:
    """The number type that `precision` ("auto", "float32" or "bfloat16") means on this machine.

    "auto" takes bfloat16 where the processor multiplies it natively (AVX512-BF16 or AMX, where it is
    about twice as fast), float32 elsewhere (where bfloat16 is emulated).
    """
    if precision == "auto":
        return torch.bfloat16 if _cpu_multiplies_bfloat16() else torch.float32
    return {"float32": torch.float32, "bfloat16": torch.bfloat16}[precision]


def _cpu_multiplies_bfloat16() -> bool:
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


def check_model_folder(folder: Path) -> None:
    """Raise `UserError` unless `folder` holds a configuration and safetensors weights."""
    if not folder.is_dir():
        raise UserError("The model folder does not exist.", str(folder), "Check the path.")
    present = sorted(path.name for path in folder.iterdir())
    if "config.json" not in present:
        raise UserError(
            f"The model folder has no config.json; it has {', '.join(present) or 'no files'}.",
            str(folder),
            "Give a folder written by save_pretrained().",
        )
    if any(name.endswith(".safetensors") for name in present):
        return
    pickles = [name for name in present if Path(name).suffix in PICKLE_SUFFIXES]
    if pickles:
        raise UserError(
            f"The model's weights are a pickle ({', '.join(pickles)}), which can run code when read.",
            str(folder),
            "Convert them with save_pretrained(safe_serialization=True) where you trust their source.",
        )
    raise UserError(
        f"The model folder has no weights; it has {', '.join(present)}.",
        str(folder),
        "Put model.safetensors beside config.json.",
    )


def convert_gguf(gguf: Path, folder: Path) -> None:
    """Dequantise the GGUF file into `folder` as float32 safetensors with its tokenizer."""
    source = {"pretrained_model_name_or_path": str(gguf.parent), "gguf_file": gguf.name}
    tokenizer = AutoTokenizer.from_pretrained(**source)
    quantised = AutoModelForCausalLM.from_pretrained(**source, dtype=torch.float32)
    entries = quantised.config.to_dict()
    # With this entry save_pretrained() refuses: the weights are no longer quantised.
    entries.pop("quantization_config", None)
    entries.pop("_name_or_path", None)
    plain = type(quantised)(type(quantised.config)(**entries))
    plain.load_state_dict(quantised.state_dict())
    plain.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def copy_hub_model(model_id: str, folder: Path) -> None:
    """Fetch a Hugging Face model's safetensors into `folder`; needs the network."""
    os.environ.pop("HF_HUB_OFFLINE", None)
    try:
        config = AutoConfig.from_pretrained(model_id)
        if any("ForMaskedLM" in name for name in config.architectures or ()):
            fix = "Download it and give its folder."
            raise UserError(f"{model_id} is a masked language model.", "model.base", fix)
        model = AutoModelForCausalLM.from_pretrained(
            model_id, dtype=torch.float32, use_safetensors=True
        )
        tokenizer = AutoTokenizer.from_pretrained(model_id)
    except OSError as error:
        raise UserError(
            f"The model {model_id} could not be fetched: {str(error).splitlines()[0]}",
            "model.base",
            "Check the name and the network, or give a local folder.",
        ) from error
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def folder_kind(folder: Path) -> Kind:
    """What the folder's own architecture says; else what its family is.

    Raises:
        UserError: it is neither.
    """
    config = AutoConfig.from_pretrained(folder, local_files_only=True)
    named = " ".join(config.architectures or ())
    if "ForMaskedLM" in named:
        return "masked"
    if "ForCausalLM" in named or "LMHeadModel" in named:
        return "causal"
    if config.model_type in MODEL_FOR_MASKED_LM_MAPPING_NAMES:
        return "masked"
    if config.model_type in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES:
        return "causal"
    problem = f"A {config.model_type} model is neither a masked nor a causal language model."
    raise UserError(problem, str(folder / "config.json"), "Give a language model.")


def load_causal_model(folder: Path, dtype: torch.dtype) -> PreTrainedModel:
    """The causal language model in `folder`, in evaluation mode, without gradients.

    Raises:
        UserError: there is none, or it is a masked one.
    """
    check_model_folder(folder)
    if folder_kind(folder) == "masked":
        raise UserError(
            "A masked language model can't go on from a prompt, and this needs one that can.",
            str(folder),
            "`infact eval` asks it, and `infact report` tells what it chose; or name a causal model.",
        )
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, local_files_only=True)
    return model.eval().requires_grad_(False)


def choose_training_attention(model: PreTrainedModel) -> None:
    """Plain attention on a processor, where torch's fused one is several times slower backwards.

    Measured with torch 2.13 on SmolLM2, 16 texts of 24 tokens: a training step 0.83 s against 1.02.
    """
    if model.device.type == "cpu":
        model.set_attn_implementation("eager")


def load_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    """The tokenizer in `folder`; its end-of-text token pads where it has no padding token."""
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer
