"""Positions in the plots of lines: risk against coverage, loss against epoch, confidence against truth.

Lengths are in each drawing's own units; every line is a path as SVG's attribute `d` spells it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .plots import round_step, spread

Json = dict[str, Any]
Point = tuple[float, float]


@dataclass(frozen=True)
class Frame:
    """The drawing's size, and the margins between its edges and the plotted area."""

    width: int
    height: int
    left: int
    right: int
    top: int
    bottom: int

    def place(self, across: float, up: float) -> Point:
        """Where a point lies whose coordinates are shares of the plotted area, from its lower left."""
        inner = self.width - self.left - self.right
        tall = self.height - self.top - self.bottom
        return round(self.left + across * inner, 1), round(self.top + (1 - up) * tall, 1)


RISK_FRAME = Frame(480, 300, 34, 150, 14, 38)
LOSS_FRAME = Frame(220, 130, 30, 10, 10, 26)
RELIABILITY_FRAME = Frame(145, 152, 28, 8, 8, 32)
SMALLEST_DOT, LARGEST_DOT = 1.5, 6.0  # radius of a bin without answers and of one with them all


@dataclass(frozen=True)
class RiskLine:
    """An arm's risk at each coverage; its label stands right of the line's end."""

    name: str
    role: str
    path: str
    end: Point
    label_y: float
    risk: float
    area: float | None


@dataclass(frozen=True)
class RiskPlot:
    """`ticks` are (y, risk) pairs from 0 upwards."""

    lines: tuple[RiskLine, ...]
    ticks: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class LossCurve:
    """A training's mean loss in each epoch; `ticks` are (y, loss) pairs."""

    stage: str
    name: str
    path: str
    points: tuple[Point, ...]
    ticks: tuple[tuple[float, float], ...]
    losses: tuple[float, ...]


@dataclass(frozen=True)
class ReliabilityPlot:
    """An arm's bins: where each lies, its dot's radius, and the bin itself."""

    name: str
    role: str
    error: float
    dots: tuple[tuple[Point, float, Json], ...]


def risk_plot(report: Json, pool: str) -> RiskPlot | None:
    """Risk among the most confident answers, for each share of them; None where no arm tells.

    Geifman and El-Yaniv 2017, "Selective classification for deep neural networks".
    """
    found = [
        (arm, calibration["risk_coverage"], calibration.get("aurc"))
        for arm, calibration in calibrated_arms(report, pool)
        if calibration["risk_coverage"]
    ]
    if not found:
        return None
    step = round_step(max(point["risk"] for _, curve, _ in found for point in curve))
    top = _steps(max(point["risk"] for _, curve, _ in found for point in curve), step) * step
    paths = [
        [RISK_FRAME.place(point["coverage"], point["risk"] / top) for point in curve]
        for _, curve, _ in found
    ]
    heights = spread([path[-1][1] for path in paths])
    lines = tuple(
        RiskLine(arm["name"], arm["role"], _path(path), path[-1], y, curve[-1]["risk"], area)
        for (arm, curve, area), path, y in zip(found, paths, heights, strict=True)
    )
    return RiskPlot(lines, _ticks(RISK_FRAME, top, step))


def reliability_plots(report: Json, pool: str) -> list[ReliabilityPlot]:
    """Each arm's accuracy at each confidence; a calibrated arm's dots lie on the diagonal."""
    plots = []
    for arm, calibration in calibrated_arms(report, pool):
        bins = [entry for entry in calibration["bins"] if entry["n"]]
        total = sum(entry["n"] for entry in bins)
        dots = tuple(
            (
                RELIABILITY_FRAME.place(entry["confidence"], entry["accuracy"]),
                round(
                    SMALLEST_DOT + math.sqrt(entry["n"] / total) * (LARGEST_DOT - SMALLEST_DOT), 1
                ),
                entry,
            )
            for entry in bins
        )
        plots.append(ReliabilityPlot(arm["name"], arm["role"], calibration["ece"], dots))
    return plots


def calibrated_arms(report: Json, pool: str) -> list[tuple[Json, Json]]:
    """The arms whose scores tell how sure they are, with their calibration in the pool."""
    found = [(arm, arm["pools"].get(pool, {}).get("calibration")) for arm in report["arms"]]
    return [(arm, calibration) for arm, calibration in found if calibration]


def loss_curves(report: Json) -> list[LossCurve]:
    """One curve for each training of each stage; a training of one epoch is a dot."""
    return [
        _loss_curve(stage, training["name"], training["losses"])
        for stage, trainings in (report.get("curves") or {}).items()
        for training in trainings
        if training["losses"] and all(math.isfinite(loss) for loss in training["losses"])
    ]


def _loss_curve(stage: str, name: str, losses: Sequence[float]) -> LossCurve:
    step = round_step(max(losses))
    top = _steps(max(losses), step) * step
    last = max(1, len(losses) - 1)
    points = tuple(
        LOSS_FRAME.place(at / last, max(0.0, loss) / top) for at, loss in enumerate(losses)
    )
    ticks = _ticks(LOSS_FRAME, top, step)
    return LossCurve(stage, name, _path(points), points, (ticks[0], ticks[-1]), tuple(losses))


def _steps(largest: float, step: float) -> int:
    return max(1, math.ceil(largest / step - 1e-9))


def _ticks(frame: Frame, top: float, step: float) -> tuple[tuple[float, float], ...]:
    return tuple(
        (frame.place(0, at * step / top)[1], round(at * step, 6))
        for at in range(round(top / step) + 1)
    )


def _path(points: Sequence[Point]) -> str:
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in points)
