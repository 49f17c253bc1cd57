"""What a question costs: seconds, tokens and memory of the base, of facts in its prompt and of fusion.

    python benchmarks/fuse_cost.py PROJECT WORK… [--asked 40] [--turns 3] [--seed 0]

WORK are folders that `benchmarks/fuse.py --work` left: one a strategy, whose name they begin with. Each
question is asked alone, by every arm in turn and in an order drawn anew, from its text to the scores of
its options: mentions are linked, facts are laid out and read. A question's time is its least of all
turns. Memory is the most that a process of an arm's own held while it was asked; the base's weights are
most of it (Linux alone tells it).

  ms        median over the questions
  ratio     median of the arm's time over the base's, question by question, with quartiles
  right     share of pool M's questions whose likeliest option is true
  a right   milliseconds and tokens read for each right answer
"""

import argparse
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from infact.models.answering import answer_questions
from infact.models.base_model import resolve_precision
from infact.models.language_model import LanguageModel, load_language_model
from infact.models.posed_questions import Posed
from infact.models.read_out import own_read_out
from infact.pipeline.arms import FusedArm, Fusions, augmented
from infact.pipeline.evaluation.asked_questions import AskedQuestion, asked_questions
from infact.pipeline.graph_reader import GraphReader
from infact.pipeline.project import Project, load_project
from infact.pipeline.run import existing_artifacts

STAGES = ("base", "ingest", "facts", "embed")
Prepare = Callable[[str], tuple[str, FusedArm]]  # from a question to what is read, and through what


@dataclass(frozen=True)
class Measured:
    """Of an arm: the least seconds of each question, tokens that it read, and whether it was right."""

    seconds: np.ndarray
    tokens: np.ndarray
    right: np.ndarray


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("project", type=Path)
    parser.add_argument("work", type=Path, nargs="*")
    parser.add_argument("--asked", type=int, default=40)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--alone", help="one arm, whose peak memory is printed")
    arguments = parser.parse_args()
    project = load_project(arguments.project)
    folders = existing_artifacts(project, STAGES)
    dtype = resolve_precision(project.eval.precision)
    loaded = load_language_model(folders["base"], None, dtype)
    arms = _arms(project, folders, loaded, arguments.work, arguments.seed)
    questions = [
        question for question in asked_questions(folders["facts"], ("M",)) if not question.again
    ][: arguments.asked]
    if arguments.alone:
        Path("/proc/self/clear_refs").write_text("5")  # forgets the peak of loading
        for question in questions:
            _ask(loaded, question, arms[arguments.alone])
        lines = dict(
            line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines()
        )
        print(int(lines["VmHWM"].split()[0]) // 1024)
        return
    print(
        f"python {platform.python_version()}, torch {version('torch')} on {torch.get_num_threads()} "
        f"threads, transformers {version('transformers')}, {str(dtype).removeprefix('torch.')}; "
        f"{len(questions)} questions of pool M, {arguments.turns} turns"
    )
    measured = _race(loaded, questions, arms, arguments.turns)
    peaks = {name: _peak(sys.argv[1:], name) for name in arms}
    _print(measured, peaks)


def _arms(
    project: Project, folders: dict[str, Path], loaded: LanguageModel, work: list[Path], seed: int
) -> dict[str, Prepare]:
    base, tokenizer = loaded.model, loaded.tokenizer
    reader = GraphReader.open(folders["ingest"], folders["facts"])

    def plain(question: str) -> tuple[str, FusedArm]:
        return question, FusedArm(own_read_out)

    def prompted(question: str) -> tuple[str, FusedArm]:
        (text,), _ = augmented(reader, tokenizer, [question], project.fuse.max_facts)
        return text, FusedArm(own_read_out)

    def reading(folder: Path) -> Prepare:
        strategy = folder.name.split("-")[0]
        own = project.model_copy(
            update={"fuse": project.fuse.model_copy(update={"strategy": strategy})}
        )
        fusions = Fusions.of_stages(own, {**folders, "fuse": folder / "fuse"}, reader, seed)

        def fused(question: str) -> tuple[str, FusedArm]:
            arm = fusions.arms(base, tokenizer, [question], ("fused",))["fused"]
            return arm.text(question).text, arm

        return fused

    strategies = {folder.name.split("-")[0]: reading(folder) for folder in work}
    return {"base": plain, "base + prompt": prompted, **strategies}


def _race(
    loaded: LanguageModel, questions: list[AskedQuestion], arms: dict[str, Prepare], turns: int
) -> dict[str, Measured]:
    names, random = list(arms), np.random.default_rng(0)
    shape = (len(names), len(questions))
    seconds = np.full(shape, np.inf)
    tokens, right = np.zeros(shape), np.zeros(shape, dtype=bool)
    for name in names:  # adapters are loaded, and what a model is asked once is known
        _ask(loaded, questions[0], arms[name])
    for _ in range(turns):
        for number, question in enumerate(questions):
            for arm in random.permutation(len(names)):
                took, read, is_right = _ask(loaded, question, arms[names[arm]])
                seconds[arm, number] = min(seconds[arm, number], took)
                tokens[arm, number], right[arm, number] = read, is_right
    return {name: Measured(seconds[arm], tokens[arm], right[arm]) for arm, name in enumerate(names)}


def _ask(
    loaded: LanguageModel, question: AskedQuestion, prepare: Prepare
) -> tuple[float, int, bool]:
    """Seconds, tokens read before the options, and whether the likeliest option is right."""
    started = time.perf_counter()
    text, arm = prepare(question.prompt)
    posed = [Posed(text, question.options, 0, freely=False)]
    with torch.inference_mode(), arm.asked():
        ((answered,),) = answer_questions(
            loaded.model, loaded.tokenizer, posed, [arm.read_out], 1, 4096, lambda done: None
        )
    took = time.perf_counter() - started
    return took, answered.tokens, int(np.argmax(answered.scores)) == question.correct


def _peak(arguments: list[str], arm: str) -> int:
    """MiB."""
    command = [sys.executable, "-P", __file__, *arguments, "--alone", arm]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def _print(measured: dict[str, Measured], peaks: dict[str, int]) -> None:
    print(
        f"{'':<16}{'ms':>7}{'ratio':>20}{'tokens':>8}{'right':>8}{'ms a right':>12}"
        f"{'tokens a right':>16}{'peak MiB':>10}"
    )
    base = measured["base"].seconds
    for name, of in measured.items():
        low, middle, high = np.quantile(of.seconds / base, [0.25, 0.5, 0.75])
        share = of.right.mean()
        each = (
            f"{1000 * of.seconds.mean() / share:>12.0f}{of.tokens.mean() / share:>16.0f}"
            if share
            else f"{'–':>12}{'–':>16}"
        )
        ratio = f"{middle:.2f} ({low:.2f}–{high:.2f})"
        print(
            f"{name:<16}{1000 * np.median(of.seconds):>7.0f}{ratio:>20}{of.tokens.mean():>8.0f}"
            f"{share:>8.0%}{each}{peaks[name]:>10,}"
        )


if __name__ == "__main__":
    main()
