"""A low-rank update felt by a scale: W + s · BA, and back."""

from pathlib import Path

import pytest
import torch
from infact.models.adapter_scale import mean_drift, scale_update, scaled_update
from infact.models.anchors import AnchorBatch, anchor_batches
from infact.models.base_model import load_causal_model
from infact.models.low_rank import add_low_rank_adapters
from infact.models.predicted_texts import continued_text
from peft import PeftModel

TOKENS = torch.tensor([[5, 9, 30, 31, 2]])
NAME = "base_model.model.model.layers.1.mlp.up_proj"


@pytest.fixture
def general(tiny_model_folder: Path) -> list[AnchorBatch]:
    """Two texts with the base's states, in batches of unlike size."""
    base = load_causal_model(tiny_model_folder, torch.float32)
    texts = [continued_text(tokens, (1.0,) * len(tokens)) for tokens in ((5, 6, 7, 8), (9, 10))]
    return anchor_batches(base, texts, 1, 0)


@pytest.fixture
def adapted(tiny_model_folder: Path) -> PeftModel:
    model = add_low_rank_adapters(load_causal_model(tiny_model_folder, torch.float32), 4, 2)
    torch.manual_seed(0)
    with torch.no_grad():
        for name, value in model.named_parameters():
            if "lora_B" in name:
                value.normal_(0, 0.5)
    return model.eval()


def logits(model: torch.nn.Module) -> torch.Tensor:
    with torch.no_grad():
        found: torch.Tensor = model(input_ids=TOKENS).logits
    return found


def test_it_is_the_base_at_none_and_as_trained_after(
    adapted: PeftModel, tiny_model_folder: Path
) -> None:
    trained = logits(adapted)
    base = logits(load_causal_model(tiny_model_folder, torch.float32))
    with scaled_update(adapted, 0.0):
        torch.testing.assert_close(logits(adapted), base)
    assert torch.equal(logits(adapted), trained)
    assert not torch.allclose(trained, base, atol=0.1)


def test_an_exception_brings_it_back_too(adapted: PeftModel) -> None:
    trained = logits(adapted)
    with pytest.raises(KeyboardInterrupt), scaled_update(adapted, 0.3):
        raise KeyboardInterrupt
    assert torch.equal(logits(adapted), trained)


def test_half_of_it_is_half_of_the_weights_change(adapted: PeftModel) -> None:
    layer = adapted.get_submodule(NAME)
    before = layer.base_layer.weight.clone()  # type: ignore[union-attr]
    whole = layer.get_delta_weight("default").clone()  # type: ignore[operator]
    scale_update(adapted, 0.5)
    merged = adapted.merge_and_unload()
    found = merged.get_submodule("model.layers.1.mlp.up_proj").weight
    torch.testing.assert_close(found, before + 0.5 * whole)


def test_drift_is_the_mean_over_tokens_and_grows_with_the_scale(
    adapted: PeftModel, general: list[AnchorBatch]
) -> None:
    found = []
    for scale in (0.0, 0.3, 1.0):
        with scaled_update(adapted, scale):
            found.append(mean_drift(adapted, general))
    assert found[0] == pytest.approx(0, abs=1e-6)
    assert found[0] < found[1] < found[2]
    alone = [mean_drift(adapted, [batch]) for batch in general]
    sizes = [len(batch.base) for batch in general]
    assert len(set(sizes)) == 2
    weighted = sum(n * value for n, value in zip(sizes, alone, strict=True)) / sum(sizes)
    assert found[2] == pytest.approx(weighted, rel=1e-5)
