"""The report as one HTML page: no script, no request, everything escaped.

The plots are SVG that the template draws from the same dictionary as the tables.
"""

import json
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from . import report_words
from .report_plots import HEIGHT, LEFT, RIGHT, TOP, WIDTH, cost_plot
from .report_tables import tables

FOLDER = Path(__file__).parent
COSTS = (
    ("milliseconds_per_question", "milliseconds a question"),
    ("train_seconds", "seconds of training"),
)
QUESTIONS = {
    "gained": "What was gained?",
    "broke": "What broke?",
    "cost": "What did it cost?",
    "controls": "Beyond the controls?",
}


def render_page(report: dict[str, Any]) -> str:
    """The whole page for a report made by report_data.build_report."""
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    words = (
        report_words.percent,
        report_words.bare_percent,
        report_words.points,
        report_words.span,
        report_words.count,
        report_words.shorten,
    )
    environment.filters.update({word.__name__: word for word in words})
    environment.filters["indented_json"] = _indented_json
    plots = [
        (pool["pool"], label, plot)
        for pool in _cost_pools(report)
        for key, label in COSTS
        if (plot := cost_plot(report, pool["pool"], key))
    ]
    return environment.get_template("report.html.jinja").render(
        report=report,
        tables=tables(report),
        arms_in={
            pool["pool"]: [arm for arm in report["arms"] if pool["pool"] in arm["pools"]]
            for pool in report["pools"]
        },
        changes_in={
            pool["pool"]: [row for row in report["comparisons"] if row["pool"] == pool["pool"]]
            for pool in report["pools"]
        },
        questions=QUESTIONS,
        cost_plots=plots,
        frame={"width": WIDTH, "height": HEIGHT, "left": LEFT, "right": RIGHT, "top": TOP},
        css=Markup((FOLDER / "report.css").read_text(encoding="utf-8")),
    )


def _cost_pools(report: dict[str, Any]) -> list[dict[str, Any]]:
    """The pool of the primary comparison, or the first one where that wasn't asked."""
    pools: list[dict[str, Any]] = report["pools"]
    return [pool for pool in pools if pool["pool"] == report["primary"]["pool"]] or pools[:1]


def _indented_json(value: object) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False)
