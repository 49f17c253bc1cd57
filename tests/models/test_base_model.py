from pathlib import Path

import pytest
import torch
from infact.errors import UserError
from infact.models.base_model import (
    check_model_folder,
    load_causal_model,
    load_tokenizer,
    resolve_precision,
)


def test_the_tokenizer_covers_any_text_and_keeps_the_line_end_apart(tiny_tokenizer) -> None:
    text = "Ünïcödé, 漢字 🙂.\nParis\n"
    tokens = tiny_tokenizer(text)["input_ids"]
    assert tiny_tokenizer.decode(tokens) == text
    (line_end,) = tiny_tokenizer("\n")["input_ids"]
    assert tokens.count(line_end) == 2
    assert tiny_tokenizer.eos_token_id != tiny_tokenizer.pad_token_id


def test_a_loaded_model_is_frozen_and_in_evaluation_mode(tiny_model) -> None:
    assert not tiny_model.training
    assert not any(value.requires_grad for value in tiny_model.parameters())


def test_the_precision_is_the_weights(tiny_model_folder) -> None:
    model = load_causal_model(tiny_model_folder, torch.bfloat16)
    assert {value.dtype for value in model.parameters()} == {torch.bfloat16}


def test_precisions() -> None:
    assert resolve_precision("float32") is torch.float32
    assert resolve_precision("bfloat16") is torch.bfloat16
    assert resolve_precision("auto") in {torch.float32, torch.bfloat16}


def test_a_tokenizer_without_padding_pads_with_its_end(tiny_tokenizer, tmp_path) -> None:
    path = tmp_path / "tokenizer"
    tiny_tokenizer.save_pretrained(path)
    config = path / "tokenizer_config.json"
    lines = config.read_text().splitlines()
    config.write_text("\n".join(line for line in lines if '"pad_token"' not in line))
    loaded = load_tokenizer(path)
    assert loaded.pad_token_id == loaded.eos_token_id


def test_a_missing_folder(tmp_path) -> None:
    with pytest.raises(UserError, match="does not exist") as caught:
        load_causal_model(tmp_path / "nowhere", torch.float32)
    assert caught.value.fix
    assert "nowhere" in caught.value.where


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ([], "no config.json; it has no files"),
        (["model.safetensors"], "no config.json; it has model.safetensors"),
        (["config.json"], "no weights; it has config.json"),
        (["config.json", "pytorch_model.bin"], r"a pickle \(pytorch_model.bin\)"),
        (["config.json", "weights.pt"], r"a pickle \(weights.pt\)"),
    ],
)
def test_a_folder_that_is_no_model(tmp_path: Path, files: list[str], message: str) -> None:
    for name in files:
        (tmp_path / name).write_text("{}")
    with pytest.raises(UserError, match=message) as caught:
        load_causal_model(tmp_path, torch.float32)
    assert caught.value.fix
    assert caught.value.where == str(tmp_path)


def test_a_folder_with_safetensors_passes(tiny_model_folder) -> None:
    check_model_folder(tiny_model_folder)
