"""The report as one HTML page: one script that filters facts, no request, everything escaped.

The plots are SVG that the templates draw from the same dictionary as the tables. The page's policy
lets it run nothing but its own script and style, which are named by their digests.
"""

import base64
import hashlib
import json
import re
from typing import Any

from markupsafe import Markup

from .. import words as report_words
from ..pages.page_templates import page_file, page_templates
from .curves import (
    LOSS_FRAME,
    RELIABILITY_FRAME,
    RISK_FRAME,
    calibrated_arms,
    loss_curves,
    reliability_plots,
    risk_plot,
)
from .graph_checks import graph_checks_in_words
from .plots import HEIGHT, LEFT, RIGHT, TOP, WIDTH, cost_plot
from .slices import arm_of_result, slice_groups
from .tables import tables
from .teaching import teaching_in_words

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
SENTENCE_END = re.compile(r"(?<=[.!?]) (?=[A-Z])")
# One letter an arm in a sample's data-arms, which the script reads: what became of the base's answer.
CHANGE_LETTERS = {"gained": "g", "kept": "k", "lost": "l", "missed": "m"}

Json = dict[str, Any]


def render_page(report: Json) -> str:
    """The whole page for a report made by report_data.build_report."""
    words = (
        report_words.percent,
        report_words.bare_percent,
        report_words.points,
        report_words.span,
        report_words.count,
        report_words.shorten,
    )
    environment = page_templates(words)
    environment.filters.update(
        indented_json=_indented_json, capital=_capital, arm_letters=_arm_letters, cited_by=_cited_by
    )
    style, script = page_file("report.css"), page_file("report.js")
    return environment.get_template("report.html.jinja").render(
        report=report,
        tables=tables(report),
        questions=QUESTIONS,
        headline=_headline(report["verdict"]),
        graph_checks=graph_checks_in_words(report),
        teaching=teaching_in_words(report),
        style=Markup(style),
        script=Markup(script),
        policy=_policy(style, script),
        **_arms_and_pools(report),
        **_plots(report),
    )


def _headline(verdict: Json) -> tuple[str, str]:
    """Its first sentence, and the others but for the warnings, which the page sets apart."""
    text = verdict["headline"].removesuffix(" ".join(verdict.get("warnings", ()))).rstrip()
    first, *others = SENTENCE_END.split(text, maxsplit=1)
    return first, " ".join(others)


def _policy(style: str, script: str) -> str:
    """A content security policy under which only this style and this script count.

    (Content Security Policy Level 3, W3C, section 6.7.)
    """
    return (
        f"default-src 'none'; script-src {_digest(script)}; style-src {_digest(style)}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _arms_and_pools(report: Json) -> Json:
    """Which arms answered each pool, what each changed there, and the relations to filter by."""
    keys, main = [pool["pool"] for pool in report["pools"]], _main_pool(report)
    samples = [sample for group in report["samples"].values() for sample in group]
    return {
        "main": main,
        "main_first": [main, *(pool for pool in report["pools"] if pool is not main)],
        "arms_in": {key: [arm for arm in report["arms"] if key in arm["pools"]] for key in keys},
        "changes_in": {
            key: {row["arm"]: row for row in report["comparisons"] if row["pool"] == key}
            for key in keys
        },
        "result_in": {key: arm_of_result(report, key) for key in keys},
        "sample_relations": sorted({sample["relation"] for sample in samples}),
        "sample_count": len(samples),
    }


def _plots(report: Json) -> Json:
    keys = [pool["pool"] for pool in report["pools"]]
    main = _main_pool(report)
    costs = [
        (main["pool"], label, plot)
        for key, label in COSTS
        if (plot := cost_plot(report, main["pool"], key))
    ]
    return {
        "cost_plots": costs,
        "cost_frame": {"width": WIDTH, "height": HEIGHT, "left": LEFT, "right": RIGHT, "top": TOP},
        "risk_plots": {key: risk_plot(report, key) for key in keys},
        "risk_frame": RISK_FRAME,
        "reliability": {key: reliability_plots(report, key) for key in keys},
        "reliability_frame": RELIABILITY_FRAME,
        "calibrated": [pool for pool in report["pools"] if calibrated_arms(report, pool["pool"])],
        "curves": loss_curves(report),
        "loss_frame": LOSS_FRAME,
        "slices": {key: slice_groups(report, key) for key in keys},
    }


def _main_pool(report: Json) -> Json:
    """The pool of the primary comparison, or the first one where that wasn't asked."""
    pools: list[Json] = report["pools"]
    wanted = [pool for pool in pools if pool["pool"] == report["primary"]["pool"]]
    return (wanted or pools)[0]


def _arm_letters(sample: Json, arms: list[Json]) -> str:
    """A letter for each arm of the report: of its change, else r or w for right or wrong, - if not asked."""
    letters = {
        answer["arm"]: CHANGE_LETTERS.get(answer["change"], "r" if answer["right"] else "w")
        for answer in sample["answers"]
    }
    return "".join(letters.get(arm["name"], "-") for arm in arms)


def _cited_by(sample: Json) -> list[tuple[str, list[str]]]:
    """Every line that an arm was given, once, with the arms that were given it."""
    readers: dict[str, list[str]] = {}
    for answer in sample["answers"]:
        for line in dict.fromkeys(answer["cited"]):
            readers.setdefault(line, []).append(answer["arm"])
    return list(readers.items())


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _indented_json(value: object) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False)
