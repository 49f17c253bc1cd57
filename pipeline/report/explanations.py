"""Explained facts in the report: attention to each fact and layer, beside its knock-out effect."""

from collections.abc import Sequence
from typing import Any

from ..words import MINUS, bare_percent, clean_text
from .table import ABSENT, Table

Json = dict[str, Any]

FACTS_SHOWN = 6  # of the largest effect, an arm
LAYERS_SHOWN = 5
EFFECT = ("effect", "low", "high", "shown")


def shown_explanations(explanations: Sequence[Json]) -> list[Json]:
    """What the report keeps: the facts that were read and the layers that matter most."""
    return [
        {
            "fact": clean_text(told["fact"]),
            "question": clean_text(told["prompt"]),
            "answer": clean_text(told["answer"]),
            "interval": clean_text(told["interval"]),
            "arms": [_arm(arm) for arm in told["arms"]],
        }
        for told in explanations
    ]


def _arm(arm: Json) -> Json:
    facts = [
        {"text": clean_text(fact["text"]), "attention": fact["attention"], **_effect(fact)}
        for fact in arm["facts"]
    ]
    facts.sort(key=lambda fact: -abs(fact["effect"]))
    # What reads the facts where there are facts to read, else passing the layer by.
    reading = [
        {
            "layer": layer["layer"],
            "on_facts": layer["on_facts"],
            "what": "its reading of the memory",
            **_effect(layer),
        }
        for layer in arm["reading_layers"]
    ]
    layers = reading or [
        {"layer": layer["layer"], "on_facts": layer["on_facts"], "what": what, **_effect(of)}
        for layer in arm["layers"]
        for what, of in [
            ("attention to the facts blocked", layer)
            if layer["effect"] is not None
            else ("passed by", layer["skipped"])
        ]
    ]
    layers.sort(key=lambda layer: (-abs(layer["effect"]), layer["layer"]))
    return {
        "arm": clean_text(arm["arm"]),
        "log_probability": arm["log_probability"],
        "facts": facts[:FACTS_SHOWN],
        "facts_left_out": max(0, len(facts) - FACTS_SHOWN),
        "layers": layers[:LAYERS_SHOWN],
    }


def _effect(of: Json) -> Json:
    return {key: of[key] for key in EFFECT}


def explained_facts_table(report: Json) -> Table:
    """The facts whose knock-out changes the answer most, of those that an arm read."""
    rows: list[tuple[str, ...]] = []
    for told in report.get("explanations", ()):
        for arm in told["arms"]:
            begin = (f"{told['question']} → {told['answer']}", arm["arm"])
            for fact in arm["facts"]:
                attention = fact["attention"]
                share = ABSENT if attention is None else bare_percent(attention)
                rows.append((*begin, fact["text"], share, *_effect_words(fact)))
            if arm["facts_left_out"]:
                words = f"{arm['facts_left_out']} more, each of a smaller effect"
                rows.append((*begin, words, *[ABSENT] * 4))
    head = ("question → answer", "arm", "fact read", "attention, %", *EFFECT_HEAD)
    return Table(head, tuple(rows), text_columns=3)


def explained_layers_table(report: Json) -> Table:
    """The layers whose knock-out changes the answer most."""
    rows = tuple(
        (
            f"{told['question']} → {told['answer']}",
            arm["arm"],
            layer["what"],
            str(layer["layer"]),
            ABSENT if layer["on_facts"] is None else bare_percent(layer["on_facts"]),
            *_effect_words(layer),
        )
        for told in report.get("explanations", ())
        for arm in told["arms"]
        for layer in arm["layers"]
    )
    head = ("question → answer", "arm", "knocked out", "layer", "on facts, %", *EFFECT_HEAD)
    return Table(head, rows, text_columns=3)


EFFECT_HEAD = ("effect, nats", "95 % interval", "shown")


def _effect_words(of: Json) -> tuple[str, str, str]:
    ends = f"{_nats(of['low'])} to {_nats(of['high'])}"
    return _nats(of["effect"]), ends, "yes" if of["shown"] else "no effect shown"


def _nats(value: float) -> str:
    text = f"{value:+.2f}"
    return "0.00" if float(text) == 0 else text.replace("-", MINUS)
