"""An adapter comes back as it was saved, and fits its own base and graph alone."""

import json
from pathlib import Path

import pytest
import torch
from infact.errors import UserError
from infact.models.attention_fusion import AttentionFusion
from infact.models.fact_memory import build_fact_memory
from infact.models.fused_model import FusedModel
from infact.models.fusion_adapter import (
    CONFIG,
    WEIGHTS,
    AdapterFits,
    base_digest,
    load_adapter,
    save_adapter,
)
from infact.models.fusion_strategy import FusionSizes
from infact.models.language_model import load_language_model

from .test_fused_model import VECTOR, fused, reading, texts, tiny


@pytest.fixture
def model() -> FusedModel:
    return fused("Llama")


@pytest.fixture
def fits() -> AdapterFits:
    return AdapterFits("a base", "a graph")


def test_it_comes_back_to_the_bit(model: FusedModel, fits: AdapterFits, tmp_path: Path) -> None:
    save_adapter(model.fusion, fits, tmp_path / "adapter")
    loaded = load_adapter(tmp_path / "adapter", fits, model.fusion.object_vectors)
    again = FusedModel(tiny("Llama"), loaded)
    with reading(model):
        expected = model(**texts()).logits
    with reading(again):
        assert torch.equal(again(**texts()).logits, expected)
    saved = (tmp_path / "adapter" / WEIGHTS).read_bytes()
    save_adapter(loaded, fits, tmp_path / "again")
    assert (tmp_path / "again" / WEIGHTS).read_bytes() == saved


def test_base_and_adapter_come_from_their_folders(
    tiny_model_folder: Path, model: FusedModel, tmp_path: Path
) -> None:
    base = load_language_model(tiny_model_folder, None, torch.float32).model
    sizes = FusionSizes(base.config.hidden_size, VECTOR, (0,), heads=2, key=8)
    vectors = model.fusion.object_vectors
    fusion = AttentionFusion(sizes, torch.randn(3, base.config.hidden_size), vectors)
    torch.nn.init.normal_(fusion.readers["0"].reader.copied)
    save_adapter(fusion, AdapterFits(base_digest(tiny_model_folder), "a graph"), tmp_path)
    loaded = FusedModel.from_pretrained(tiny_model_folder, tmp_path, vectors, "a graph")
    expected = FusedModel(base, fusion)
    with reading(loaded), torch.no_grad():
        found = loaded(**texts()).logits
    with reading(expected), torch.no_grad():
        assert torch.equal(found, expected(**texts()).logits)
    with pytest.raises(UserError, match="another graph"):
        FusedModel.from_pretrained(tiny_model_folder, tmp_path, vectors, "another")


def test_a_digest_is_of_the_weights_in_a_folder(tmp_path: Path) -> None:
    base = tiny("Llama")
    base.save_pretrained(tmp_path / "a")
    base.save_pretrained(tmp_path / "b")
    first = base_digest(tmp_path / "a")
    assert base_digest(tmp_path / "b") == first
    (tmp_path / "b" / "config.json").write_text("{}")
    assert base_digest(tmp_path / "b") == first
    with torch.no_grad():
        base.get_input_embeddings().weight[3, 3] += 1
    base.save_pretrained(tmp_path / "b")
    assert base_digest(tmp_path / "b") != first
    with pytest.raises(UserError, match="no config"):
        base_digest(tmp_path)


@pytest.mark.parametrize(
    ("other", "what"),
    [({"base": "b" * 64}, "another base model"), ({"id_space": "other"}, "another graph")],
)
def test_it_fits_its_own_base_and_graph(
    model: FusedModel, fits: AdapterFits, tmp_path: Path, other: dict[str, str], what: str
) -> None:
    save_adapter(model.fusion, fits, tmp_path)
    wrong = AdapterFits(**{"base": fits.base, "id_space": fits.id_space, **other})
    with pytest.raises(UserError, match=what) as raised:
        load_adapter(tmp_path, wrong, model.fusion.object_vectors)
    assert raised.value.fix


@pytest.mark.parametrize("shape", [(2, VECTOR + 1), (VECTOR,)])
def test_vectors_of_another_width_are_refused(
    model: FusedModel, fits: AdapterFits, tmp_path: Path, shape: tuple[int, ...]
) -> None:
    save_adapter(model.fusion, fits, tmp_path)
    with pytest.raises(UserError, match=f"vectors of {VECTOR} numbers"):
        load_adapter(tmp_path, fits, torch.zeros(shape))


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        (CONFIG, b"{", "can't be read"),
        (CONFIG, b"[]", "no fusion adapter"),
        (CONFIG, b'{"peft_type": "LORA"}', "but one of LORA"),
        (WEIGHTS, b"damaged", "can't be read"),
    ],
)
def test_what_is_no_adapter_is_told(
    model: FusedModel, fits: AdapterFits, tmp_path: Path, name: str, content: bytes, what: str
) -> None:
    save_adapter(model.fusion, fits, tmp_path)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=what):
        load_adapter(tmp_path, fits, model.fusion.object_vectors)


def test_a_tensor_that_is_missing_is_told(
    model: FusedModel, fits: AdapterFits, tmp_path: Path
) -> None:
    save_adapter(model.fusion, fits, tmp_path)
    config = json.loads((tmp_path / CONFIG).read_text())
    config["settings"]["layers"] = [0, 1, 2]
    (tmp_path / CONFIG).write_text(json.dumps(config))
    with pytest.raises(UserError, match="can't be read"):
        load_adapter(tmp_path, fits, model.fusion.object_vectors)
    (tmp_path / WEIGHTS).unlink()
    with pytest.raises(UserError, match="can't be read"):
        load_adapter(tmp_path, fits, model.fusion.object_vectors)


def test_an_empty_memory_reads_nothing(model: FusedModel) -> None:
    expected = tiny("Llama")(**texts()).logits
    with model.session(build_fact_memory([[], [], []])):
        torch.testing.assert_close(model(**texts()).logits, expected)
