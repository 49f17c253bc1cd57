"""Answers lined up for comparison: in each pool one column of questions, answered by every arm.

A question is a (fact, template). Arms are compared within a pool, so every arm that answered a pool
must have answered the same questions with the same options, once for each of its seeds.
"""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ..errors import UserError

Question = tuple[str, str]
POOL_ORDER = ("T", "M", "I", "U")
FIX = "run `infact eval` again, so that every arm answers the same facts"


@dataclass(frozen=True)
class PoolAnswers:
    """All answers to one pool; every array is aligned with `questions`.

    `right` holds for each arm the share of its seeds that chose the right option, `generated` the
    share whose free answer was right (nan for a question, no entry for an arm which wasn't asked),
    `rows` the row numbers of the answers of its first seed, and `seed_accuracy` the accuracy of each seed.
    """

    pool: str
    questions: tuple[Question, ...]
    clusters: NDArray[np.str_]
    relations: NDArray[np.str_]
    chance: float
    right: dict[str, NDArray[np.float64]]
    generated: dict[str, NDArray[np.float64]]
    rows: dict[str, NDArray[np.intp]]
    seed_accuracy: dict[str, dict[int, float]]


def align_answers(answers: pa.Table) -> dict[str, PoolAnswers]:
    """Line up the answers of every pool, in the order T, M, I, U, then any other by name.

    Raises:
        UserError: there are no answers, an arm answered a question twice, or arms of a pool
            answered different facts or chose among different options.
    """
    if answers.num_rows == 0:
        raise UserError("there are no answers to report", "answers.parquet", FIX)
    answers = answers.combine_chunks()
    by_pool: dict[str, dict[str, dict[int, dict[Question, int]]]] = defaultdict(
        lambda: defaultdict(lambda: defaultdict(dict))
    )
    keys = ("pool", "arm", "seed", "fact", "template")
    columns = [answers[name].to_pylist() for name in keys]
    for row, (pool, arm, seed, fact, template) in enumerate(zip(*columns, strict=True)):
        rows = by_pool[pool][arm][seed]
        if (fact, template) in rows:
            where = f"answers.parquet, row {row}: arm {arm}, fact {fact}, template {template}"
            raise UserError("an arm answered a question twice", where, FIX)
        rows[fact, template] = row
    order = [pool for pool in POOL_ORDER if pool in by_pool]
    order += sorted(set(by_pool) - set(order))
    return {pool: _align_pool(answers, pool, by_pool[pool]) for pool in order}


def _align_pool(
    answers: pa.Table, pool: str, arms: dict[str, dict[int, dict[Question, int]]]
) -> PoolAnswers:
    first = next(iter(arms.values()))
    questions = tuple(sorted(next(iter(first.values()))))
    rows = {
        arm: {seed: _rows_of(pool, arm, found, questions) for seed, found in seeds.items()}
        for arm, seeds in arms.items()
    }
    reference = next(iter(next(iter(rows.values())).values()))
    _check_options(answers, pool, rows, reference)
    right = np.array(answers["right"].to_pylist(), dtype=float)
    generated = np.array(answers["generated_right"].to_pylist(), dtype=float)  # null becomes nan
    options = answers["options"].take(reference).to_pylist()
    free = {arm: _mean_over_seeds(generated, seeds) for arm, seeds in rows.items()}
    return PoolAnswers(
        pool=pool,
        questions=questions,
        clusters=_text(answers, "cluster", reference),
        relations=_text(answers, "relation_label", reference),
        chance=float(np.mean([1 / max(1, len(choices)) for choices in options])),
        right={arm: _mean_over_seeds(right, seeds) for arm, seeds in rows.items()},
        generated={arm: values for arm, values in free.items() if not np.isnan(values).all()},
        rows={arm: seeds[min(seeds)] for arm, seeds in rows.items()},
        seed_accuracy={
            arm: {seed: float(right[taken].mean()) for seed, taken in sorted(seeds.items())}
            for arm, seeds in rows.items()
        },
    )


def _rows_of(
    pool: str, arm: str, found: dict[Question, int], questions: tuple[Question, ...]
) -> NDArray[np.intp]:
    different = set(questions) ^ set(found)
    if different:
        fact, template = min(different)
        state = "not answered" if (fact, template) in questions else "answered only"
        where = (
            f"pool {pool}: {len(different)} questions differ; "
            f"fact {fact}, template {template} was {state} by {arm}"
        )
        raise UserError("the arms answered different facts", where, FIX)
    return np.array([found[question] for question in questions], dtype=np.intp)


def _check_options(
    answers: pa.Table,
    pool: str,
    rows: dict[str, dict[int, NDArray[np.intp]]],
    reference: NDArray[np.intp],
) -> None:
    for column in ("options", "correct"):
        expected = answers[column].take(reference)
        for arm, seeds in rows.items():
            if any(not answers[column].take(taken).equals(expected) for taken in seeds.values()):
                where = f"pool {pool}, column {column}, arm {arm}"
                raise UserError("the arms chose among different options", where, FIX)


def _mean_over_seeds(
    values: NDArray[np.float64], seeds: dict[int, NDArray[np.intp]]
) -> NDArray[np.float64]:
    return np.mean([values[taken] for taken in seeds.values()], axis=0)


def _text(answers: pa.Table, column: str, rows: NDArray[np.intp]) -> NDArray[np.str_]:
    return np.array([value or "" for value in answers[column].take(rows).to_pylist()])
