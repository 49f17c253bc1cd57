"""The report's tables beyond accuracy: calibration, phrasings, edits, lists, seeds, repeat, slices."""

from collections.abc import Iterator
from typing import Any

from ..words import bare_percent, count, points, ratio, span
from .table import Table, estimate, word

Json = dict[str, Any]
SLICES = {
    "relation": "relation",
    "degree": "triples at the subject",
    "language": "language",
    "knowledge": "before it was taught",
}


def calibration_table(report: Json) -> Table:
    head = (
        "arm",
        "pool",
        "mean confidence, %",
        "right, %",
        "calibration error, points",
        "95 % interval",
        "Brier score",
        "95 % interval",
        "wrong among the surest half, %",
        "area under risk and coverage",
        "answers",
    )
    rows = tuple(
        (
            arm,
            pool,
            bare_percent(found["confidence"]),
            bare_percent(entry["accuracy"]),
            bare_percent(found["ece"]),
            span(found["ece_low"], found["ece_high"]),
            ratio(found["brier"]),
            f"{ratio(found['brier_low'])} to {ratio(found['brier_high'])}",
            bare_percent(_surest_half(found)["risk"]),
            ratio(found["aurc"]),
            count(found["n"]),
        )
        for arm, pool, entry in _entries(report)
        if (found := entry["calibration"])
    )
    return Table(head, rows, text_columns=2)


def lists_table(report: Json) -> Table:
    """Free answers to questions with several true objects."""
    rows = tuple(
        (
            arm,
            pool,
            word(found["precision"], bare_percent),
            bare_percent(found["recall"]),
            bare_percent(found["f1"]),
            count(found["n"]),
        )
        for arm, pool, entry in _entries(report)
        if entry["generation"] and (found := entry["generation"]["lists"])
    )
    head = ("arm", "pool", "precision, %", "recall, %", "F1, %", "questions with several objects")
    return Table(head, rows, text_columns=2)


def consistency_table(report: Json) -> Table:
    head = (
        "arm",
        "pool",
        "same choice, %",
        "both right, %",
        "right under all phrasings, %",
        "right under any, %",
        "best minus worst phrasing, points",
        "facts",
    )
    rows = tuple(
        (
            entry["arm"],
            entry["pool"],
            estimate(entry, "same_choice"),
            *(bare_percent(entry[key]) for key in ("both_right", "all_right", "any_right")),
            word(entry["spread"], bare_percent),
            count(entry["facts"]),
        )
        for entry in report["consistency"]
    )
    return Table(head, rows, text_columns=2)


def edits_table(report: Json) -> Table:
    rows = tuple(
        (
            entry["arm"],
            *(estimate(entry[key], "share") for key in ("followed", "stayed", "returned")),
            *(word((entry[key] or {}).get("n"), count) for key in ("followed", "returned")),
        )
        for entry in report["edits"]
    )
    head = (
        "arm",
        "swapped: new answer, %",
        "swapped: old answer, %",
        "deleted: as the base, %",
        "swapped questions",
        "deleted questions",
    )
    return Table(head, rows)


def seeds_table(report: Json) -> Table:
    rows = tuple(
        (
            arm,
            pool,
            bare_percent(entry["accuracy"]),
            points(entry["seed_deviation"]).lstrip("+"),
            bare_percent(entry["seed_variance"]["share"]),
        )
        for arm, pool, entry in _entries(report)
        if entry["seed_variance"]
    )
    head = (
        "arm",
        "pool",
        "accuracy, %",
        "deviation between seeds, points",
        "seeds' share of one run's variance, %",
    )
    return Table(head, rows, text_columns=2)


def repeat_table(report: Json) -> Table:
    """The base asked twice: anything but zeros means that the run isn't reproducible."""
    rows = tuple(
        (entry["pool"], count(entry["changed"]), points(entry["difference"]), count(entry["n"]))
        for entry in report["repeat"]
    )
    return Table(("pool", "answers changed", "difference, points", "questions"), rows)


def absent_table(report: Json) -> Table:
    rows = tuple((entry["arm"], entry["why"]) for entry in report["absent"])
    return Table(("absent arm", "why it couldn't be asked"), rows, text_columns=2)


def slices_table(report: Json, by: str) -> Table:
    """Accuracy in the slices of one kind: by relation, degree, language or knowledge."""
    found = [row for row in report["slices"] if row["by"] == by]
    arms = [arm["name"] for arm in report["arms"] if any(arm["name"] in r["arms"] for r in found)]
    rows = tuple(
        (
            row["value"],
            row["pool"],
            count(row["n"]),
            *(estimate(row["arms"].get(name)) for name in arms),
        )
        for row in found
    )
    return Table((SLICES[by], "pool", "questions", *arms), rows, text_columns=2)


def _entries(report: Json) -> Iterator[tuple[str, str, Json]]:
    """Every arm's entry in every pool."""
    for pool in report["pools"]:
        for arm in report["arms"]:
            if pool["pool"] in arm["pools"]:
                yield arm["name"], pool["pool"], arm["pools"][pool["pool"]]


def _surest_half(calibration: Json) -> Json:
    curve: list[Json] = calibration["risk_coverage"]
    return min(curve, key=lambda point: abs(point["coverage"] - 0.5))
