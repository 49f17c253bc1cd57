"""The targets that a run is held to, and whether it met them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..measures.arm_roles import BASE

Report = dict[str, Any]


@dataclass(frozen=True)
class Target:
    """A bound on one measure of one arm.

    `measure` is a key of MEASURES, `against` the arm that the measure relates to; `pool` is empty
    where the measure isn't taken in a pool, and needn't be named where there is but one ("followed"
    is of pool S, "returned" of pool D). One of `at_least` and `at_most` is set.
    """

    arm: str
    measure: str
    pool: str = ""
    against: str = BASE
    at_least: float | None = None
    at_most: float | None = None


def check_targets(report: Report, targets: tuple[Target, ...]) -> list[dict[str, Any]]:
    """Every target with its number; `met` and `value` are None where the run has no such number."""
    return [_check(report, target) for target in targets]


def _check(report: Report, target: Target) -> dict[str, Any]:
    measure, unit = MEASURES[target.measure]
    value = measure(report, target)
    met = None
    if value is not None:
        above = target.at_least is None or value >= target.at_least
        met = above and (target.at_most is None or value <= target.at_most)
    return {
        "arm": target.arm,
        "measure": target.measure,
        "pool": target.pool,
        "against": target.against,
        "unit": unit,
        "at_least": target.at_least,
        "at_most": target.at_most,
        "value": value,
        "met": met,
    }


def _accuracy(report: Report, arm: str, pool: str) -> float | None:
    pools: dict[str, dict[str, float]] = next(
        (entry["pools"] for entry in report["arms"] if entry["name"] == arm), {}
    )
    return pools[pool]["accuracy"] if pool in pools else None


def _own_accuracy(report: Report, target: Target) -> float | None:
    return _accuracy(report, target.arm, target.pool)


def _free_answers(report: Report, target: Target) -> float | None:
    for arm in report["arms"]:
        if arm["name"] == target.arm and target.pool in arm["pools"]:
            generation = arm["pools"][target.pool].get("generation")
            return float(generation["accuracy"]) if generation else None
    return None


def _gain(report: Report, target: Target) -> float | None:
    arm, other = (_accuracy(report, name, target.pool) for name in (target.arm, target.against))
    return None if arm is None or other is None else round(arm - other, 4)


def _share_of_gain(report: Report, target: Target) -> float | None:
    names = (target.arm, target.against, BASE)
    arm, other, base = (_accuracy(report, name, target.pool) for name in names)
    if arm is None or other is None or base is None or other <= base:
        return None
    return round((arm - base) / (other - base), 4)


def _share_of_accuracy(report: Report, target: Target) -> float | None:
    arm, other = (_accuracy(report, name, target.pool) for name in (target.arm, target.against))
    return None if arm is None or not other else round(arm / other, 4)


def _still_right(report: Report, target: Target) -> float | None:
    for comparison in report["comparisons"]:
        if (comparison["arm"], comparison["pool"]) == (target.arm, target.pool):
            was_right = comparison["kept"] + comparison["lost"]
            return round(comparison["kept"] / was_right, 4) if was_right else None
    return None


def _consistency(report: Report, target: Target) -> float | None:
    for entry in report["consistency"]:
        if (entry["arm"], entry["pool"]) == (target.arm, target.pool):
            return float(entry["same_choice"])
    return None


def _followed(report: Report, target: Target) -> float | None:
    return _edits(report, target.arm, "followed")


def _returned(report: Report, target: Target) -> float | None:
    return _edits(report, target.arm, "returned")


def _edits(report: Report, arm: str, measure: str) -> float | None:
    for entry in report["edits"]:
        if entry["arm"] == arm and entry[measure] is not None:
            return float(entry[measure]["share"])
    return None


def _perplexity_ratio(report: Report, target: Target) -> float | None:
    for arm in report["arms"]:
        if arm["name"] == target.arm and arm["perplexity"]:
            return float(arm["perplexity"]["ratio"])
    return None


def _latency_ratio(report: Report, target: Target) -> float | None:
    costs = {arm["name"]: arm["cost"] for arm in report["arms"] if arm["cost"]}
    if target.arm not in costs or target.against not in costs:
        return None
    key = "milliseconds_per_question"
    arm, other = costs[target.arm].get(key), costs[target.against].get(key)
    return round(arm / other, 4) if arm is not None and other else None


MEASURES: dict[str, tuple[Callable[[Report, Target], float | None], str]] = {
    "accuracy": (_own_accuracy, "percent"),
    "free answers": (_free_answers, "percent"),
    "gain": (_gain, "points"),
    "share of gain": (_share_of_gain, "percent"),
    "share of accuracy": (_share_of_accuracy, "percent"),
    "still right": (_still_right, "percent"),
    "consistency": (_consistency, "percent"),
    "followed": (_followed, "percent"),
    "returned": (_returned, "percent"),
    "perplexity ratio": (_perplexity_ratio, "ratio"),
    "latency ratio": (_latency_ratio, "ratio"),
}
