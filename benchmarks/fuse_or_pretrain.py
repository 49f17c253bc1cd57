"""Fusion against continued pretraining at equal tokens, question by question.

    python benchmarks/fuse_or_pretrain.py PROJECT WORK [--seed 0] [--asked 100] [--json FILE]

PROJECT is a project file whose stages base, ingest, facts, embed and link have been made; WORK a folder
that `benchmarks/fuse.py --work` left, whose seed and number of questions these are: what its fused arm
answered is taken from there. `infact pretrain` then teaches the taught facts' sentences for as many
epochs as bring it nearest to the tokens that fusion was trained on, and is asked the same questions.

  T M U   share of questions whose likeliest option is true, with 95 % intervals by subject; the
          difference is paired, its interval by cluster bootstrap, its p by exact McNemar
  KL      to the base on general text, in nats a token; ratio of perplexities
"""

import argparse
import json
import platform
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from fuse import POOLS as FUSE_POOLS
from fuse import drawn_questions
from infact.models.base_model import resolve_precision
from infact.models.language_model import LanguageModel, load_language_model
from infact.models.read_out import own_read_out
from infact.models.taught_weights import load_taught_model
from infact.pipeline.arms import Fusions
from infact.pipeline.console import Console
from infact.pipeline.evaluation.answer_rows import answer_rows
from infact.pipeline.evaluation.base_arms import (
    Answers,
    Evaluation,
    adapted_answers,
    unprompted_answers,
)
from infact.pipeline.evaluation.drift import (
    Drift,
    adapted_drift,
    drift_of,
    read_texts,
    text_states,
    with_ratios,
)
from infact.pipeline.general_prose import general_texts
from infact.pipeline.graph_reader import GraphReader
from infact.pipeline.measures.statistics import accuracy_interval, paired_comparison
from infact.pipeline.project import Project, load_project
from infact.pipeline.run import existing_artifacts
from infact.pipeline.stages import StageContext
from infact.pipeline.training import pretrain_stage
from infact.pipeline.training.teaching_data import taught_facts

POOLS = ("T", "M", "U")
STAGES = ("base", "ingest", "facts", "embed", "link")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("project", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--asked", type=int, default=100)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    project, work = load_project(arguments.project), arguments.work
    strategy = work.name.split("-")[0]
    project = _fusing(project, strategy)
    folders = existing_artifacts(project, STAGES)
    loaded = load_language_model(folders["base"], None, resolve_precision(project.eval.precision))
    print(
        f"python {platform.python_version()}, torch {version('torch')}, transformers "
        f"{version('transformers')}, peft {version('peft')}; {work.name}, seed {arguments.seed}"
    )
    trained = json.loads((work / "fuse" / "training.json").read_text())
    fused_tokens = trained["tokens"] * len(trained["fused"]["losses"])
    taught, tokens = pretrained(project, folders, loaded, fused_tokens, work, arguments.seed)
    print(f"tokens trained on: fused {fused_tokens:,}, pretrained {tokens:,}", flush=True)
    answers, drift = asked(
        project, {**folders, "fuse": work / "fuse"}, loaded, taught, work, arguments
    )
    found = _printed(answers, drift, arguments.seed)
    if arguments.json:
        told = {"strategy": strategy, "seed": arguments.seed, "tokens": [fused_tokens, tokens]}
        arguments.json.write_text(json.dumps({**told, **found}, indent=1) + "\n", encoding="utf-8")


def _fusing(project: Project, strategy: str) -> Project:
    fuse = project.fuse.model_copy(update={"strategy": strategy, "predicted": 0})
    return project.model_copy(update={"fuse": fuse})


def pretrained(
    project: Project,
    folders: Mapping[str, Path],
    loaded: LanguageModel,
    tokens: int,
    work: Path,
    seed: int,
) -> tuple[Path, int]:
    """The adapter of continued pretraining over about as many tokens, and how many they were."""
    folder = work / "pretrain"
    settings = project.pretrain
    facts = taught_facts(folders["facts"])
    lengths = [
        np.mean([len(loaded.tokenizer(told.text)["input_ids"]) for told in fact.sentences])
        for fact in facts
    ]
    an_epoch = sum(lengths) * settings.phrasings / (1 - settings.domain_text)
    epochs = max(1, round(tokens / an_epoch))
    own = project.model_copy(
        update={"pretrain": settings.model_copy(update={"epochs": epochs, "screened": 0})}
    )
    if not (folder / "training.json").exists():
        folder.mkdir(parents=True, exist_ok=True)
        files = {project.facts.general_text: project.resolve(project.facts.general_text)}
        pretrain_stage.run(StageContext(own, folder, dict(folders), seed, Console(), files))
    trained = json.loads((folder / "training.json").read_text())
    return folder / "adapter", trained["tokens"]


def asked(
    project: Project,
    folders: dict[str, Path],
    loaded: LanguageModel,
    adapter: Path,
    work: Path,
    arguments: argparse.Namespace,
) -> tuple[Answers, Drift]:
    """What base, fused and pretrained answer, and what becomes of general text when pretrained."""
    files = {spec: project.resolve(spec) for spec in (project.facts.general_text,)}
    context = StageContext(project, work / "eval", folders, arguments.seed, Console(), files)
    reader = GraphReader.open(folders["ingest"], folders["facts"])
    fusions = Fusions.of_stages(project, folders, reader, arguments.seed)
    questions = drawn_questions(folders["facts"], FUSE_POOLS, arguments.asked, arguments.seed)
    evaluation = Evaluation(context, loaded.tokenizer, questions, fusions)
    answers = unprompted_answers(evaluation, loaded.model)
    texts = read_texts(
        loaded.kind, loaded.tokenizer, general_texts(files[project.facts.general_text])
    )
    size = project.eval.batch_tokens
    states = text_states(loaded.model, loaded.tokenizer, texts, size)
    hidden = states.positions.hidden
    drift = drift_of(loaded.model, states, hidden, {"base": own_read_out})
    model = load_taught_model(folders["base"], adapter, resolve_precision(project.eval.precision))
    answers |= adapted_answers(evaluation, model, "pretrained")
    own = text_states(model, loaded.tokenizer, texts, size)
    drift |= adapted_drift(model, own, hidden, "pretrained")
    return {arm: answers[arm] for arm in ("base", "pretrained", "fused")}, with_ratios(drift)


def _printed(answers: Answers, drift: Drift, seed: int) -> dict[str, Any]:
    right: dict[str, dict[str, np.ndarray]] = {pool: {} for pool in POOLS}
    clusters: dict[str, np.ndarray] = {}
    found: dict[str, Any] = {"arms": {}, "differences": {}, "drift": drift}
    for arm, given in answers.items():
        rows = sorted(answer_rows(arm, seed, given), key=lambda row: (row["fact"], row["template"]))
        for pool in POOLS:
            own = [row for row in rows if row["pool"] == pool]
            right[pool][arm] = np.array([row["right"] for row in own], dtype=float)
            clusters[pool] = np.array([row["cluster"] for row in own])
    print(f"{'':<12}" + "".join(f"{pool:>16}" for pool in POOLS) + f"{'KL':>8}{'ratio':>7}")
    for arm in answers:
        intervals = [accuracy_interval(right[pool][arm], clusters[pool]) for pool in POOLS]
        found["arms"][arm] = {
            pool: asdict(each) for pool, each in zip(POOLS, intervals, strict=True)
        }
        cells = "".join(f"{_percent(of.estimate, of.low, of.high):>16}" for of in intervals)
        changed = drift.get(arm)
        beside = f"{changed['kl']:>8.3f}{changed['ratio']:>7.3f}" if changed else ""
        print(f"{arm:<12}{cells}{beside}")
    for pool in POOLS:
        of = paired_comparison(
            right[pool]["pretrained"], right[pool]["fused"], clusters[pool], seed
        )
        found["differences"][pool] = asdict(of)
        print(
            f"fused − pretrained, {pool}: {100 * of.difference:+.0f} points "
            f"({100 * of.low:+.0f} to {100 * of.high:+.0f}), p {of.mcnemar_p:.2g}"
        )
    return found


def _percent(estimate: float, low: float, high: float) -> str:
    return f"{100 * estimate:.0f} {100 * low:.0f}–{100 * high:.0f}"


if __name__ == "__main__":
    main()
