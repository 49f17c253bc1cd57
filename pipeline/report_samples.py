"""A seeded handful of facts of each pool, with what every arm answered."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from .paired_answers import PoolAnswers
from .report_arms import BASE
from .report_words import clean_text

FACTS_PER_POOL = 6
SHOWN_CITATIONS = 5

Json = dict[str, Any]


def sample_facts(
    answers: pa.Table,
    facts: pa.Table,
    pools: Mapping[str, PoolAnswers],
    names: list[str],
    seed: int,
) -> dict[str, list[Json]]:
    """The facts by pool; each has its question, true answer, source line and every arm's answer."""
    numbers = {fact: number for number, fact in enumerate(facts["fact"].to_pylist())}
    samples = {}
    for key, pool in pools.items():
        random = np.random.default_rng(seed)
        size = min(FACTS_PER_POOL, len(pool.questions))
        drawn = sorted(random.choice(len(pool.questions), size, replace=False))
        samples[key] = [
            _describe(answers, facts.slice(numbers[pool.questions[at][0]], 1), pool, names, at)
            for at in drawn
        ]
    return samples


def _describe(
    answers: pa.Table, fact: pa.Table, pool: PoolAnswers, names: list[str], at: int
) -> Json:
    asked = [name for name in names if name in pool.rows]
    plain = BASE if BASE in asked else asked[0]
    row = fact.to_pylist()[0]
    prompt = answers["prompt"][int(pool.rows[plain][at])].as_py()
    return {
        "fact": clean_text(row["fact"]),
        "subject": clean_text(row["subject_label"] or ""),
        "relation": clean_text(row["relation_label"] or ""),
        "question": clean_text(prompt or ""),
        "answer": clean_text(row["answer"]),
        "source": clean_text(row["source"] or ""),
        "line": row["line"],
        "answers": [_answer(answers, name, int(pool.rows[name][at])) for name in asked],
    }


def _answer(answers: pa.Table, arm: str, row: int) -> Json:
    given = answers.slice(row, 1).to_pylist()[0]
    options, chosen = given["options"], given["chosen"]
    generated = given["generated"]
    return {
        "arm": clean_text(arm),
        "chosen": clean_text(options[chosen]) if 0 <= chosen < len(options) else None,
        "right": given["right"],
        "generated": None if generated is None else clean_text(generated),
        "generated_right": given["generated_right"],
        "cited": [clean_text(line) for line in (given["cited"] or ())[:SHOWN_CITATIONS]],
    }
