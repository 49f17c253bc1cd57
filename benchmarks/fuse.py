"""Fusion strategies under one budget: what each puts into a frozen model, breaks and costs.

    python benchmarks/fuse.py PROJECT [--strategies late attention] [--seeds 0] [--phrasings 1]
        [--epochs 3] [--learning-rates 2e-3 3e-3] [--vectors graph label graph+definition none]
        [--predicted 0] [--swapped 0.5] [--unrelated 0]
        [--arms unprompted] [--asked 100] [--work FOLDER] [--json FILE]

PROJECT is a project file whose stages base, ingest, facts and embed have been made. Every strategy is
trained on the same questions for as many epochs, and so are its two controls, whose vectors or objects
are wrong; all are asked the project's test questions, beside the base and beside the base with the facts
in its prompt. Nothing here is chosen by what it prints: rates come from the command line.

  T M I U   share of questions whose likeliest option is true, with 95 % intervals by subject
  S         the same where the graph was edited after training: does the answer follow?
  free      share of T, M and S whose free answer is a name of a true object
  ms        reading and scoring a question, options included; tokens of its prompt
  KL        to the base on general text, in nats a token; ratio of perplexities
"""

import argparse
import itertools
import json
import platform
import tempfile
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from infact.models.base_model import resolve_precision
from infact.models.language_model import load_language_model
from infact.pipeline.arms import Fusions
from infact.pipeline.console import Console
from infact.pipeline.evaluation.answer_rows import answer_rows
from infact.pipeline.evaluation.arm_answers import ArmAnswers
from infact.pipeline.evaluation.asked_questions import AskedQuestion, asked_questions
from infact.pipeline.evaluation.base_arms import Evaluation, base_answers, unprompted_answers
from infact.pipeline.evaluation.drift import (
    Drift,
    read_texts,
    text_states,
    with_ratios,
)
from infact.pipeline.evaluation.eval_stage import fused_drift
from infact.pipeline.general_prose import general_texts
from infact.pipeline.graph_reader import GraphReader
from infact.pipeline.measures.statistics import accuracy_interval
from infact.pipeline.project import Project, load_project
from infact.pipeline.run import existing_artifacts
from infact.pipeline.stages import StageContext
from infact.pipeline.training import fuse_stage

ARMS = {"all": base_answers, "unprompted": unprompted_answers}
POOLS = ("T", "M", "I", "U", "S", "D")
STAGES = ("base", "ingest", "facts", "embed")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("project", type=Path)
    parser.add_argument("--strategies", nargs="+", default=["late", "attention"])
    parser.add_argument("--learning-rates", nargs="+", type=float, default=[2e-3, 3e-3])
    parser.add_argument("--batch-sizes", nargs="+", type=int, default=[128, 16])
    parser.add_argument("--vectors", nargs="+", default=["graph"], help="sources, joined by +")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--phrasings", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--predicted", type=int, default=0, help="objects of a lacking relation")
    parser.add_argument("--swapped", type=float, default=0.5, help="share of the practice facts")
    parser.add_argument("--unrelated", type=int, default=0, help="texts that no fact bears on")
    parser.add_argument("--arms", choices=sorted(ARMS), default="all", help="facts in prompts too?")
    parser.add_argument("--asked", type=int, default=100)
    parser.add_argument("--work", type=Path, help="keeps what was trained and answered")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    project = load_project(arguments.project)
    print(
        f"python {platform.python_version()}, torch {version('torch')}, transformers "
        f"{version('transformers')}; trained in "
        f"{str(resolve_precision(project.model.precision)).removeprefix('torch.')}, asked in "
        f"{str(resolve_precision(project.eval.precision)).removeprefix('torch.')}",
        flush=True,
    )
    found = []
    with tempfile.TemporaryDirectory() as temporary:
        work = arguments.work or Path(temporary)
        strategies = zip(
            arguments.strategies, arguments.learning_rates, arguments.batch_sizes, strict=True
        )
        for (strategy, rate, size), vectors, seed in itertools.product(
            strategies, arguments.vectors, arguments.seeds
        ):
            changed = {
                "strategy": strategy,
                "vectors": () if vectors == "none" else tuple(vectors.split("+")),
                "predicted": arguments.predicted,
                "swapped": arguments.swapped,
                "unrelated_texts": arguments.unrelated,
                "learning_rate": rate,
                "batch_size": size,
                "phrasings": arguments.phrasings,
                "epochs": arguments.epochs,
            }
            own = project.model_copy(update={"fuse": project.fuse.model_copy(update=changed)})
            name = (
                f"{strategy}-{vectors}-{arguments.predicted}-{arguments.swapped}-"
                f"{arguments.unrelated}-{seed}"
            )
            found.append(raced(own, seed, arguments.asked, arguments.arms, work / name))
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def raced(project: Project, seed: int, most: int, arms: str, work: Path) -> dict[str, Any]:
    """Train one strategy and ask it and those of `ARMS`; prints and returns what was measured."""
    folders = existing_artifacts(project, STAGES)
    files = {spec: project.resolve(spec) for spec in (project.facts.general_text,)}
    console = Console()
    trained, asked = work / "fuse", work / "eval"
    for folder in (trained, asked):
        folder.mkdir(parents=True, exist_ok=True)
    if not (trained / "training.json").exists():
        fuse_stage.run(StageContext(project, trained, folders, seed, console, files))
    context = StageContext(project, asked, {**folders, "fuse": trained}, seed, console, files)
    dtype = resolve_precision(project.eval.precision)
    loaded = load_language_model(folders["base"], None, dtype)
    base, tokenizer = loaded.model, loaded.tokenizer
    reader = GraphReader.open(folders["ingest"], folders["facts"])
    fusions = Fusions.of_stages(project, context.inputs, reader, seed)
    questions = drawn_questions(folders["facts"], POOLS, most, seed)
    evaluation = Evaluation(context, tokenizer, questions, fusions)
    answers = ARMS[arms](evaluation, base)
    general = general_texts(files[project.facts.general_text])
    texts = read_texts(loaded.kind, tokenizer, general)
    states = text_states(base, tokenizer, texts, project.eval.batch_tokens)
    drift = with_ratios(fused_drift(evaluation, base, states, texts))
    seconds = json.loads((trained / "log" / "training.json").read_text())["seconds"]
    return _printed(project, seed, answers, drift, seconds)


def drawn_questions(
    facts: Path, pools: tuple[str, ...], most: int, seed: int
) -> list[AskedQuestion]:
    """At most so many questions of each pool, none of a fact in another phrasing."""
    questions, drawn = asked_questions(facts, pools), []
    for pool in pools:
        own = [question for question in questions if question.pool == pool and not question.again]
        order = np.random.default_rng([seed, 53]).permutation(len(own))[:most]
        drawn += [own[number] for number in sorted(order)]
    return drawn


def _printed(
    project: Project,
    seed: int,
    answers: Mapping[str, ArmAnswers],
    drift: Drift,
    seconds: Mapping[str, float],
) -> dict[str, Any]:
    strategy, vectors = project.fuse.strategy, " + ".join(project.fuse.vectors) or "none"
    options = {
        "predicted": project.fuse.predicted,
        "swapped": project.fuse.swapped,
        "unrelated": project.fuse.unrelated_texts,
    }
    told = ", ".join(f"{name}: {value}" for name, value in options.items())
    print(f"\n{strategy}, vectors: {vectors}, {told}, seed {seed}")
    print(
        f"{'':<18}{'trained':>9}"
        + "".join(f"{pool:>17}" for pool in POOLS)
        + f"{'free T':>8}{'M':>6}{'S':>6}{'ms':>8}{'tokens':>8}{'KL':>8}{'ratio':>7}"
    )
    arms = {}
    for arm, given in answers.items():
        rows = answer_rows(arm, seed, given)
        pools = {pool: [row for row in rows if row["pool"] == pool] for pool in POOLS}
        values = {pool: _accuracy(own) for pool, own in pools.items() if own}
        free = {pool: _free(pools[pool]) for pool in ("T", "M", "S")}
        changed = drift.get(arm, {})
        arms[arm] = {
            "seconds": seconds.get(arm),
            "pools": values,
            "free": free,
            "milliseconds": given.milliseconds,
            "tokens": given.tokens,
            "kl": changed.get("kl"),
            "perplexity_ratio": changed.get("ratio"),
        }
        cells = "".join(f"{_interval(values.get(pool)):>17}" for pool in POOLS)
        told = "".join(f"{_share(free[p]):>{w}}" for p, w in (("T", 8), ("M", 6), ("S", 6)))
        print(
            f"{arm:<18}{_number(seconds.get(arm), 0):>8}s{cells}{told}"
            f"{_number(given.milliseconds, 0):>8}{_number(given.tokens, 0):>8}"
            f"{_number(changed.get('kl'), 4):>8}{_number(changed.get('ratio'), 3):>7}",
            flush=True,
        )
    return {
        "strategy": strategy,
        "vectors": vectors,
        **options,
        "seed": seed,
        "arms": arms,
    }


def _accuracy(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    right = np.array([row["right"] for row in rows], dtype=float)
    found = accuracy_interval(right, np.array([row["cluster"] for row in rows]))
    return {"accuracy": found.estimate, "low": found.low, "high": found.high, "n": len(rows)}


def _free(rows: Sequence[Mapping[str, Any]]) -> float | None:
    asked = [row["generated_right"] for row in rows if row["generated"] is not None]
    return float(np.mean(asked)) if asked else None


def _interval(of: Mapping[str, float] | None) -> str:
    if of is None:
        return "–"
    return f"{of['accuracy']:.1%} {of['low'] * 100:.0f}–{of['high'] * 100:.0f}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.0%}"


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


if __name__ == "__main__":
    main()
