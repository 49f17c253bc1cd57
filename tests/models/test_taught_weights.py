"""What is taught of a model: saved, merged and trained further, low-rank updates and whole blocks alike."""

from pathlib import Path

import pytest
import torch
from infact.models.low_rank import trained_parameters
from infact.models.taught_weights import (
    TaughtModel,
    add_taught_weights,
    base_of,
    load_for_more_training,
    load_taught_model,
    save_taught,
)
from transformers import AutoModelForCausalLM, AutoModelForMaskedLM

from .test_fused_model import CAUSAL, MASKED, tiny

TOKENS = torch.tensor([[5, 6, 7]])


def changed(model: TaughtModel) -> TaughtModel:
    with torch.no_grad():
        for value in model.parameters():
            if value.requires_grad:
                value.add_(0.05)
    return model


@pytest.mark.parametrize("taught", ["low-rank", "blocks"])
def test_what_is_saved_is_loaded_frozen_or_to_be_trained_further(
    taught, tiny_model_folder: Path, tiny_tokenizer, tmp_path: Path
) -> None:
    base = AutoModelForCausalLM.from_pretrained(tiny_model_folder).requires_grad_(False)
    model = changed(add_taught_weights(base, taught, 4, 1)).eval()
    expected = model(TOKENS).logits
    save_taught(model, tiny_tokenizer, tmp_path / "adapter")
    frozen = load_taught_model(tiny_model_folder, tmp_path / "adapter", torch.float32)
    further = load_for_more_training(tiny_model_folder, tmp_path / "adapter", torch.float32)
    for found in (frozen, further):
        torch.testing.assert_close(found(TOKENS).logits, expected, rtol=1e-4, atol=1e-5)
    assert trained_parameters(frozen) == 0
    assert trained_parameters(further) == trained_parameters(model)
    names = [
        {name for name, value in each.named_parameters() if value.requires_grad}
        for each in (model, further)
    ]
    assert names[0] == names[1]


@pytest.mark.parametrize("family", [*CAUSAL, *MASKED])
def test_blocks_are_the_last_ones_and_nothing_else(family: str) -> None:
    model = add_taught_weights(tiny(family), "blocks", 4, 2)
    assert base_of(model) is model
    trained = {name for name, value in model.named_parameters() if value.requires_grad}
    assert trained
    assert all(".1." in name or ".2." in name for name in trained)
    everything = add_taught_weights(tiny(family), "blocks", 4, 99)
    whole = {name for name, value in everything.named_parameters() if value.requires_grad}
    assert trained < whole
    assert all(".0." in name for name in whole - trained)
    assert not everything.get_input_embeddings().weight.requires_grad
    assert not everything.get_output_embeddings().weight.requires_grad


def test_a_whole_folder_is_one_that_hugging_face_reads(
    tiny_model_folder: Path, tiny_tokenizer, tmp_path: Path
) -> None:
    base = AutoModelForCausalLM.from_pretrained(tiny_model_folder).requires_grad_(False)
    model = changed(add_taught_weights(base, "blocks", 4, 1)).eval()
    save_taught(model, tiny_tokenizer, tmp_path)
    again = AutoModelForCausalLM.from_pretrained(tmp_path)
    assert torch.equal(again(TOKENS).logits, model(TOKENS).logits)
    assert (tmp_path / "tokenizer.json").exists()


def test_masked_models_are_saved_whole_too(tiny_masked, tmp_path: Path) -> None:
    masked = tiny_masked.model.__class__(tiny_masked.model.config).requires_grad_(False)
    model = changed(add_taught_weights(masked, "blocks", 4, 1)).eval()
    save_taught(model, tiny_masked.tokenizer, tmp_path)
    again = AutoModelForMaskedLM.from_pretrained(tmp_path)
    assert torch.equal(again(TOKENS).logits, model(TOKENS).logits)
