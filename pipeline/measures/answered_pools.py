"""The rows of a report read again: questions and every arm's answers as arrays, checked.

Legend: n questions of a pool.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import UserError
from .cluster_bootstrap import Values

FREE_LETTERS = "rwn-"  # right, wrong, not attempted, not asked
DIGITS = 3  # of one confidence
FIX = "take a report.json as `infact report` wrote it"

Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class SeedAnswers:
    """An arm's answers to a pool with one seed.

    Attributes:
        seed: of the training.
        chosen: (n,) place of the chosen option.
        right: (n,) 1 where that is the right one, else 0.
        confidence: (n,) softmax share of the chosen option; None where scores have no such meaning.
        free: (n,) letters of FREE_LETTERS.
        precision: (n,) of the objects that a free answer lists; nan where nothing was asked for.
        recall: (n,) the same.
    """

    seed: int
    chosen: Numbers
    right: Values
    confidence: Values | None
    free: NDArray[np.str_]
    precision: Values
    recall: Values


@dataclass(frozen=True)
class AnsweredPool:
    """The questions of a pool, aligned, and what every arm answered.

    `before` is the place of the option that the graph told before an edit, or -1; `objects` counts
    the true objects; a degree of 0, an empty language and empty knowledge aren't known.
    """

    pool: str
    facts: tuple[str, ...]
    templates: NDArray[np.str_]
    clusters: Numbers
    relations: NDArray[np.str_]
    degrees: Numbers
    languages: NDArray[np.str_]
    knowledge: NDArray[np.str_]
    options: Numbers
    correct: Numbers
    before: Numbers
    objects: Numbers
    arms: dict[str, tuple[SeedAnswers, ...]]

    @property
    def chance(self) -> float:
        """Accuracy of choosing blindly."""
        return float(np.mean(1 / self.options))

    def right(self, arm: str) -> Values:
        """(n,) share of the arm's seeds that chose the right option."""
        return np.mean([given.right for given in self.arms[arm]], axis=0)


def read_rows(rows: object) -> dict[str, AnsweredPool]:
    """The pools of a report's `rows`.

    Raises:
        UserError: the rows contradict themselves, and where.
    """
    if not isinstance(rows, dict) or not rows:
        raise UserError("the report holds no rows to recompute from", "rows", FIX)
    return {
        str(key): _read_pool(str(key), _table(pool, f"rows / {key}")) for key, pool in rows.items()
    }


def _read_pool(pool: str, rows: Mapping[str, Any]) -> AnsweredPool:
    where = f"rows / {pool}"
    facts = rows.get("facts")
    if not isinstance(facts, list) or not facts or not all(isinstance(f, str) for f in facts):
        raise UserError("the facts aren't a list of names", f"{where} / facts", FIX)
    n = len(facts)

    def column(name: str, least: int) -> Numbers:
        return _whole(rows.get(name), n, f"{where} / {name}", lambda values: values >= least)

    options, correct, before = column("options", 1), column("correct", 0), column("before", -1)
    for name, places in (("correct", correct), ("before", before)):
        _refuse(places >= options, "it isn't among the options", f"{where} / {name}")
    templates = _named(rows, "template", n, where)
    if len(set(zip(facts, templates.tolist(), strict=True))) < n:
        raise UserError("a question stands there twice", f"{where} / facts", FIX)
    arms = _table(rows.get("arms"), f"{where} / arms")
    if not arms:
        raise UserError("no arm answered", f"{where} / arms", FIX)
    return AnsweredPool(
        pool=pool,
        facts=tuple(facts),
        templates=templates,
        clusters=column("clusters", 0),
        relations=_named(rows, "relation", n, where),
        degrees=column("degrees", 0),
        languages=_named(rows, "language", n, where),
        knowledge=_named(rows, "knowledge", n, where),
        options=options,
        correct=correct,
        before=before,
        objects=column("objects", 1),
        arms={
            arm: _read_seeds(seeds, options, correct, f"{where} / {arm}")
            for arm, seeds in arms.items()
        },
    )


def _read_seeds(
    seeds: object, options: Numbers, correct: Numbers, where: str
) -> tuple[SeedAnswers, ...]:
    if not isinstance(seeds, list) or not seeds:
        raise UserError("an arm's answers aren't a list by seed", where, FIX)
    read = tuple(_read_answers(_table(seed, where), options, correct, where) for seed in seeds)
    if len({given.seed for given in read}) < len(read):
        raise UserError("a seed stands there twice", where, FIX)
    return read


def _read_answers(
    rows: Mapping[str, Any], options: Numbers, correct: Numbers, where: str
) -> SeedAnswers:
    n = len(options)
    seed = rows.get("seed")
    if type(seed) is not int:
        raise UserError("the seed isn't a whole number", f"{where} / seed", FIX)
    chosen = _whole(rows.get("chosen"), n, f"{where} / chosen", lambda values: values >= 0)
    _refuse(chosen >= options, "it isn't among the options", f"{where} / chosen")
    return SeedAnswers(
        seed=seed,
        chosen=chosen,
        right=(chosen == correct).astype(float),
        confidence=_confidence(rows.get("confidence"), n, f"{where} / confidence"),
        free=_letters(rows.get("free"), n, f"{where} / free"),
        precision=_sparse(rows.get("precision"), n, f"{where} / precision"),
        recall=_sparse(rows.get("recall"), n, f"{where} / recall"),
    )


def _confidence(digits: object, n: int, where: str) -> Values | None:
    if digits == "":
        return None
    if not isinstance(digits, str) or len(digits) != DIGITS * n:
        raise UserError(f"confidence isn't {DIGITS} digits for each of {n} questions", where, FIX)
    if not (digits.isascii() and digits.isdigit()):
        raise UserError("confidence holds something other than digits", where, FIX)
    values = np.frombuffer(digits.encode(), dtype=np.uint8).reshape(n, DIGITS) - ord("0")
    return values @ np.array([100, 10, 1]) / 10**DIGITS


def _letters(free: object, n: int, where: str) -> NDArray[np.str_]:
    if not isinstance(free, str) or len(free) != n or set(free) - set(FREE_LETTERS):
        problem = f"free answers aren't one letter of {FREE_LETTERS} for each of {n} questions"
        raise UserError(problem, where, FIX)
    return np.array(list(free))


def _sparse(pairs: object, n: int, where: str) -> Values:
    """(n,) values given as [question, value] pairs; nan elsewhere."""
    values = np.full(n, np.nan)
    try:
        listed = np.array(pairs, dtype=float).reshape(-1, 2)
    except (TypeError, ValueError):
        raise UserError("it isn't a list of question and value", where, FIX) from None
    places = listed[:, 0]
    _refuse((places < 0) | (places >= n) | (places % 1 != 0), "there is no such question", where)
    # Not the other way round: nan is no share.
    _refuse(~((listed[:, 1] >= 0) & (listed[:, 1] <= 1)), "it isn't a share", where)
    values[places.astype(int)] = listed[:, 1]
    return values


def _named(rows: Mapping[str, Any], name: str, n: int, where: str) -> NDArray[np.str_]:
    """A column of words, given as numbers into a list of them."""
    names = rows.get(f"{name}_names")
    if not isinstance(names, list) or not all(isinstance(word, str) for word in names):
        raise UserError("the names aren't a list of words", f"{where} / {name}_names", FIX)
    place = f"{where} / {name}s"
    numbers = _whole(rows.get(f"{name}s"), n, place, lambda values: values >= 0)
    _refuse(numbers >= len(names), f"there is no such number in {name}_names", place)
    return np.array(names)[numbers]


def _whole(
    values: object, n: int, where: str, allowed: Callable[[Numbers], NDArray[np.bool_]]
) -> Numbers:
    if not isinstance(values, list) or len(values) != n:
        raise UserError(f"it isn't one number for each of {n} questions", where, FIX)
    if not all(type(value) is int and abs(value) < 2**31 for value in values):
        raise UserError("it holds something other than whole numbers", where, FIX)
    numbers = np.array(values, dtype=np.int64)
    _refuse(~allowed(numbers), "a number is too small", where)
    return numbers


def _table(value: object, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise UserError("it isn't an object with names", where, FIX)
    return value


def _refuse(wrong: NDArray[np.bool_], problem: str, where: str) -> None:
    if wrong.any():
        raise UserError(problem, f"{where}, question {int(np.argmax(wrong)) + 1}", FIX)
