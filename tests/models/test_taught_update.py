"""What was taught felt by a scale, and back."""

import copy
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from infact.models.anchors import AnchorBatch, anchor_batches
from infact.models.base_model import load_causal_model
from infact.models.predicted_texts import continued_text
from infact.models.taught_update import (
    TaughtUpdate,
    mean_drift,
    scale_update,
    scaled_update,
    update_of,
)
from infact.models.taught_weights import TaughtModel, add_taught_weights, base_of
from peft import PeftModel

TOKENS = torch.tensor([[5, 9, 30, 31, 2]])
NAME = "model.layers.1.mlp.up_proj"


@pytest.fixture
def general(tiny_model_folder: Path) -> list[AnchorBatch]:
    """Two texts with the base's states, in batches of unlike size."""
    base = load_causal_model(tiny_model_folder, torch.float32)
    texts = [continued_text(tokens, (1.0,) * len(tokens)) for tokens in ((5, 6, 7, 8), (9, 10))]
    return anchor_batches(base, texts, 1, 0)


@dataclass(frozen=True)
class Taught:
    """A model that was moved from its base, and by what."""

    model: TaughtModel
    update: TaughtUpdate


@pytest.fixture(params=["low-rank", "blocks"])
def taught(request: pytest.FixtureRequest, tiny_model_folder: Path) -> Taught:
    model = add_taught_weights(
        load_causal_model(tiny_model_folder, torch.float32), request.param, 4, 2
    )
    update = update_of(model)
    torch.manual_seed(0)
    with torch.no_grad():
        for value in update.moved:
            value.add_(torch.randn(value.shape) * (0.5 if request.param == "low-rank" else 0.1))
    return Taught(model.eval(), update)


def logits(model: torch.nn.Module) -> torch.Tensor:
    with torch.no_grad():
        found: torch.Tensor = model(input_ids=TOKENS).logits
    return found


def weight_of(model: TaughtModel) -> torch.Tensor:
    """Of one matrix, a low-rank update merged."""
    whole = model.merge_and_unload() if isinstance(model, PeftModel) else model
    found: torch.Tensor = whole.get_submodule(NAME).weight.detach().clone()
    return found


def test_it_is_the_base_at_none_and_as_trained_after(
    taught: Taught, tiny_model_folder: Path
) -> None:
    trained = logits(taught.model)
    base = logits(load_causal_model(tiny_model_folder, torch.float32))
    with scaled_update(taught.update, 0.0):
        torch.testing.assert_close(logits(taught.model), base)
    assert torch.equal(logits(taught.model), trained)
    assert not torch.allclose(trained, base, atol=0.1)


def test_an_exception_brings_it_back_too(taught: Taught) -> None:
    trained = logits(taught.model)
    with pytest.raises(KeyboardInterrupt), scaled_update(taught.update, 0.3):
        raise KeyboardInterrupt
    assert torch.equal(logits(taught.model), trained)
    scale_update(taught.update, 1.0)
    assert torch.equal(logits(taught.model), trained)


def test_half_of_it_is_half_of_the_weights_change(taught: Taught, tiny_model_folder: Path) -> None:
    before = weight_of(load_causal_model(tiny_model_folder, torch.float32))
    whole = weight_of(copy.deepcopy(taught.model)) - before
    scale_update(taught.update, 0.5)
    assert whole.abs().max() > 0.01
    torch.testing.assert_close(weight_of(taught.model), before + 0.5 * whole)


def test_drift_is_the_mean_over_tokens_and_grows_with_the_scale(
    taught: Taught, general: list[AnchorBatch]
) -> None:
    found, model = [], base_of(taught.model)
    for scale in (0.0, 0.3, 1.0):
        with scaled_update(taught.update, scale):
            found.append(mean_drift(model, general))
    assert found[0] == pytest.approx(0, abs=1e-6)
    assert found[0] < found[1] < found[2]
    alone = [mean_drift(model, [batch]) for batch in general]
    sizes = [len(batch.base) for batch in general]
    assert len(set(sizes)) == 2
    weighted = sum(n * value for n, value in zip(sizes, alone, strict=True)) / sum(sizes)
    assert found[2] == pytest.approx(weighted, rel=1e-5)
