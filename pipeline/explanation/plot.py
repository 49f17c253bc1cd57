"""Positions in the plot of effects: every part of a prompt on one axis that holds zero."""

import math
from collections.abc import Sequence
from typing import Any

WIDTH, LEFT, RIGHT, TOP, ROW = 780, 320, 210, 26, 24  # of the drawing, in its own units
MOST_STEPS = 6
MOST_FACTS, MOST_LAYERS = 12, 6  # of the largest effects
LONGEST_NAME = 36  # characters beside a dot

Json = dict[str, Any]


def effect_plot(arm: Json) -> Json:
    """Where each part's effect and the ends of its interval stand; facts and layers of the largest effects only.

    Returns:
        {"rows": the entries, each with "kind", "name", "x", "x_low", "x_high" and "y"; "left_out":
        number of facts that aren't drawn; "ticks": [(x, effect)]; "zero", "width", "left", "right",
        "top", "bottom": in the drawing's units}.
    """
    facts, reading = arm["facts"], arm["reading_layers"]
    entries = [
        *({"kind": "word", **entry} for entry in arm["words"]),
        {"kind": "total", "text": "the whole question", **arm["question"]},
        *({"kind": "fact", **fact} for fact in _largest(facts, MOST_FACTS)),
        *(
            {
                "kind": "total",
                "text": f"all facts, at layer {layer['layer']}",
                "attention": layer["on_facts"],
                **layer,
            }
            for layer in _largest(reading, MOST_LAYERS)
        ),
    ]
    if arm["all_facts"] is not None:
        entries.append({"kind": "total", "text": "all facts", **arm["all_facts"]})
    low = min(0.0, *(entry["low"] for entry in entries))
    high = max(0.0, *(entry["high"] for entry in entries))
    step = round_step(high - low)
    first, last = math.floor(low / step), max(1, math.ceil(high / step))
    unit = (WIDTH - LEFT - RIGHT) / (last - first)

    def x(effect: float) -> float:
        return round(LEFT + (effect / step - first) * unit, 1)

    for number, entry in enumerate(entries):
        ends = {f"x_{end}": x(entry[end]) for end in ("low", "high")}
        entry |= {"x": x(entry["effect"]), **ends, "y": TOP + (number + 0.5) * ROW}
        entry["name"] = last_words(entry["text"], LONGEST_NAME)
    return {
        "rows": entries,
        "left_out": max(0, len(facts) - MOST_FACTS),
        "ticks": [(x(at * step), at * step) for at in range(first, last + 1)],
        "zero": x(0.0),
        "width": WIDTH,
        "left": LEFT,
        "right": WIDTH - RIGHT,
        "top": TOP,
        "bottom": TOP + len(entries) * ROW,
    }


def _largest(entries: Sequence[Json], most: int) -> list[Json]:
    """Those of the largest effects, in their own order."""
    ranked = sorted(range(len(entries)), key=lambda at: -abs(entries[at]["effect"]))
    return [entries[at] for at in sorted(ranked[:most])]


def last_words(text: str, length: int) -> str:
    """The end of a text that is too long: a fact's subject is in the question, its object isn't.

    >>> last_words("Marfan syndrome, phenotype: Esotropia", 24)
    '… phenotype: Esotropia'
    """
    if len(text) <= length:
        return text
    kept = text[-(length - 2) :]
    _, space, whole = kept.partition(" ")
    return f"… {whole}" if space else f"…{kept}"


def round_step(reach: float) -> float:
    """A step of 1, 2 or 5 times a power of ten that cuts `reach` into at most MOST_STEPS parts."""
    if reach <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(reach / MOST_STEPS))
    return next(
        power * factor for factor in (1, 2, 5, 10) if reach / (power * factor) <= MOST_STEPS
    )
