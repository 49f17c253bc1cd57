"""Teaching facts as text: `infact pretrain` against Hugging Face's Trainer with PEFT's LoRA.

    python benchmarks/teach.py PROJECT [--peer-rates 2e-4 1e-3] [--seed 0] [--asked 100]
        [--work FOLDER] [--json FILE]

PROJECT is a project file whose stages base, ingest, facts and link have been made, on a causal base. The
peer gets the same sentences, each as often, in batches as large, and adapters of the same rank on every
linear layer; its loss lies on every token, as its collator has it. It is trained once for as many
exposures, and once for no more seconds than ours took, at each of the rates given. Both are asked the
project's test questions, whose phrasings neither has seen.

  exposures   sentences of facts that were trained on, and how many a second, domain text left out
  T R         share of taught facts whose likeliest option is true: asked forwards, and reversed
  U ratio KL  general facts; perplexity of general text over the base's, and KL to the base in nats
"""

import argparse
import json
import platform
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from infact.models.answering import answer_questions
from infact.models.base_model import resolve_precision
from infact.models.language_model import LanguageModel, load_language_model
from infact.models.posed_questions import Posed
from infact.models.read_out import own_read_out
from infact.models.taught_weights import load_taught_model
from infact.pipeline.console import Console
from infact.pipeline.evaluation.asked_questions import AskedQuestion, asked_questions
from infact.pipeline.evaluation.drift import adapted_drift, read_texts, text_states
from infact.pipeline.general_prose import general_texts
from infact.pipeline.project import Project, load_project
from infact.pipeline.run import existing_artifacts
from infact.pipeline.stages import StageContext
from infact.pipeline.training import pretrain_stage
from infact.pipeline.training.exposures import ExposureShares, TextsOfFact, exposure_plan
from infact.pipeline.training.teaching_data import taught_facts
from peft import LoraConfig, get_peft_model
from transformers import (
    DataCollatorForLanguageModeling,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)
from transformers.modeling_utils import PreTrainedModel

STAGES = ("base", "ingest", "facts", "link")
POOLS = ("T", "R", "U")


@dataclass(frozen=True)
class Run:
    """What one training came to; `exposures` are sentences of facts."""

    name: str
    seconds: float
    exposures: int
    accuracy: dict[str, float]
    ratio: float
    kl: float


class Stop(TrainerCallback):
    """Ends a training after so many seconds."""

    def __init__(self, seconds: float) -> None:
        self.end = time.monotonic() + seconds

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        control.should_training_stop |= time.monotonic() > self.end


class Examiner:
    """Asks every model the same questions and general text."""

    def __init__(self, project: Project, base: LanguageModel, folder: Path, most: int) -> None:
        self.base = base
        asked = asked_questions(folder, POOLS)
        self.questions = {
            pool: _first([q for q in asked if q.pool == pool], most) for pool in POOLS
        }
        general = general_texts(project.resolve(project.facts.general_text))
        self.texts = read_texts(base.kind, base.tokenizer, general)
        self.batch_tokens = project.eval.batch_tokens
        self.states = text_states(base.model, base.tokenizer, self.texts, self.batch_tokens)
        self.perplexity = self.drift(base.model)["perplexity"]

    def drift(self, model: PreTrainedModel) -> dict[str, float]:
        states = text_states(model, self.base.tokenizer, self.texts, self.batch_tokens)
        return adapted_drift(model, states, self.states.positions.hidden, "arm")["arm"]

    def examined(self, name: str, model: PreTrainedModel, seconds: float, exposures: int) -> Run:
        accuracy = {}
        for pool, questions in self.questions.items():
            posed = [Posed(q.prompt, q.options, n, freely=False) for n, q in enumerate(questions)]
            (given,) = answer_questions(
                model,
                self.base.tokenizer,
                posed,
                [own_read_out],
                1,
                self.batch_tokens,
                ignore,
                (0,),
            )
            pairs = zip(given, questions, strict=True)
            accuracy[pool] = sum(int(a.scores.argmax()) == q.correct for a, q in pairs) / len(posed)
        drift = self.drift(model)
        ratio = drift["perplexity"] / self.perplexity
        run = Run(name, seconds, exposures, accuracy, ratio, drift["kl"])
        _print(run)
        return run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("project", type=Path)
    parser.add_argument("--peer-rates", type=float, nargs="*", default=[2e-4, 1e-3])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--asked", type=int, default=100)
    parser.add_argument("--work", type=Path)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    project = load_project(arguments.project)
    # What is known is shown to both alike, and screening is no part of the race.
    settings = project.pretrain.model_copy(update={"screened": 0})
    project = project.model_copy(update={"pretrain": settings})
    folders = existing_artifacts(project, STAGES)
    precision = resolve_precision(project.model.precision)
    versions = ", ".join(f"{name} {version(name)}" for name in ("torch", "transformers", "peft"))
    print(f"python {platform.python_version()}, {versions}; {torch.get_num_threads()} threads")
    asked_in = resolve_precision(project.eval.precision)
    base = load_language_model(folders["base"], None, asked_in)
    examiner = Examiner(project, base, folders["facts"], arguments.asked)
    runs = [examiner.examined("base", base.model, 0.0, 0)]
    with tempfile.TemporaryDirectory() as temporary:
        work = arguments.work or Path(temporary)
        seconds, exposures = ours(project, folders, arguments.seed, work / "infact")
        model = load_taught_model(folders["base"], work / "infact" / "adapter", asked_in)
        runs.append(examiner.examined("infact", model, seconds, exposures))
        sentences = shown(project, folders["facts"], arguments.seed)
        for rate in arguments.peer_rates:
            for limit in (float("inf"), seconds):
                model = load_language_model(folders["base"], None, precision).model
                name = f"Trainer {rate:g}" + ("" if limit == float("inf") else ", as long")
                took, share = peer(model, base, project, sentences, rate, limit, work)
                trained = model.to(asked_in)
                runs.append(examiner.examined(name, trained, took, round(share * len(sentences))))
    first = runs[1]
    for run in runs[2:]:
        print(f"exposures a second, infact over {run.name}: {_rate(first) / _rate(run):.2f}")
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(run) for run in runs], indent=1) + "\n")


def ours(project: Project, folders: dict[str, Path], seed: int, work: Path) -> tuple[float, int]:
    """Seconds of the whole stage, anchors with it, and exposures."""
    work.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    pretrain_stage.run(StageContext(project, work, folders, seed, Console(), {}))
    seconds = time.monotonic() - started
    counts = json.loads((work / "exposures.json").read_text(encoding="utf-8"))
    return seconds, sum(counts.values())


def shown(project: Project, facts_folder: Path, seed: int) -> list[str]:
    """The sentences that ours shows, epoch by epoch."""
    settings, facts = project.pretrain, taught_facts(facts_folder)
    counts = [TextsOfFact.of(fact) for fact in facts]
    each, shares = [settings.phrasings] * len(facts), ExposureShares(settings.questions)
    plan = exposure_plan(counts, each, shares, settings.epochs, seed)
    return [facts[fact].texts[at].text for epoch in plan for fact, at in epoch]


def peer(
    model: PreTrainedModel,
    base: LanguageModel,
    project: Project,
    sentences: Sequence[str],
    rate: float,
    limit: float,
    work: Path,
) -> tuple[float, float]:
    """Train `model` in place, adapters merged; seconds, and the share of the sentences that were reached."""
    settings = project.pretrain
    torch.manual_seed(project.seed)  # of the adapters' first weights
    lora = LoraConfig(r=settings.rank, lora_alpha=2 * settings.rank, target_modules="all-linear")
    adapted = get_peft_model(model.requires_grad_(False), lora)
    collator = DataCollatorForLanguageModeling(base.tokenizer, mlm=False)
    told = TrainingArguments(
        output_dir=str(work / "trainer"),
        per_device_train_batch_size=settings.batch_size,
        num_train_epochs=1,  # the sentences are those of all epochs
        learning_rate=rate,
        lr_scheduler_type="cosine",
        warmup_steps=0.05,  # of all
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        use_cpu=not torch.cuda.is_available(),
        seed=project.seed,
    )
    rows = [{"input_ids": ids} for ids in base.tokenizer(list(sentences))["input_ids"]]
    trainer = Trainer(
        adapted,
        told,
        collator,
        train_dataset=rows,
        callbacks=[Stop(limit)],  # type: ignore[arg-type]
    )
    started = time.monotonic()
    trainer.train()
    seconds = time.monotonic() - started
    adapted.merge_and_unload()
    steps = -(-len(rows) // settings.batch_size)
    return seconds, min(1.0, trainer.state.global_step / steps)


def ignore(count: int) -> None:
    pass


def _first(questions: Sequence[AskedQuestion], most: int) -> list[AskedQuestion]:
    return [question for question in questions if not question.again][:most]


def _rate(run: Run) -> float:
    return run.exposures / run.seconds


def _print(run: Run) -> None:
    pools = "  ".join(f"{pool} {share:4.0%}" for pool, share in run.accuracy.items())
    speed = f"{run.exposures / run.seconds:6.1f} a second" if run.seconds else ""
    print(
        f"{run.name:<24}{run.exposures:>7,} exposures{run.seconds:>7.0f} s {speed:<16}  {pools}"
        f"  ratio {run.ratio:.3f}  KL {run.kl:.3f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
