"""answers.csv: every answer as a person reads it in a spreadsheet.

No cell can be read as a formula: one that begins as a formula would is led by an apostrophe (OWASP,
"CSV Injection").
"""

import csv
import io
import unicodedata
from functools import lru_cache
from typing import Any

import pyarrow as pa

from ..measures.arm_roles import BASE, in_order
from ..measures.paired_answers import align_answers
from ..words import clean_text
from .rows import UNCALIBRATED, confidence

ANSWERS_CSV = "answers.csv"
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
COLUMNS = (
    "pool",
    "fact",
    "phrasing",
    "relation",
    "subject",
    "question",
    "answer",
    "arm",
    "seed",
    "chosen",
    "right",
    "confidence",
    "free answer",
    "free answer is",
    "precision",
    "recall",
    "given",
)

Json = dict[str, Any]


def answers_csv(answers: pa.Table, facts: pa.Table) -> str:
    """One row an answer, by pool, question, arm and seed.

    The question is as the base was asked it, or the first arm; what else an arm was given to read
    stands in the last column. Confidence is the softmax of the scores over the options.

    Args:
        answers: as answer_rows.py writes them.
        facts: facts.parquet of the facts stage.
    """
    names = dict(zip(facts["fact"].to_pylist(), facts["answer"].to_pylist(), strict=True))
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for pool in align_answers(answers).values():
        arms = in_order(list(pool.seed_rows))
        plain = BASE if BASE in arms else arms[0]
        prompts = answers["prompt"].take(pool.rows[plain]).to_pylist()
        given = [
            answers.take(rows).to_pylist() for arm in arms for rows in pool.seed_rows[arm].values()
        ]
        for at, (fact, _) in enumerate(pool.questions):
            question = {"question": prompts[at], "answer": names.get(fact)}
            writer.writerows(_cells({**by_arm[at], **question}) for by_arm in given)
    return stream.getvalue()


def harmless_cell(text: str) -> str:
    """A cell that no spreadsheet takes for a formula, nor one that folds full-width signs.

    >>> harmless_cell("=1+1"), harmless_cell("-")
    ("'=1+1", "'-")
    """
    folded = unicodedata.normalize("NFKC", text[:1])
    return f"'{text}" if folded.startswith(FORMULA) else text


def _cells(row: Json) -> list[str]:
    sure = None if row["arm"] in UNCALIBRATED else confidence(row["scores"], row["chosen"])
    texts = (
        row["pool"],
        row["fact"],
        row["template"],
        row["relation_label"],
        row["subject_label"],
        row["question"],
        row["answer"],
        row["arm"],
        str(row["seed"]),
        row["options"][row["chosen"]],
        "right" if row["right"] else "wrong",
        _share(sure),
        row["generated"],
        row["outcome"],
        _share(row["precision"]),
        _share(row["recall"]),
        "; ".join(row["cited"] or ()),
    )
    return [_cell(text or "") for text in texts]


@lru_cache(maxsize=4096)  # the arms' rows repeat most words
def _cell(text: str) -> str:
    return harmless_cell(clean_text(text))


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
