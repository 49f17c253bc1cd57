"""The report's tables as rows of words, the same for page, Markdown and terminal."""

from dataclasses import dataclass
from typing import Any

from .console import duration
from .report_words import (
    bare_percent,
    count,
    milliseconds,
    p_value,
    percent,
    points,
    ratio,
    span,
)

Json = dict[str, Any]
ABSENT = "–"


@dataclass(frozen=True)
class Table:
    """A head and rows of equal length; the first `text_columns` hold words, the others numbers."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    text_columns: int = 1


def tables(report: Json) -> dict[str, Table]:
    """All tables by name."""
    return {
        "arms": arms_table(report),
        "generation": generation_table(report),
        "comparisons": comparisons_table(report),
        "costs": costs_table(report),
        "controls": controls_table(report),
        "checks": checks_table(report),
        "slices": slices_table(report),
        "sources": sources_table(report),
        "stages": stages_table(report),
    }


def arms_table(report: Json) -> Table:
    """Accuracy in per cent with its interval, an arm a row and a pool a column."""
    pools = report["pools"]
    rows = [
        (arm["name"], *(_accuracy(arm["pools"].get(pool["pool"])) for pool in pools))
        for arm in report["arms"]
    ]
    chance = ("chance", *(bare_percent(pool["chance"]) for pool in pools))
    head = ("accuracy, %", *(f"{pool['pool']} {pool['name']}" for pool in pools))
    return Table(head, (*rows, chance))


def generation_table(report: Json) -> Table:
    """Free answers: accuracy, and how often they disagree with the chosen option."""
    asked = [
        pool
        for pool in report["pools"]
        if any((arm["pools"].get(pool["pool"]) or {}).get("generation") for arm in report["arms"])
    ]
    head = ["free answers, %"]
    for pool in asked:
        head += [f"{pool['pool']} {pool['name']}", f"{pool['pool']} disagrees with choice"]
    rows = []
    for arm in report["arms"]:
        cells = [arm["name"]]
        for pool in asked:
            free = (arm["pools"].get(pool["pool"]) or {}).get("generation")
            cells += [_accuracy(free), bare_percent(free["disagreement"]) if free else ABSENT]
        if any(cell != ABSENT for cell in cells[1:]):
            rows.append(tuple(cells))
    return Table(tuple(head), tuple(rows))


def comparisons_table(report: Json) -> Table:
    head = (
        "arm against base",
        "pool",
        "difference, points",
        "95 % interval",
        "gained",
        "kept",
        "lost",
        "never right",
        "McNemar p",
        "Holm p",
        "beyond chance",
        "smallest detectable",
        "questions",
    )
    rows = tuple(
        (
            entry["arm"],
            entry["pool"],
            points(entry["difference"]),
            span(entry["low"], entry["high"]),
            *(count(entry[key]) for key in ("gained", "kept", "lost", "missed")),
            p_value(entry["mcnemar_p"]),
            p_value(entry["holm_p"]),
            "yes" if entry["beyond_chance"] else "no",
            bare_percent(entry["detectable"]),
            count(entry["n"]),
        )
        for entry in report["comparisons"]
    )
    return Table(head, rows, text_columns=2)


def costs_table(report: Json) -> Table:
    head = (
        "arm",
        "training",
        "tokens trained on",
        "parameters trained",
        "ms a question",
        "prompt tokens a question",
        "perplexity",
        "ratio to base",
        "KL to base, nats",
    )
    rows = []
    for arm in report["arms"]:
        cost, perplexity = arm["cost"] or {}, arm["perplexity"] or {}
        cells = (
            _word(cost.get("train_seconds"), duration),
            _word(cost.get("train_tokens"), count),
            _word(cost.get("trained_parameters"), count),
            _word(cost.get("milliseconds_per_question"), milliseconds),
            _word(cost.get("prompt_tokens_per_question"), count),
            _word(perplexity.get("perplexity"), lambda value: f"{value:.2f}"),
            _word(perplexity.get("ratio"), ratio),
            _word(perplexity.get("kl"), ratio),
        )
        rows.append((arm["name"], *cells))
    return Table(head, tuple(rows))


def controls_table(report: Json) -> Table:
    head = (
        "control",
        "for",
        "pool",
        "control's gain, points",
        "real gain, points",
        "share of the gain",
        "95 % interval",
        "real minus control, points",
        "95 % interval",
        "Holm p",
        "beyond chance",
    )
    rows = tuple(
        (
            entry["control"],
            entry["arm"],
            entry["pool"],
            points(entry["gain"]),
            points(entry["real_gain"]),
            _word(entry["share"], percent),
            ABSENT if entry["share"] is None else span(entry["share_low"], entry["share_high"]),
            points(entry["difference"]),
            span(entry["low"], entry["high"]),
            p_value(entry["holm_p"]),
            "yes" if entry["beyond_chance"] else "no",
        )
        for entry in report["controls"]
    )
    return Table(head, rows, text_columns=3)


def checks_table(report: Json) -> Table:
    rows = tuple(
        (
            check["arm"],
            check["measure"] + (f" in pool {check['pool']}" if check["pool"] else ""),
            check["against"],
            _bound(check),
            _in_unit(check["value"], check["unit"]),
            {True: "met", False: "missed", None: "not measured"}[check["met"]],
        )
        for check in report["checks"]
    )
    return Table(("arm", "measure", "against", "target", "found", "verdict"), rows, text_columns=3)


def slices_table(report: Json) -> Table:
    arms = [arm["name"] for arm in report["arms"]]
    rows = tuple(
        (
            row["relation"],
            row["pool"],
            count(row["n"]),
            *(_accuracy(row["arms"].get(name)) for name in arms),
        )
        for row in report["slices"]
    )
    return Table(("relation", "pool", "questions", *arms), rows, text_columns=2)


def sources_table(report: Json) -> Table:
    keys = ("name", "version", "licence", "digest")
    counts = ("read", "stored", "duplicate", "rejected")
    rows = tuple(
        (
            *(source[key] or ABSENT for key in keys),
            *(_word(source[key], count) for key in counts),
        )
        for source in report["provenance"]["sources"]
    )
    head = ("source", "version", "licence", "sha256", *counts)
    return Table(head, rows, text_columns=len(keys))


def stages_table(report: Json) -> Table:
    rows = tuple(
        (
            stage["stage"],
            stage["key"],
            stage["device"] or ABSENT,
            str(stage["version"]),
            _word(stage["seed"], str),
            _word(stage["seconds"], duration),
            _word(stage["peak_mib"], count),
        )
        for stage in report["provenance"]["stages"]
    )
    head = ("stage", "key", "device", "version", "seed", "took", "peak MiB")
    return Table(head, rows, text_columns=3)


def _accuracy(found: Json | None) -> str:
    if not found:
        return ABSENT
    return f"{bare_percent(found['accuracy'])} ({span(found['low'], found['high'])})"


def _word(value: Any, write: Any) -> str:
    return ABSENT if value is None else str(write(value))


def _bound(check: Json) -> str:
    bounds = (("at least", check["at_least"]), ("at most", check["at_most"]))
    return ", ".join(
        f"{words} {_in_unit(bound, check['unit'])}" for words, bound in bounds if bound is not None
    )


def _in_unit(value: float | None, unit: str) -> str:
    if value is None:
        return ABSENT
    write = {"points": lambda share: f"{points(share)} points", "percent": percent}.get(unit, ratio)
    return write(value)
