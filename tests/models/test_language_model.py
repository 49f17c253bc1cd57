"""What a model's folder says of it: how far it reads, and what is wrong with the folder."""

from pathlib import Path

import pytest
from infact.errors import UserError
from infact.models.language_model import LanguageModel, load_language_model, model_folders
from transformers import (
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    BertConfig,
    BloomConfig,
    GPT2Config,
    LlamaConfig,
    MPNetConfig,
    RobertaConfig,
)

SIZES = {
    "vocab_size": 60,
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "max_position_embeddings": 64,
}


@pytest.mark.parametrize(
    ("config", "kind", "window"),
    [
        (BertConfig(**SIZES, pad_token_id=0), "masked", 64),
        (RobertaConfig(**SIZES, pad_token_id=1), "masked", 62),
        (MPNetConfig(**SIZES, pad_token_id=1), "masked", 62),
        (LlamaConfig(**SIZES), "causal", 64),
        (GPT2Config(vocab_size=60, n_embd=16, n_layer=1, n_head=2, n_positions=32), "causal", 32),
        (BloomConfig(vocab_size=60, hidden_size=16, n_layer=1, n_head=2), "causal", None),
    ],
)
def test_how_far_a_model_reads(tiny_tokenizer, config, kind: str, window: int | None) -> None:
    auto = AutoModelForMaskedLM if kind == "masked" else AutoModelForCausalLM
    assert LanguageModel(auto.from_config(config), tiny_tokenizer, kind).window == window


@pytest.mark.parametrize("text", ["{", "[]", '{"base_model_name_or_path": 3}'])
def test_an_adapter_whose_configuration_is_no_object_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "adapter_config.json").write_text(text)
    (tmp_path / "adapter_model.safetensors").touch()
    with pytest.raises(UserError, match=r"isn't a JSON object|isn't a folder here") as error:
        model_folders(tmp_path, None)
    assert error.value.where == str(tmp_path / "adapter_config.json")


def test_an_adapter_that_does_not_fit_its_base_is_named(
    tmp_path: Path, tiny_model_folder: Path
) -> None:
    (tmp_path / "adapter_config.json").write_text('{"peft_type": "LORA"}')
    (tmp_path / "adapter_model.safetensors").write_bytes(b"nothing")
    with pytest.raises(UserError, match="can't be loaded") as error:
        load_language_model(tmp_path, tiny_model_folder, None)
    assert error.value.where == str(tmp_path)
