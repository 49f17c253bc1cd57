"""Answers lined up for comparison: in each pool one column of questions, answered by every arm.

A question is a (fact, template). Arms are compared within a pool, so every arm that answered a pool
must have answered the same questions with the same options, once for each of its seeds.
"""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ...errors import UserError
from ...kg.questions.pools import ASKED

Question = tuple[str, str]
FIX = "run `infact eval` again, so that every arm answers the same facts"


@dataclass(frozen=True)
class PoolAnswers:
    """All answers to one pool; every array is aligned with `questions`.

    `seed_rows` holds for each arm the row numbers of the answers of each of its seeds, in the order
    of the seeds, and `right` the share of its seeds that chose the right option.
    """

    pool: str
    questions: tuple[Question, ...]
    seed_rows: dict[str, dict[int, NDArray[np.intp]]]
    right: dict[str, NDArray[np.float64]]

    @property
    def rows(self) -> dict[str, NDArray[np.intp]]:
        """The row numbers of each arm's first seed."""
        return {arm: next(iter(seeds.values())) for arm, seeds in self.seed_rows.items()}


def align_answers(answers: pa.Table) -> dict[str, PoolAnswers]:
    """Line up the answers of every pool, in the order of `pools.ASKED`, then any other by name.

    Raises:
        UserError: there are no answers, an arm answered a question twice, arms of a pool answered
            different facts or chose among different options, the phrasings of a fact have different
            options, or a row contradicts itself.
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
    right = _right(answers)
    order = [pool for pool in ASKED if pool in by_pool]
    order += sorted(set(by_pool) - set(order))
    return {pool: _align_pool(answers, right, pool, by_pool[pool]) for pool in order}


def _right(answers: pa.Table) -> NDArray[np.float64]:
    chosen, correct = (answers[name].to_numpy() for name in ("chosen", "correct"))
    right = chosen == correct
    different = np.flatnonzero(right != np.array(answers["right"].to_pylist(), dtype=bool))
    if len(different):
        where = f"answers.parquet, row {different[0]}: columns chosen, correct and right"
        raise UserError("a row contradicts itself", where, FIX)
    return right.astype(float)


def _align_pool(
    answers: pa.Table,
    right: NDArray[np.float64],
    pool: str,
    arms: dict[str, dict[int, dict[Question, int]]],
) -> PoolAnswers:
    first = next(iter(arms.values()))
    questions = tuple(sorted(next(iter(first.values()))))
    rows = {
        arm: {seed: _rows_of(pool, arm, seeds[seed], questions) for seed in sorted(seeds)}
        for arm, seeds in arms.items()
    }
    reference = next(iter(next(iter(rows.values())).values()))
    _check_options(answers, pool, rows, reference)
    _check_phrasings(answers, pool, questions, reference)
    return PoolAnswers(
        pool=pool,
        questions=questions,
        seed_rows=rows,
        right={
            arm: np.mean([right[taken] for taken in seeds.values()], axis=0)
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


def _check_phrasings(
    answers: pa.Table, pool: str, questions: tuple[Question, ...], reference: NDArray[np.intp]
) -> None:
    """Choices under two phrasings can be compared only if they are among the same options."""
    seen: dict[str, list[str]] = {}
    options = answers["options"].take(reference).to_pylist()
    for (fact, template), given in zip(questions, options, strict=True):
        if seen.setdefault(fact, given) != given:
            where = f"pool {pool}, fact {fact}, template {template}"
            raise UserError("a fact's phrasings have different options", where, FIX)
