"""A run that was made before, as who was right on what: a report, or a folder of `infact eval`."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import UserError
from ..artifacts import MANIFEST, digest_of
from ..measures.answered_pools import AnsweredPool, read_rows
from ..measures.cluster_bootstrap import Values
from .document import REPORT_JSON, read_report

ROWS = "rows.jsonl"  # of `infact eval --model … --facts …`
WITHOUT_POOLS = "facts"  # what the one pool of such a run is called
FIX = "name a report.json, its folder, or a folder that `infact eval --model … --facts …` made"

Json = dict[str, Any]
Question = tuple[str, str]


@dataclass(frozen=True)
class RunPool:
    """The questions of one pool and which arms were right.

    Attributes:
        places: the row of each question, a fact and its phrasing.
        options: for each row, what tells whether two runs chose among the same options.
        clusters: (n,) what intervals are clustered by.
        right: (n,) of each arm: share of its seeds that were right.
    """

    places: Mapping[Question, int]
    options: tuple[str, ...]
    clusters: NDArray[Any]
    right: Mapping[str, Values]


def read_run(path: Path) -> dict[str, RunPool]:
    """The pools of a run.

    Raises:
        UserError: there is no run, it isn't finished, or it can't be read.
    """
    if path.is_dir():
        found = next((path / name for name in (REPORT_JSON, ROWS) if (path / name).is_file()), None)
        if found is None:
            raise UserError("there is no run in this folder", str(path), FIX)
        path = found
    if path.name == ROWS:
        if not (path.parent / MANIFEST).is_file():
            raise UserError("the run isn't finished", str(path), "run the same `infact eval` again")
        return {WITHOUT_POOLS: _evaluated(path)}
    return {key: _reported(pool) for key, pool in read_rows(read_report(path).get("rows")).items()}


def _reported(pool: AnsweredPool) -> RunPool:
    questions = zip(pool.facts, pool.templates.tolist(), strict=True)
    numbers = zip(pool.options.tolist(), pool.correct.tolist(), strict=True)
    return RunPool(
        places={question: at for at, question in enumerate(questions)},
        options=tuple(f"{count} options, the right one at {place}" for count, place in numbers),
        clusters=pool.clusters,
        right={arm: pool.right(arm) for arm in pool.arms},
    )


def _evaluated(path: Path) -> RunPool:
    by_arm: dict[str, dict[Question, Json]] = {}
    for where, row in _rows(path):
        try:
            own = by_arm.setdefault(str(row["arm"]), {})
            question = (str(row["probe"]), "")
            own[question] = {
                "options": digest_of([row["options"], row["correct"]]),
                "cluster": str(row["cluster"]),
                "right": float(row["right"]),
            }
        except (KeyError, TypeError, ValueError) as error:
            raise UserError(f"the row lacks what it should have: {error}", where, FIX) from None
    if not by_arm:
        raise UserError("the run has no answers", str(path), FIX)
    reference = next(iter(by_arm.values()))
    for arm, own in by_arm.items():
        if own.keys() != reference.keys():
            raise UserError("the arms answered different facts", f"{path}: arm {arm}", FIX)
    return RunPool(
        places={question: at for at, question in enumerate(reference)},
        options=tuple(row["options"] for row in reference.values()),
        clusters=np.array([row["cluster"] for row in reference.values()]),
        right={
            arm: np.array([own[question]["right"] for question in reference])
            for arm, own in by_arm.items()
        },
    )


def _rows(path: Path) -> Iterator[tuple[str, Any]]:
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            where = f"{path}:{number}"
            try:
                yield where, json.loads(line)
            except ValueError as error:
                raise UserError(f"the line isn't JSON: {error}", where, FIX) from None
