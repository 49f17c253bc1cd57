"""The countries project on a text encoder: it gets a head, is fused and asked, and follows an edit."""

import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from infact.models.fusion_training import POINTERS
from infact.models.language_model import LanguageModel, load_language_model
from infact.models.masked_scoring import pseudo_log_likelihoods
from infact.pipeline.arms import Fusions
from infact.pipeline.console import Console
from infact.pipeline.evaluation.arm_answers import ArmAnswers, ArmGroup
from infact.pipeline.evaluation.asked_questions import asked_questions
from infact.pipeline.evaluation.base_arms import Evaluation, base_answers
from infact.pipeline.evaluation.drift import read_texts, text_states
from infact.pipeline.evaluation.eval_stage import fused_drift
from infact.pipeline.general_prose import general_texts
from infact.pipeline.graph_reader import GraphReader
from infact.pipeline.project import Project, load_project
from infact.pipeline.run import existing_artifacts
from infact.pipeline.stages import StageContext
from safetensors.torch import load_file

from .conftest import Infact

STAGES = ("base", "ingest", "facts", "embed", "fuse")
POOLS = ("M", "S")


@pytest.fixture(scope="module")
def encoder_project(
    tmp_path_factory: pytest.TempPathFactory,
    tiny_countries: Callable[[Path], Path],
    tiny_encoder_folder: Path,
) -> Path:
    file = tiny_countries(tmp_path_factory.mktemp("encoder"))
    text = file.read_text(encoding="utf-8")
    text = re.sub(r'base = ".*"', f'base = "{tiny_encoder_folder}"', text)
    file.write_text(text, encoding="utf-8")
    return file


@pytest.fixture(scope="module", params=["late", "invariant", "attention", "interactive", "early"])
def fused(encoder_project: Path, infact: Infact, request: pytest.FixtureRequest) -> Project:
    """With each strategy; what doesn't read it is made once."""
    file = encoder_project.with_name(f"{request.param}.toml")
    plain = encoder_project.read_text(encoding="utf-8")
    # What is asked of the others holds from the first step on.
    epochs = 6 if request.param in POINTERS else 1
    table = f'[fuse]\nstrategy = "{request.param}"\nepochs = {epochs}\n'
    table += "batch_size = 8\nphrasings = 2\n"
    changed = re.sub(r"\[fuse\]\n(.*=.*\n)*", table, plain)
    file.write_text(changed, encoding="utf-8")
    done = infact(file, "fuse", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    return load_project(file)


@pytest.fixture(scope="module")
def asked(fused: Project) -> "Asked":
    return Asked.of(fused)


@dataclass(frozen=True)
class Asked:
    """A project's arms that leave the base alone, and their answers on facts in memory and edited ones."""

    loaded: LanguageModel
    evaluation: Evaluation
    answers: dict[str, ArmAnswers]

    @classmethod
    def of(cls, project: Project) -> "Asked":
        folders = existing_artifacts(project, STAGES)
        loaded = load_language_model(folders["base"], None, torch.float32)
        reader = GraphReader.open(folders["ingest"], folders["facts"])
        fusions = Fusions.of_stages(project, folders, reader, project.seed)
        work = project.file.with_suffix(".work")
        context = StageContext(project, work, folders, project.seed, Console())
        questions = asked_questions(folders["facts"], POOLS)
        evaluation = Evaluation(context, loaded.tokenizer, questions, fusions)
        return cls(loaded, evaluation, base_answers(evaluation, loaded.model))

    def scores(self, arm: str, pool: str) -> list[np.ndarray]:
        given = self.answers[arm]
        pairs = zip(given.questions, given.scores, strict=True)
        return [scores for question, scores in pairs if question.pool == pool]


def test_the_base_is_the_encoder_with_a_head_and_says_so(
    encoder_project: Path, infact: Infact, tiny_encoder_folder: Path
) -> None:
    done = infact(encoder_project, "base")
    assert done.returncode == 0, done.stderr
    folder = existing_artifacts(load_project(encoder_project), ["base"])["base"]
    told = json.loads((folder / "head.json").read_text(encoding="utf-8"))
    assert told["losses"][-1] < told["losses"][0]
    before, after = (load_file(of / "model.safetensors") for of in (tiny_encoder_folder, folder))
    for name, tensor in before.items():
        if not name.startswith("pooler."):
            assert torch.equal(after[f"bert.{name}"], tensor)
    assert {name for name in after if not name.startswith("bert.")} == set(told["trained"])


def test_an_option_scores_what_infact_eval_scores_it(asked: Asked) -> None:
    given, loaded = asked.answers["base"], asked.loaded
    expected = pseudo_log_likelihoods(
        loaded.model,
        loaded.tokenizer,
        [question.options for question in given.questions],
        [f"{question.prompt} " for question in given.questions],
        4096,
    )
    for own, plain in zip(given.scores, expected, strict=True):
        np.testing.assert_allclose(own, plain, atol=1e-4)


def test_every_arm_chooses_and_none_writes(asked: Asked) -> None:
    assert set(asked.answers) == {
        "base",
        "base + prompt",
        "fused",
        "fused + prompt",
        "random vectors",
        "shuffled graph",
    }
    for arm, given in asked.answers.items():
        assert all(np.isfinite(scores).all() for scores in given.scores)
        assert set(given.generated) == {None}
        if arm.startswith("fused"):  # a control may learn to leave all to the base
            assert not all(map(np.allclose, given.scores, asked.answers["base"].scores))


def test_what_is_edited_is_read_as_it_is_now(asked: Asked) -> None:
    """Pointers, which have learnt to copy in these few steps, find the new object likelier than before."""
    evaluation = asked.evaluation
    questions = evaluation.of_pool("S")
    prompts = [question.prompt for question in questions]
    arms = evaluation.fusions.arms(asked.loaded.model, asked.loaded.tokenizer, prompts, ("fused",))
    read = [arms["fused"].text(prompt, number).text for number, prompt in enumerate(prompts)]
    group = ArmGroup("was", questions, read, {"fused": arms["fused"].read_out})
    group = replace(group, asked=arms["fused"].asked)
    was = evaluation.ask(asked.loaded.model, group)["fused"].scores
    now = asked.scores("fused", "S")
    rises = [
        after[question.correct] - before[question.correct]
        for question, before, after in zip(questions, was, now, strict=True)
    ]
    assert all(rises)
    if evaluation.fusions.strategy in POINTERS:
        assert np.mean(rises) > 0
        assert np.mean(np.array(rises) > 0) > 0.6


def test_general_text_is_measured_by_pseudo_perplexity(asked: Asked) -> None:
    evaluation, loaded = asked.evaluation, asked.loaded
    project = evaluation.context.project
    texts = general_texts(project.resolve(project.facts.general_text))[:2]
    texts.append("Tallinn is the capital of Estonia.")
    read = read_texts(loaded.kind, loaded.tokenizer, texts)
    states = text_states(loaded.model, loaded.tokenizer, read, 2048)
    drift = fused_drift(evaluation, loaded.model, states, read)
    scored = pseudo_log_likelihoods(loaded.model, loaded.tokenizer, [texts], [""], 2048)[0]
    assert drift["base"]["tokens"] == len(read.rows)
    expected = np.exp(-scored.sum() / len(read.rows))
    assert drift["base"]["perplexity"] == pytest.approx(expected, rel=1e-3)
    assert drift["base"]["kl"] == pytest.approx(0, abs=1e-6)
    assert drift["fused"]["kl"] > 0


def test_a_masked_mention_tells_nothing(encoder_project: Path, tiny_masked: LanguageModel) -> None:
    """A country is found for every masked token but those of its own name."""
    folders = existing_artifacts(load_project(encoder_project), ["facts"])
    reader = GraphReader.open(folders["ingest"], folders["facts"])
    text = "The country of Estonia borders on the sea, and so does Mongolia."
    read = read_texts("masked", tiny_masked.tokenizer, [text])
    assert len(read.rows) > len(text.split())
    found = Counter[str]()
    for visible in read.visible:
        assert len(visible) == len(text)
        names = {reader.graph.label(entity) for entity in reader.retriever.entities(visible)}
        assert names == {name for name in ("Estonia", "Mongolia") if name in visible}
        found.update(names)
    assert 0 < found["Estonia"] < len(read.rows)
    assert 0 < found["Mongolia"] < len(read.rows)


def test_it_is_taught_asked_and_reported_like_any_other(
    encoder_project: Path, infact: Infact
) -> None:
    file = encoder_project.with_name("small.toml")
    file.with_name("general.txt").write_text("Rain fell on the town.\nShe read a book.\n")
    file.with_name("replay.txt").write_text("\nSnow lay on the hills.\nHe wrote a letter.\n")
    file.write_text(
        f'extends = "{encoder_project.name}"\n'
        '[facts]\ngeneral = []\ngeneral_text = "general.txt"\n'
        "[pretrain]\nmost_drift = 0.01\nepochs = 16\nlearning_rate = 1e-2\n"
        'replay = 0.2\nreplay_text = "replay.txt"\n'
        '[eval]\npools = ["T", "M", "S"]\nprompt_pools = ["T"]\nphrasings_per_fact = 1\n',
        encoding="utf-8",
    )
    done = infact(file, "report", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    stages = ["pretrain", "distill", "prompt", "eval", "report"]
    folders = existing_artifacts(load_project(file), stages)
    for stage in ("pretrain", "distill", "prompt"):
        told = json.loads((folders[stage] / "training.json").read_text(encoding="utf-8"))
        assert told["trained_parameters"] > 0
    pretrain = json.loads((folders["pretrain"] / "training.json").read_text(encoding="utf-8"))
    assert pretrain["losses"][-1] < pretrain["losses"][0]
    scaled = json.loads((folders["pretrain"] / "scale.json").read_text(encoding="utf-8"))
    # Near the base KL falls with the scale; far from it, where logits bend, it need not.
    drifts = [point["kl"] for point in scaled["curve"]]
    assert drifts[-1] == min(drifts)
    assert drifts[0] > scaled["bound"] == 0.01
    within = [point for point in scaled["curve"] if point["kl"] <= 0.01]
    best = max(within, key=lambda point: (point["right"], point["scale"]), default={"scale": 0})
    assert scaled["scale"] == best["scale"]
    rows = pq.read_table(folders["eval"] / "answers.parquet").to_pylist()
    arms = {row["arm"] for row in rows}
    assert arms >= {"base", "pretrained", "distilled", "fused", "soft prompt", "few-shot"}
    assert {row["generated"] for row in rows} == {None}
    report = folders["report"] / "report.json"
    assert infact.alone("verify", str(report)).returncode == 0
    told = json.loads(report.read_text(encoding="utf-8"))
    assert "nothing was answered freely" in told["limitations"][0]
    assert told["teaching"]["exposures"]["facts"] > 0
    page = (folders["report"] / "report.html").read_text(encoding="utf-8")
    assert "pretrained" in page
    assert "NaN" not in page
    _check_choice(file, infact)


def _check_choice(file: Path, infact: Infact) -> None:
    """Every arm of a masked base chooses among options that it is given."""
    question = ("ask", "What is the capital of Estonia?")
    done = infact(file, *question, "--option", "Tallinn", "--option", "Riga", "--json")
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)["answers"]
    assert {"base", "base + prompt", "pretrained", "distilled", "fused"} <= {
        answer["arm"] for answer in answers
    }
    for answer in answers:
        shares = answer["options"]
        assert set(shares) == {"Tallinn", "Riga"}
        assert sum(shares.values()) == pytest.approx(1, abs=1e-4)
        assert answer["text"] == max(shares, key=shares.__getitem__)
    assert any("Tallinn" in line for answer in answers for line in answer["cited"])
    alone = infact(file, *question, "--option", "Tallinn")
    assert alone.returncode == 2
    assert "--option" in alone.stderr


def test_what_needs_a_model_that_writes_says_so(encoder_project: Path, infact: Infact) -> None:
    infact(encoder_project, "base")
    done = infact(encoder_project, "ask", "What is the capital of Estonia?")
    assert done.returncode == 2
    assert "masked language model" in done.stderr
    assert "--option" in done.stderr
    assert "Traceback" not in done.stderr
