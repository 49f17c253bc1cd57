"""An explanation as one HTML page: no script, no request, everything escaped.

A cell of the grid is the attention of a layer to a span. Its column's head holds the span's effect
and its row's head the layer's, so that no weight stands without an effect beside it.
"""

from typing import Any

from markupsafe import Markup

from ..pages.page_templates import page_file, page_templates
from ..words import clean_text, shorten
from . import words as explanation_words
from .plot import effect_plot

STYLES = ("report.css", "explanation.css")
SHADES = 9  # steps of the grid's shading, the last one for the largest weight
LONGEST_HEAD = 60  # characters of a fact at the head of a column

Json = dict[str, Any]


def render_explanation(document: Json) -> str:
    """The whole page for a document made by words.document_of."""
    words = (
        explanation_words.nats,
        explanation_words.nats_span,
        explanation_words.share,
        explanation_words.summary,
        explanation_words.base_words,
        shorten,
    )
    css = "\n".join(page_file(name) for name in STYLES)
    return (
        page_templates(words)
        .get_template("explanation.html.jinja")
        .render(
            document=document,
            arms=[
                (arm, effect_plot(arm), grid(arm), reading_grid(arm)) for arm in document["arms"]
            ],
            prompt="\n".join(clean_text(line) for line in document["prompt"].split("\n")),
            not_shown=explanation_words.NOT_SHOWN,
            css=Markup(css),
        )
    )


def grid(arm: Json) -> Json:
    """Columns of facts and words, and for each layer a row of weights on them.

    Returns:
        {"columns": the entries, each with a "head"; "rows": [{"layer": its entry, "cells": [{"weight",
        "shade", "shown"}]}]}. A shade is 0 to SHADES, the weight as a part of the largest one; it is 0
        where the column has no effect to show.
    """
    # Facts in a memory aren't in the prompt: layers can't attend to them.
    facts = [fact for fact in arm["facts"] if "by_layer" in fact]
    heads = [f"[{n}] {shorten(f['text'], LONGEST_HEAD)}" for n, f in enumerate(facts, start=1)]
    heads += [word["text"] for word in arm["words"]]
    entries = [*facts, *arm["words"]]
    shown = [max(entry["by_layer"]) for entry in entries if entry["shown"]]
    largest = max(shown, default=0.0) or 1.0
    rows = [
        {
            "layer": layer,
            "cells": [
                _cell(entry["by_layer"][number], largest, entry["shown"]) for entry in entries
            ],
        }
        for number, layer in enumerate(arm["layers"])
    ]
    columns = [{"head": head, **entry} for head, entry in zip(heads, entries, strict=True)]
    return {"columns": columns, "rows": rows}


def reading_grid(arm: Json) -> list[Json]:
    """The facts of a memory, those of the largest effects first, with each reading layer's weights.

    Returns:
        The facts, each with "cells" as `grid` has them.
    """
    facts = [fact for fact in arm["facts"] if fact.get("by_reading_layer")]
    shown = [weight or 0.0 for f in facts if f["shown"] for weight in f["by_reading_layer"]]
    largest = max(shown, default=0.0) or 1.0
    facts.sort(key=lambda fact: -abs(fact["effect"]))
    return [
        {
            **fact,
            "cells": [_cell(weight, largest, fact["shown"]) for weight in fact["by_reading_layer"]],
        }
        for fact in facts
    ]


def _cell(weight: float | None, largest: float, shown: bool) -> Json:
    shade = round(SHADES * weight / largest) if shown and weight is not None else 0
    return {"weight": weight, "shade": shade, "shown": shown}
