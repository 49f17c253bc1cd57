"""Context distillation against hard labels at equal steps, the teacher itself, and retrieval.

    python benchmarks/distil.py PROJECT [--seed 0] [--asked 100] [--work FOLDER] [--json FILE]

PROJECT is a project file whose stages base, ingest, facts and link have been made, on a causal base. Two
students begin as the base, with adapters that change nothing yet, and see the same questions in the same
batches, as often and with the same anchors: one learns the teacher's distributions as `[distill]` says,
the other the answers alone (`cross_entropy_weight = 1`). The teacher is the base with the graph's facts
before each question; BM25 and dense retrieval put the best-ranked of the same lines there. All are asked
the project's test questions, whose phrasings no student has seen.

  T U         share of facts whose likeliest option is true, with 95 % intervals by subject
  of teacher  what a student has of the teacher's accuracy on T
  ratio KL    perplexity of general text over the base's, and KL to the base in nats
"""

import argparse
import json
import platform
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from fuse import drawn_questions
from infact.models.base_model import resolve_precision
from infact.models.language_model import LanguageModel, load_language_model
from infact.models.low_rank import add_low_rank_adapters
from infact.models.read_out import own_read_out
from infact.models.taught_weights import load_taught_model
from infact.pipeline.arms import Fusions, augmented
from infact.pipeline.console import Console
from infact.pipeline.evaluation.answer_rows import answer_rows
from infact.pipeline.evaluation.arm_answers import ArmAnswers, ArmGroup
from infact.pipeline.evaluation.base_arms import Evaluation
from infact.pipeline.evaluation.drift import (
    Drift,
    adapted_drift,
    read_texts,
    text_states,
    with_ratios,
)
from infact.pipeline.evaluation.retrieval_arms import retrieved_answers
from infact.pipeline.general_prose import general_texts
from infact.pipeline.graph_reader import GraphReader
from infact.pipeline.measures.statistics import accuracy_interval, paired_comparison
from infact.pipeline.project import Project, load_project
from infact.pipeline.run import existing_artifacts
from infact.pipeline.stages import StageContext
from infact.pipeline.training import distill_stage

STAGES = ("base", "ingest", "facts", "link")
POOLS = ("T", "U")
TEACHER, DISTILLED, HARD = "base + prompt", "distilled", "hard labels"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("project", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--asked", type=int, default=100)
    parser.add_argument("--work", type=Path)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    project = load_project(arguments.project)
    folders = existing_artifacts(project, STAGES)
    versions = ", ".join(f"{name} {version(name)}" for name in ("torch", "transformers", "peft"))
    print(f"python {platform.python_version()}, {versions}; {torch.get_num_threads()} threads")
    asked_in = resolve_precision(project.eval.precision)
    base = load_language_model(folders["base"], None, asked_in)
    with tempfile.TemporaryDirectory() as temporary:
        work = arguments.work or Path(temporary)
        evaluation = _evaluation(project, folders, base, arguments.asked, work, arguments.seed)
        texts = read_texts(
            base.kind,
            base.tokenizer,
            general_texts(project.resolve(project.facts.general_text)),
        )
        size = project.eval.batch_tokens
        own = text_states(base.model, base.tokenizer, texts, size)
        hidden = own.positions.hidden
        answers = _untaught(evaluation, base)
        drift = adapted_drift(base.model, own, hidden, "base")
        started = untrained(project, folders["base"], work / "untrained", arguments.seed)
        students = {DISTILLED: project.distill.cross_entropy_weight, HARD: 1.0}
        for arm, weight in students.items():
            seconds = student(
                project, {**folders, "pretrain": started}, weight, work / arm, arguments.seed
            )
            model = load_taught_model(folders["base"], work / arm / "adapter", asked_in)
            answers |= _asked(evaluation, replace(base, model=model), arm)
            states = text_states(model, base.tokenizer, texts, size)
            drift |= adapted_drift(model, states, hidden, arm)
            if seconds:
                print(f"{arm}: {seconds:.0f} s, teacher and anchors included", flush=True)
    found = _printed(answers, with_ratios(drift), arguments.seed)
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def _evaluation(
    project: Project,
    folders: Mapping[str, Path],
    base: LanguageModel,
    most: int,
    work: Path,
    seed: int,
) -> Evaluation:
    files = {
        spec: project.resolve(spec) for spec in (project.facts.general_text, project.eval.encoder)
    }
    context = StageContext(project, work / "eval", dict(folders), seed, Console(), files)
    reader = GraphReader.open(folders["ingest"], folders["facts"])
    none = work / "no fusion"
    fusions = Fusions(
        none, "late", folders["base"], reader, reader.graph, project.fuse.max_facts, seed
    )
    questions = drawn_questions(folders["facts"], POOLS, most, seed)
    return Evaluation(context, base.tokenizer, questions, fusions)


def _untaught(evaluation: Evaluation, base: LanguageModel) -> dict[str, ArmAnswers]:
    """The base, the base with the graph's facts before the question, and with retrieved lines."""
    answers = _asked(evaluation, base, "base")
    taught = [question for question in evaluation.questions if question.pool == "T"]
    told, _ = augmented(
        evaluation.reader,
        base.tokenizer,
        [question.prompt for question in taught],
        evaluation.fusions.max_facts,
    )
    group = ArmGroup(TEACHER, taught, told, {TEACHER: own_read_out}, frozenset({TEACHER}))
    answers |= evaluation.ask(base.model, group)
    return answers | retrieved_answers(evaluation, base.model, taught)


def _asked(evaluation: Evaluation, model: LanguageModel, arm: str) -> dict[str, ArmAnswers]:
    prompts = [question.prompt for question in evaluation.questions]
    silent = frozenset({arm})
    group = ArmGroup(arm, evaluation.questions, prompts, {arm: own_read_out}, silent)
    return evaluation.ask(model.model, group)


def untrained(project: Project, base_folder: Path, folder: Path, seed: int) -> Path:
    """A pretrain folder whose adapter changes nothing yet."""
    precision = resolve_precision(project.model.precision)
    torch.manual_seed(seed)
    model = load_language_model(base_folder, None, precision).model
    adapted = add_low_rank_adapters(model, project.pretrain.rank, project.pretrain.layers)
    adapted.save_pretrained(str(folder / "adapter"))
    return folder


def student(
    project: Project, folders: Mapping[str, Path], weight: float, work: Path, seed: int
) -> float:
    """Train one student; its seconds, 0 where it has been trained before."""
    if (work / "training.json").exists():
        return 0.0
    work.mkdir(parents=True, exist_ok=True)
    distill = project.distill.model_copy(update={"cross_entropy_weight": weight})
    own = project.model_copy(update={"distill": distill})
    started = time.monotonic()
    distill_stage.run(StageContext(own, work, dict(folders), seed, Console(), {}))
    return time.monotonic() - started


def _printed(answers: Mapping[str, ArmAnswers], drift: Drift, seed: int) -> dict[str, Any]:
    right: dict[str, dict[str, np.ndarray]] = {}
    clusters: dict[str, np.ndarray] = {}
    found: dict[str, Any] = {"arms": {}, "drift": drift}
    print(f"{'':<18}{'T':>14}{'U':>14}{'of teacher':>12}{'ratio':>8}{'KL':>8}")
    for arm, given in answers.items():
        rows = sorted(answer_rows(arm, seed, given), key=lambda row: str(row["fact"]))
        right[arm], cells = {}, []
        for pool in POOLS:
            own = [row for row in rows if row["pool"] == pool]
            right[arm][pool] = np.array([row["right"] for row in own], dtype=float)
            clusters[pool] = np.array([row["cluster"] for row in own]) if own else clusters[pool]
            cells.append(_cell(right[arm][pool], clusters[pool]))
        share = right[arm]["T"].mean() / right[TEACHER]["T"].mean() if TEACHER in right else None
        changed = drift.get(arm)
        beside = f"{changed['ratio']:>8.3f}{changed['kl']:>8.3f}" if changed else ""
        told = "–" if share is None else f"{share:.0%}"
        print(f"{arm:<18}{cells[0]:>14}{cells[1]:>14}{told:>12}{beside}")
        found["arms"][arm] = {pool: own.mean() for pool, own in right[arm].items() if len(own)}
    for pool in POOLS:
        of = paired_comparison(right[HARD][pool], right[DISTILLED][pool], clusters[pool], seed)
        found[f"distilled over hard labels, {pool}"] = [
            of.difference,
            of.low,
            of.high,
            of.mcnemar_p,
        ]
        print(
            f"distilled over hard labels, {pool}: {100 * of.difference:+.0f} points "
            f"({100 * of.low:+.0f} to {100 * of.high:+.0f}), p {of.mcnemar_p:.2g}"
        )
    return found


def _cell(right: Sequence[float] | np.ndarray, clusters: np.ndarray) -> str:
    if not len(right):
        return "–"
    of = accuracy_interval(np.asarray(right), clusters)
    return f"{of.estimate:.0%} {100 * of.low:.0f}–{100 * of.high:.0f}"


if __name__ == "__main__":
    main()
