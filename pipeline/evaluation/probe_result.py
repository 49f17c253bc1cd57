"""What the rows of a standalone evaluation come to."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..measures.statistics import accuracy_interval

Row = dict[str, Any]
OUTCOMES = ("right", "wrong", "not attempted")


def result_of(model: str, kind: str, facts: str, rows: Sequence[Row]) -> Row:
    """The result that `infact eval --json` prints, less how fast it was and where its rows are."""
    arms = []
    for arm in dict.fromkeys(row["arm"] for row in rows):
        own = [row for row in rows if row["arm"] == arm]
        relations = {
            relation: _accuracy([row for row in own if row["relation"] == relation])
            for relation in dict.fromkeys(row["relation"] for row in own)
        }
        arms.append(
            {"name": arm, **_accuracy(own), "relations": relations, "generation": _generation(own)}
        )
    return {"model": model, "kind": kind, "facts": facts, "arms": arms}


def _accuracy(rows: Sequence[Row]) -> Row:
    """Accuracy with its 95 % interval, clustered by subject."""
    right = np.array([row["right"] for row in rows], dtype=float)
    found = accuracy_interval(right, np.array([row["cluster"] for row in rows]))
    ends = {"accuracy": found.estimate, "low": found.low, "high": found.high}
    return {**{name: round(value, 6) for name, value in ends.items()}, "n": found.n}


def _generation(rows: Sequence[Row]) -> Row | None:
    """Shares of what free answers came to; None where none was asked for."""
    asked = [row for row in rows if row["generated"] is not None]
    if not asked:
        return None
    shares = {
        outcome.replace(" ", "_"): _share([row["outcome"] == outcome for row in asked])
        for outcome in OUTCOMES
    }
    return {"n": len(asked), **shares, "lists": _lists(asked)}


def _lists(rows: Sequence[Row]) -> Row | None:
    """Where several answers are true; precision over the questions whose answer names something."""
    several = [row for row in rows if row["recall"] is not None]
    if not several:
        return None
    naming = [row["precision"] for row in several if row["precision"] is not None]
    return {
        "n": len(several),
        "precision": _share(naming) if naming else None,
        "recall": _share([row["recall"] for row in several]),
    }


def _share(values: Sequence[float]) -> float:
    return round(float(np.mean(values)), 6)
