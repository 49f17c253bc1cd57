"""An explanation for the terminal: each arm's words, facts and layers, largest effects first."""

import io
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..words import shorten
from .words import base_words, effect_words, nats, nats_span, share, summary

Json = dict[str, Any]
MOST_ROWS = 8
MOST_LAYERS = 4  # side by side
LONGEST_TEXT = 60
WIDTH = 132


def explanation_tables(document: Json) -> str:
    """Plain text: for each arm three tables, then what the numbers mean.

    Labels are written as text, never as console markup.
    """
    parts = [part for arm in document["arms"] for part in _arm(arm)]
    parts += [f"{item['arm']} isn't explained: {item['why']}" for item in document["absent"]]
    meaning = [f"{name}: {words}." for name, words in document["reading"].items()]
    return "\n\n".join([*parts, "\n".join([f"intervals: {document['interval']}", *meaning])])


def _arm(arm: Json) -> list[str]:
    score = arm["log_probability"]
    head = (
        f"{arm['arm']}: “{arm['answer']}”, log-probability {nats(score['mean'])} "
        f"({nats_span(score['low'], score['high'])})"
    )
    if base_words(arm):
        head += f"; {base_words(arm)}"
    head = "\n".join([head, *summary(arm)])
    words = [*arm["words"], {"text": "(the whole question)", **arm["question"]}]
    facts = arm["facts"]
    if arm["all_facts"] is not None:
        facts = [*facts, {"text": "(all facts)", **arm["all_facts"]}]
    return [
        head,
        _parts_table("word of the question", words),
        *([_parts_table("fact", facts)] if facts else []),
        *([_reading_table(arm)] if arm["reading_layers"] else []),
        _layers_table(arm["layers"]),
    ]


def _parts_table(name: str, entries: Sequence[Json]) -> str:
    table = _table(name, "% attention", "effect when knocked out (interval)")
    ranked = sorted(entries, key=lambda entry: -abs(entry["effect"]))
    for entry in ranked[:MOST_ROWS]:
        weight = share(entry["attention"]) if "attention" in entry else ""
        table.add_row(Text(shorten(entry["text"], LONGEST_TEXT)), weight, effect_words(entry))
    return _drawn(table, len(ranked))


def _reading_table(arm: Json) -> str:
    """For each layer that reads the memory, what it attends to there; the facts that matter most."""
    layers = arm["reading_layers"]
    ranked = sorted(range(len(layers)), key=lambda at: -abs(layers[at]["effect"]))
    shown = sorted(ranked[:MOST_LAYERS])
    heads = [f"layer {layers[at]['layer']}" for at in shown]
    table = _table("% attention of the layers that read", *heads, "effect (interval)")
    for fact in sorted(arm["facts"], key=lambda fact: -abs(fact["effect"]))[:MOST_ROWS]:
        cells = [share(fact["by_reading_layer"][at]) for at in shown]
        table.add_row(Text(shorten(fact["text"], LONGEST_TEXT)), *cells, effect_words(fact))
    table.add_row("(no fact)", *[share(layers[at]["base_weight"]) for at in shown], "–")
    lines = [_drawn(table, len(arm["facts"]) + 1)]
    for at in shown:
        lines.append(f"layer {layers[at]['layer']} reads nothing: {effect_words(layers[at])}")
    if len(layers) > len(shown):
        lines.append(f"and {len(layers) - len(shown)} more layers in --json and --out")
    return "\n".join(lines)


def _layers_table(layers: Sequence[Json]) -> str:
    """The layers with the largest effects, in their own order."""
    blocked = any(layer["effect"] is not None for layer in layers)
    heads = ["% on facts"] if blocked else []
    heads += ["% on question", "% on rest"]
    heads += ["effect, facts blocked (interval)"] if blocked else []
    table = _table("layer", *heads, "effect, layer skipped (interval)")
    ranked = sorted(layers, key=lambda layer: -_largest(layer))[:MOST_ROWS]
    for layer in sorted(ranked, key=lambda layer: layer["layer"]):
        cells = [share(layer["on_facts"])] if blocked else []
        cells += [share(layer["on_question"]), share(layer["on_rest"])]
        cells += [effect_words(layer)] if blocked else []
        table.add_row(str(layer["layer"]), *cells, effect_words(layer["skipped"]))
    return _drawn(table, len(layers))


def _largest(layer: Json) -> float:
    """The effect that ranks a layer: of its attention to the facts, where there are facts."""
    effect = layer["effect"] if layer["effect"] is not None else layer["skipped"]["effect"]
    return abs(effect)


def _table(first: str, *heads: str) -> Table:
    table = Table(box=None, pad_edge=False, show_edge=False)
    table.add_column(first, no_wrap=True)
    for head in heads:
        table.add_column(head, justify="right", no_wrap=True)
    return table


def _drawn(table: Table, count: int) -> str:
    stream = io.StringIO()
    Console(file=stream, width=WIDTH, color_system=None, force_terminal=False).print(table)
    lines = [line.rstrip() for line in stream.getvalue().splitlines()]
    left = count - table.row_count
    return "\n".join([*lines, *([f"and {left} more in --json and --out"] if left else [])])
