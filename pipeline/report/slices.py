"""Slices side by side: in each, what the base answers and what the arm of the result answers."""

from dataclasses import dataclass
from typing import Any

from ..measures.arm_roles import BASE

Json = dict[str, Any]
KINDS = ("relation", "degree", "language", "knowledge")


@dataclass(frozen=True)
class SliceRow:
    """One slice: its value, its questions, accuracy with interval of the base and of the arm."""

    value: str
    n: int
    before: Json
    after: Json


@dataclass(frozen=True)
class SliceGroup:
    """The slices of one pool by one property, for the arm that the report is about."""

    by: str
    pool: str
    arm: str
    rows: tuple[SliceRow, ...]


def slice_groups(report: Json, pool: str) -> list[SliceGroup]:
    """The pool's slices by relation, degree, language and knowledge where base and arm answered both."""
    arm = arm_of_result(report, pool)
    groups = []
    for kind in KINDS:
        rows = tuple(
            SliceRow(str(entry["value"]), entry["n"], entry["arms"][BASE], entry["arms"][arm])
            for entry in report["slices"]
            if (entry.get("by"), entry["pool"]) == (kind, pool)
            and {BASE, arm} <= set(entry["arms"])
        )
        if rows:
            groups.append(SliceGroup(kind, pool, str(arm), rows))
    return groups


def arm_of_result(report: Json, pool: str) -> str | None:
    """The primary arm where it was asked, else the pool's first route."""
    asked = [arm for arm in report["arms"] if pool in arm["pools"]]
    routes = [arm["name"] for arm in asked if arm["role"] == "route"]
    primary = report["primary"]["arm"]
    return primary if any(arm["name"] == primary for arm in asked) else next(iter(routes), None)
