"""Pairs of sentences, taught to a base that has the head for them, through the real command."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from infact.models.base_model import load_tokenizer
from infact.models.language_model import load_model
from infact.models.next_sentence import load_next_sentence_head
from infact.models.sentence_pairs import collate_pairs, maskable_pair, visible_pair
from infact.pipeline.console import Console
from infact.pipeline.project import load_project
from infact.pipeline.run import existing_artifacts
from infact.pipeline.stages import StageContext
from infact.pipeline.training.pretrain_stage import run
from infact.pipeline.training.sentence_pairs import TaughtPairs, taught_pairs
from peft import PeftModel
from safetensors.torch import load_file
from transformers import BertForNextSentencePrediction, BertForPreTraining

from .conftest import Infact

PREFIXES = """\
@prefix ex: <https://example.org/countries/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
"""
TEXTS = 40
BEASTS = ("goats", "geese", "sheep", "bees")
SETTINGS = "sentence_pairs = 0.4\nlearning_rate = 1e-2\nepochs = 3\nscreened = 0\n"


@pytest.fixture(scope="module")
def written(
    tmp_path_factory: pytest.TempPathFactory, tiny_countries: Callable[[Path], Path]
) -> Path:
    """A project whose graph tells of villages in two sentences each; it names no base yet."""
    file = tiny_countries(tmp_path_factory.mktemp("pairs"))
    villages = [
        f'ex:Village{number} a ex:Village ; rdfs:label "Aardville {number}"@en ; rdfs:comment '
        f'"Aardville {number} lies by a road to Mongolia. Its people keep {BEASTS[number % 4]}."@en .\n'
        for number in range(TEXTS)
    ]
    file.with_name("villages.ttl").write_text(PREFIXES + "".join(villages), encoding="utf-8")
    return file


def project_on(written: Path, base: Path, name: str, settings: str) -> Path:
    text = re.sub(r'base = ".*"', f'base = "{base}"', written.read_text(encoding="utf-8"))
    text = re.sub(r"\[pretrain\]\n(.*=.*\n)*", f"[pretrain]\n{settings}\n", text)
    file = written.with_name(f"{name}.toml")
    file.write_text(f'{text}\n[[source]]\npath = "villages.ttl"\n', encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def finished_low_rank(written: Path, tiny_pair_folder: Path, infact: Infact) -> dict[str, Path]:
    """The folders of a run by the real command."""
    file = project_on(written, tiny_pair_folder, "low-rank", SETTINGS)
    done = infact.process(file, "pretrain")
    assert done.returncode == 0, done.stderr
    assert "pairs held out told rightly before" in done.stdout
    assert "LOAD REPORT" not in done.stderr
    stages = ["base", "ingest", "facts", "link", "pretrain"]
    return {"file": file, **existing_artifacts(load_project(file), stages)}


@pytest.fixture(scope="module", params=["low-rank", "blocks"])
def folders(
    finished_low_rank: dict[str, Path],
    written: Path,
    tiny_pair_folder: Path,
    request: pytest.FixtureRequest,
) -> dict[str, Path]:
    """The same, and the stage alone where whole blocks are taught."""
    if request.param == "low-rank":
        return finished_low_rank
    file = project_on(written, tiny_pair_folder, "blocks", f'taught = "blocks"\n{SETTINGS}')
    work = written.with_name("blocks")
    work.mkdir()
    run(StageContext(load_project(file), work, finished_low_rank, 0, Console()))
    return {**finished_low_rank, "file": file, "pretrain": work}


def pairs_of(folders: dict[str, Path]) -> TaughtPairs:
    project = load_project(folders["file"])
    context = StageContext(project, folders["pretrain"], folders, project.seed, Console())
    pairs = taught_pairs(context, 400)
    assert pairs is not None
    return pairs


def test_hugging_face_tells_as_many_pairs_rightly_as_the_record_says(
    folders: dict[str, Path],
) -> None:
    """The base's own head reads the adapted encoder: there is nothing else to load."""
    told = json.loads((folders["pretrain"] / "sentence_pairs.json").read_text(encoding="utf-8"))
    pairs, adapter = pairs_of(folders), folders["pretrain"] / "adapter"
    assert told["held_out"] == len(pairs.held_out) == 16
    base = BertForNextSentencePrediction.from_pretrained(folders["base"])
    if (adapter / "adapter_config.json").exists():
        taught = PeftModel.from_pretrained(
            BertForNextSentencePrediction.from_pretrained(folders["base"]), adapter
        )
    else:
        taught = BertForNextSentencePrediction.from_pretrained(adapter)
    tokenizer = load_tokenizer(folders["base"])
    rows = [visible_pair(maskable_pair(tokenizer, pair, 256)) for pair in pairs.held_out]
    batch = collate_pairs(rows)
    for model, name in ((base, "right_before"), (taught, "right_after")):
        with torch.inference_mode():
            logits = model.eval()(
                input_ids=batch.texts.tokens,
                attention_mask=batch.texts.mask,
                token_type_ids=batch.types,
            ).logits
        assert int((logits.argmax(-1) == batch.classes).sum()) == told[name]


def test_the_head_stays_as_it_was(folders: dict[str, Path]) -> None:
    adapter = folders["pretrain"] / "adapter"
    record = json.loads((folders["pretrain"] / "training.json").read_text(encoding="utf-8"))
    assert record["losses"][-1] < record["losses"][0]
    if (adapter / "adapter_config.json").exists():
        weights = load_file(adapter / "adapter_model.safetensors")
        assert all("lora" in name for name in weights)
        return
    _, told = BertForPreTraining.from_pretrained(adapter, output_loading_info=True)
    assert not any(told.values())
    heads = [
        load_next_sentence_head(folder, torch.float32) for folder in (folders["base"], adapter)
    ]
    before, after = (head.checkpoint_weights() for head in heads if head is not None)
    assert all(torch.equal(value, after[name]) for name, value in before.items())
    assert load_model(adapter, torch.float32) is not None
