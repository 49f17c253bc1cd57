"""The report's tables on where its numbers come from: sources, stages, training, environment."""

from typing import Any

from ..console import duration
from ..words import count, ratio
from .table import ABSENT, Table, word

Json = dict[str, Any]


def sources_table(report: Json) -> Table:
    keys = ("name", "version", "licence", "digest")
    counts = ("read", "stored", "duplicate", "rejected")
    rows = tuple(
        (
            *(source[key] or ABSENT for key in keys),
            *(word(source[key], count) for key in counts),
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
            word(stage["seed"], str),
            word(stage["seconds"], duration),
            word(stage["peak_mib"], count),
        )
        for stage in report["provenance"]["stages"]
    )
    head = ("stage", "key", "device", "version", "seed", "took", "peak MiB")
    return Table(head, rows, text_columns=3)


def curves_table(report: Json) -> Table:
    """Each training's mean loss in its first, its best and its last epoch."""
    rows = tuple(
        (
            stage,
            curve["name"],
            count(len(curve["losses"])),
            *(ratio(loss) for loss in (curve["losses"][0], min(curve["losses"]))),
            ratio(curve["losses"][-1]),
        )
        for stage, curves in report["curves"].items()
        for curve in curves
    )
    head = ("stage", "training", "epochs", "first loss", "lowest loss", "last loss")
    return Table(head, rows, text_columns=2)


def environment_table(report: Json) -> Table:
    found = report["environment"]
    named = [(key, found[key] or ABSENT) for key in ("device", "platform", "python")]
    return Table(("environment", "version"), (*named, *found["packages"].items()), text_columns=2)
