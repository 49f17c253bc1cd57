"""What an explanation's numbers mean, said once for the terminal, the page and the JSON."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ..measures.statistics import CONFIDENCE
from ..words import MINUS, NO_BREAK, clean_text
from .prompt_draws import LEAD_INS

NOT_SHOWN = "no effect shown"
READING = {
    "attention": "share of the attention from the places that predict the answer, mean over heads, "
    "over those places and over the variants of the prompt; of a fact in the fused arm's memory, "
    "its share of the pointer's output or, where layers read the memory, of their attention to it, all "
    "tokens of its label together; what is left rests on the null slot, which stands for the base",
    "effect": "change of the natural logarithm of the whole answer's probability when this is knocked "
    "out; below zero the answer needed it; where the interval as written reaches zero, no effect is shown",
    "words and facts": "knocked out: no later place may attend to them, in any layer; a fact of the "
    "fused arm is taken out of its memory, and all facts are, at once",
    "layers": "effect: the layer's attention from the answering places to the facts is blocked "
    "(Geva et al. 2023); skipped: the layer's block is passed by at those places, with what it reads "
    "in the memory",
    "reading layers": "behind whose blocks the fused arm reads its memory; effect: the layer reads "
    "nothing there, at any place",
    "rest": "what stands before the facts, the layout between them and the answer so far; it isn't "
    "knocked out",
    "limits": "an effect belongs to this model, this prompt and this answer; copies that can stand in "
    "for each other each show none; a mask leaves a gap that no text has, and where the model rests "
    "its attention the gap itself can disturb it; each interval stands alone, so that of twenty parts "
    "without effect about one is shown to have one",
}

Json = dict[str, Any]


def document_of(text: str, prompt: str, arms: Sequence[Json], absent: Mapping[str, str]) -> Json:
    """The explanation of `arms`, with the names of arms that aren't in it and why."""
    return {
        "document": "infact explanation 1",
        "text": clean_text(text),
        "prompt": prompt,
        "confidence": CONFIDENCE,
        "variants": len(LEAD_INS),
        "interval": interval_words(len(LEAD_INS)),
        "reading": READING,
        "arms": list(arms),
        "absent": [{"arm": arm, "why": clean_text(why)} for arm, why in absent.items()],
    }


def interval_words(variants: int) -> str:
    """What the intervals speak of."""
    return (
        f"{CONFIDENCE:.0%} t intervals of the mean over {variants} neutral variants of the same "
        "prompt: other words before it and, where it tells facts, other orders of them. They say "
        "how far an effect depends on that form; they don't speak of other questions, other models "
        "or other training seeds."
    ).replace("%", f"{NO_BREAK}%")


def nats(value: float) -> str:
    """A change of log-probability with two decimals: `−3.20`."""
    text = f"{value:+.2f}"
    return "0.00" if float(text) == 0 else text.replace("-", MINUS)


def nats_span(low: float, high: float) -> str:
    """The ends of an interval of such changes: `−3.41 to −2.99`."""
    return f"{nats(low)} to {nats(high)}"


def effect_words(entry: Json) -> str:
    """`−3.20 (−3.41 to −2.99)`; `no effect shown (…)`; a dash where none was measured."""
    if entry["effect"] is None:
        return "–"
    ends = nats_span(entry["low"], entry["high"])
    return f"{nats(entry['effect']) if entry['shown'] else NOT_SHOWN} ({ends})"


def summary(arm: Json) -> list[str]:
    """What the answer needs most, in plain words: a word or fact, and a layer's look at the facts."""
    parts = [("word", entry) for entry in arm["words"]]
    parts += [("fact", entry) for entry in arm["facts"]]
    needed = [part for part in parts if _is_needed(part[1])]
    lines = ["No single word or fact is shown to carry the answer."]
    if needed:
        kind, entry = min(needed, key=lambda part: part[1]["effect"])
        times = times_less_likely(entry["effect"])
        lines = [f"It needs the {kind} “{entry['text']}” most: without it the answer is {times}."]
    layers = [layer for layer in arm["layers"] if _is_needed(layer)]
    if layers:
        layer = min(layers, key=lambda layer: layer["effect"])
        lines.append(
            f"The facts come in through layer {layer['layer']} most: with its attention to them "
            f"blocked the answer is {times_less_likely(layer['effect'])}."
        )
    reading = [layer for layer in arm["reading_layers"] if _is_needed(layer)]
    if reading:
        layer = min(reading, key=lambda layer: layer["effect"])
        lines.append(
            f"The facts come in behind layer {layer['layer']} most: where it reads nothing the "
            f"answer is {times_less_likely(layer['effect'])}."
        )
    return lines


def base_words(arm: Json) -> str:
    """What an arm with a memory doesn't take from it; empty for one without, and without attention.

    >>> base_words({"base_weight": 0.25, "reading_layers": []})
    'its pointer leaves 25.0 % to the base'
    """
    if arm["base_weight"] is None:
        return ""
    weight = f"{share(arm['base_weight'])}{NO_BREAK}%"
    if arm["reading_layers"]:
        return f"{weight} of the reading layers' attention rests on no fact"
    return f"its pointer leaves {weight} to the base"


def times_less_likely(effect: float) -> str:
    """A negative change of log-probability as a factor.

    >>> times_less_likely(-3.2)
    '25 times less likely'
    """
    factor = math.exp(min(-effect, 50.0))
    if factor >= 1e6:
        return "over a million times less likely"
    if factor < 10:
        return f"{factor:.1f} times less likely"
    return f"{round(factor, 1 - math.floor(math.log10(factor))):,.0f} times less likely"


def _is_needed(entry: Json) -> bool:
    return bool(entry["shown"]) and entry["effect"] < 0


def share(value: float | None) -> str:
    """A share of attention as per cent: `3.2`, `<0.1`; a dash where nothing attends."""
    if value is None:
        return "–"
    percent = value * 100
    return "<0.1" if 0 < percent < 0.05 else f"{percent:.1f}"
