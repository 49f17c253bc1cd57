"""The report's tables as rows of words, the same for page, Markdown and terminal."""

from typing import Any

from ..console import duration
from ..words import bare_percent, count, milliseconds, p_value, percent, points, ratio, span
from .explanations import explained_facts_table, explained_layers_table
from .graph_checks import findings_table
from .provenance_tables import (
    curves_table,
    environment_table,
    sources_table,
    stages_table,
)
from .table import ABSENT, Table, estimate, word
from .trust_tables import (
    absent_table,
    calibration_table,
    consistency_table,
    edits_table,
    lists_table,
    repeat_table,
    seeds_table,
    slices_table,
)

__all__ = ["ABSENT", "Table", "tables"]

Json = dict[str, Any]


def tables(report: Json) -> dict[str, Table]:
    """All tables by name."""
    return {
        "arms": arms_table(report),
        "generation": generation_table(report),
        "comparisons": comparisons_table(report),
        "costs": costs_table(report),
        "controls": controls_table(report),
        "checks": checks_table(report),
        "lists": lists_table(report),
        "calibration": calibration_table(report),
        "consistency": consistency_table(report),
        "edits": edits_table(report),
        "seeds": seeds_table(report),
        "repeat": repeat_table(report),
        "absent": absent_table(report),
        "slices": slices_table(report, "relation"),
        "degrees": slices_table(report, "degree"),
        "languages": slices_table(report, "language"),
        "knowledge": slices_table(report, "knowledge"),
        "explained_facts": explained_facts_table(report),
        "explained_layers": explained_layers_table(report),
        "curves": curves_table(report),
        "environment": environment_table(report),
        "findings": findings_table(report),
        "sources": sources_table(report),
        "stages": stages_table(report),
    }


def arms_table(report: Json) -> Table:
    """Accuracy in per cent with its interval, an arm a row and a pool a column."""
    pools = report["pools"]
    rows = [
        (arm["name"], *(estimate(arm["pools"].get(pool["pool"])) for pool in pools))
        for arm in report["arms"]
    ]
    chance = ("chance", *(bare_percent(pool["chance"]) for pool in pools))
    head = ("accuracy, %", *(f"{pool['pool']} {pool['name']}" for pool in pools))
    return Table(head, (*rows, chance))


def generation_table(report: Json) -> Table:
    """Free answers: right with its interval, wrong, not attempted; disagreement with the choice."""
    head = (
        "free answers",
        "pool",
        "right, %",
        "wrong, %",
        "not attempted, %",
        "disagrees with choice, %",
        "questions",
    )
    rows = tuple(
        (
            arm["name"],
            pool["pool"],
            estimate(free),
            *(bare_percent(free[key]) for key in ("wrong", "not_attempted", "disagreement")),
            count(free["n"]),
        )
        for pool in report["pools"]
        for arm in report["arms"]
        if (free := (arm["pools"].get(pool["pool"]) or {}).get("generation"))
    )
    return Table(head, rows, text_columns=2)


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
        "p by subject",
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
            p_value(entry["clustered_p"]),
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
            word(cost.get("train_seconds"), duration),
            word(cost.get("train_tokens"), count),
            word(cost.get("trained_parameters"), count),
            word(cost.get("milliseconds_per_question"), milliseconds),
            word(cost.get("prompt_tokens_per_question"), count),
            word(perplexity.get("perplexity"), lambda value: f"{value:.2f}"),
            word(perplexity.get("ratio"), ratio),
            word(perplexity.get("kl"), ratio),
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
            word(entry["share"], percent),
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
