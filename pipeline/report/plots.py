"""Positions in the plot of accuracy against cost: round ticks, and labels that don't overlap."""

import math
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

WIDTH, HEIGHT = 480, 300  # of the drawing, in its own units
LEFT, RIGHT, TOP, BOTTOM = 34, 150, 14, 38  # margins; the labels stand in the right one
LABEL_GAP = 15


@dataclass(frozen=True)
class CostPoint:
    """An arm in the plot, and the height of its label."""

    name: str
    role: str
    accuracy: float
    cost: float
    x: float
    y: float
    label_y: float


@dataclass(frozen=True)
class CostPlot:
    """`ticks` are (x, cost) pairs along the cost axis, from 0."""

    points: tuple[CostPoint, ...]
    ticks: tuple[tuple[float, float], ...]


def cost_plot(report: Json, pool: str, key: str) -> CostPlot | None:
    """Accuracy in a pool against one cost of every arm that has both; None below two such arms."""
    found = [
        (arm, arm["pools"][pool]["accuracy"], float(arm["cost"][key]))
        for arm in report["arms"]
        if pool in arm["pools"] and arm["cost"] and arm["cost"].get(key) is not None
    ]
    if len(found) < 2:
        return None
    step = round_step(max(cost for _, _, cost in found))
    top = step * max(1, math.ceil(max(cost for _, _, cost in found) / step))
    inner = WIDTH - LEFT - RIGHT
    ticks = tuple(
        (LEFT + inner * at * step / top, at * step) for at in range(round(top / step) + 1)
    )
    heights = [TOP + (HEIGHT - TOP - BOTTOM) * (1 - accuracy) for _, accuracy, _ in found]
    points = tuple(
        CostPoint(arm["name"], arm["role"], accuracy, cost, LEFT + inner * cost / top, y, label_y)
        for (arm, accuracy, cost), y, label_y in zip(found, heights, spread(heights), strict=True)
    )
    return CostPlot(points, ticks)


def spread(heights: list[float]) -> list[float]:
    """Label heights at least LABEL_GAP apart, in the same order and within the drawing if they fit."""
    order = sorted(range(len(heights)), key=lambda at: heights[at])
    placed = [0.0] * len(heights)
    lowest = -math.inf
    for at in order:
        lowest = max(heights[at], lowest + LABEL_GAP)
        placed[at] = lowest
    limit = float(HEIGHT - BOTTOM)
    for at in reversed(order):
        placed[at] = min(placed[at], limit)
        limit = placed[at] - LABEL_GAP
    return placed


def round_step(largest: float) -> float:
    """A step of 1, 2 or 5 times a power of ten that cuts the axis into at most five parts."""
    if largest <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(largest / 5))
    return next(power * factor for factor in (1, 2, 5, 10) if largest / (power * factor) <= 5)
