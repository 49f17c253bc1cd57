"""The evaluation of links as one HTML page: no script, no request, everything escaped."""

import math
from pathlib import Path
from typing import Any

from markupsafe import Markup

from ..pages.page_templates import page_file, page_templates
from ..report.curves import LARGEST_DOT, RELIABILITY_FRAME, SMALLEST_DOT, Frame, ReliabilityPlot
from ..words import count, percent, shorten
from .evaluation_words import (
    ORIGIN,
    SWEEP_ADVICE,
    calibration_words,
    head_lines,
    measure_table,
    slice_table,
    sweep_table,
    ways,
)
from .written_whole import written_whole

SWEEP_FRAME = Frame(480, 260, 40, 110, 14, 38)
CURVES = (("precision", "base"), ("recall", "control"), ("f1", "route"))

Json = dict[str, Any]


def write_evaluation_page(document: Json, path: Path) -> None:
    """Write the page, whole or not at all.

    Raises:
        UserError: the file can't be written.
    """
    with written_whole(path, "--page") as file:
        file.write(render_evaluation(document))


def render_evaluation(document: Json) -> str:
    """The whole page for a document made by link_evaluation.evaluation_document."""
    shown = ways(document)
    return (
        page_templates((percent, count, shorten))
        .get_template("linking.html.jinja")
        .render(
            title=f"Linking of {document['gold_file']}",
            head=list(head_lines(document)),
            measures=measure_table(document),
            slices=slice_table(document),
            reliability=[
                (reliability_plot(document, way), calibration_words(document, way))
                for way in shown
                if document[way]["reliability"]
            ],
            reliability_frame=RELIABILITY_FRAME,
            sweeps=[
                (way, sweep_table(document, way), sweep_curves(document[way]["sweep"]))
                for way in shown
                if document[way]["sweep"]
            ],
            sweep_frame=SWEEP_FRAME,
            sweep_advice=SWEEP_ADVICE,
            origin=ORIGIN.format_map(document),
            css=Markup(page_file("report.css")),
        )
    )


def reliability_plot(document: Json, way: str) -> ReliabilityPlot:
    """Where each bin of scores lies: its mean score across, the share that was right upwards."""
    bins = document[way]["reliability"]
    total = sum(each["n"] for each in bins)
    dots = tuple(
        (
            RELIABILITY_FRAME.place(each["confidence"], each["accuracy"]),
            round(SMALLEST_DOT + math.sqrt(each["n"] / total) * (LARGEST_DOT - SMALLEST_DOT), 1),
            each,
        )
        for each in bins
    )
    return ReliabilityPlot(way, "route", document[way]["ece"], dots)


def sweep_curves(sweep: list[Json]) -> list[tuple[str, str, str, tuple[float, float]]]:
    """(name, role, path, end) of precision, recall and F1 over the threshold, 0 to 1 both ways."""
    curves = []
    for name, role in CURVES:
        points = [
            SWEEP_FRAME.place(each["score"], each[name]) for each in sweep if each[name] is not None
        ]
        if points:
            path = "M" + "L".join(f"{x:g} {y:g}" for x, y in points)
            curves.append((name, role, path, points[-1]))
    return curves
