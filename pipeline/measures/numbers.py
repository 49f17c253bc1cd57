"""How the report's numbers stand in report.json: shares rounded once, intervals as four entries."""

from typing import Any

import numpy as np

from .statistics import Interval

DECIMALS = 4

Json = dict[str, Any]


def rounded(value: float | np.floating[Any]) -> float:
    """A share or a difference of shares as report.json holds it."""
    return round(float(value), DECIMALS)


def interval_entry(interval: Interval, name: str = "accuracy") -> Json:
    """An estimate under its name, the ends of its interval, and how many answers it is from."""
    return {
        name: rounded(interval.estimate),
        "low": rounded(interval.low),
        "high": rounded(interval.high),
        "n": interval.n,
    }
