"""Effects as the JSON of an explanation has them."""

from typing import Any

from ..measures.effects import Effect

DIGITS = 5  # of a weight or an effect: floating-point noise lies beyond

Json = dict[str, Any]


def rounded(effect: Effect) -> Json:
    """A mean and the ends of its interval."""
    return {
        "mean": round(effect.mean, DIGITS),
        "low": round(effect.low, DIGITS),
        "high": round(effect.high, DIGITS),
    }


def written(effect: Effect | None) -> Json:
    """An effect, its interval and whether it is shown; None where none was measured."""
    if effect is None:
        return {"effect": None, "low": None, "high": None, "shown": False}
    values = rounded(effect)
    return {
        "effect": values["mean"],
        "low": values["low"],
        "high": values["high"],
        "shown": effect.shown,
    }
