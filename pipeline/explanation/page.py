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
        shorten,
    )
    css = "\n".join(page_file(name) for name in STYLES)
    return (
        page_templates(words)
        .get_template("explanation.html.jinja")
        .render(
            document=document,
            arms=[(arm, effect_plot(arm), grid(arm)) for arm in document["arms"]],
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
    rows = []
    for number, layer in enumerate(arm["layers"]):
        weights = [entry["by_layer"][number] for entry in entries]
        cells = [
            {
                "weight": weight,
                "shade": round(SHADES * weight / largest) if entry["shown"] else 0,
                "shown": entry["shown"],
            }
            for weight, entry in zip(weights, entries, strict=True)
        ]
        rows.append({"layer": layer, "cells": cells})
    columns = [{"head": head, **entry} for head, entry in zip(heads, entries, strict=True)]
    return {"columns": columns, "rows": rows}
