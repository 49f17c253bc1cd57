"""A fused model that has practised on texts which its facts don't bear on changes others of them less."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import torch
from infact.models.language_model import load_language_model
from infact.pipeline.arms import Fusions
from infact.pipeline.console import Console
from infact.pipeline.evaluation.base_arms import Evaluation
from infact.pipeline.evaluation.drift import read_texts, text_states
from infact.pipeline.evaluation.eval_stage import fused_drift
from infact.pipeline.general_prose import general_prose
from infact.pipeline.graph_reader import GraphReader
from infact.pipeline.project import load_project
from infact.pipeline.run import existing_artifacts
from infact.pipeline.stages import StageContext
from infact.pipeline.training.fusion_practice import practice_questions
from infact.pipeline.training.unrelated_texts import PREDICTED_WORDS, unrelated_texts

from .conftest import Infact

STAGES = ("base", "ingest", "facts", "embed", "fuse")
PRACTISED = 24


def fused_with(project: Path, changed: str, infact: Infact) -> Path:
    """The project with a [fuse] table of its own, fused."""
    file = project.with_name(f"{len(list(project.parent.iterdir()))}.toml")
    table = f"[fuse]\nbatch_size = 8\nphrasings = 2\n{changed}\n"
    plain = project.read_text(encoding="utf-8")
    file.write_text(re.sub(r"\[fuse\]\n(.*=.*\n)*", table, plain), encoding="utf-8")
    done = infact(file, "fuse", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    return file


def divergence(file: Path) -> float:
    """Of prose that hasn't been practised, behind the name of a country."""
    project = load_project(file)
    folders = existing_artifacts(project, STAGES)
    context = StageContext(project, file.parent, folders, project.seed, Console())
    seen = {
        f"{text.prompt} {text.answer}"
        for text in unrelated_texts(practice_questions(context), PRACTISED, project.seed)
    }
    unseen = [paragraph for paragraph in general_prose() if paragraph not in seen][:6]
    loaded = load_language_model(folders["base"], None, torch.float32)
    reader = GraphReader.open(folders["ingest"], folders["facts"])
    fusions = Fusions.of_stages(project, folders, reader, project.seed)
    evaluation = Evaluation(context, loaded.tokenizer, (), fusions)
    told = [f"Estonia is not what this is about. {paragraph}" for paragraph in unseen]
    texts = read_texts(loaded.kind, loaded.tokenizer, told)
    states = text_states(loaded.model, loaded.tokenizer, texts, 4096)
    return fused_drift(evaluation, loaded.model, states, texts)["fused"]["kl"]


def trained(file: Path) -> dict[str, int]:
    folder = existing_artifacts(load_project(file), ["fuse"])["fuse"]
    return json.loads((folder / "training.json").read_text(encoding="utf-8"))


def test_prose_beside_facts_is_changed_less(
    tmp_path: Path, tiny_countries: Callable[[Path], Path], infact: Infact
) -> None:
    project = tiny_countries(tmp_path)
    files = [
        fused_with(project, f"epochs = 6\nunrelated_texts = {texts}", infact)
        for texts in (0, PRACTISED)
    ]
    without, practised = map(divergence, files)
    assert 0 < practised < 0.85 * without
    before, after = map(trained, files)
    assert (before["unrelated_texts"], after["unrelated_texts"]) == (0, PRACTISED)
    assert before["questions"] == after["questions"]
    assert before["places"] < after["places"]


def test_a_strategy_within_a_masked_model_practises_on_it_too(
    tmp_path: Path,
    tiny_countries: Callable[[Path], Path],
    tiny_masked_folder: Path,
    infact: Infact,
) -> None:
    """There it is what the base would say that is learnt: see `fused_text_loss`, and its tests."""
    project = tiny_countries(tmp_path)
    text = project.read_text(encoding="utf-8")
    project.write_text(re.sub(r'base = ".*"', f'base = "{tiny_masked_folder}"', text))
    attention = 'strategy = "attention"\nepochs = 1\nunrelated_texts = '
    before, after = (trained(fused_with(project, f"{attention}{of}", infact)) for of in (0, 4))
    assert before["places"] + 4 * PREDICTED_WORDS <= after["places"]
    assert before["fused"]["losses"] != after["fused"]["losses"]
