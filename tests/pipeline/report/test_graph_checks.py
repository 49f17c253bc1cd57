"""What the report says of the graph's findings."""

import json
from dataclasses import replace
from typing import Any

import jsonschema
import pytest
from infact.pipeline.measures.answered_pools import read_rows
from infact.pipeline.pages.page_templates import page_file
from infact.pipeline.report.graph_checks import UNCHECKED, findings_table
from infact.pipeline.report.markdown import render_markdown
from infact.pipeline.report.page import render_page
from infact.pipeline.report.report_data import ReportInputs, build_report
from infact.pipeline.report.verify import differences

Json = dict[str, Any]


def test_findings_are_counted_with_two_examples_of_each_rule(report: Json) -> None:
    found = report["findings"]
    assert found["counts"] == {"ERROR": 1, "WARN": 0, "INFO": 3}
    assert [(one["rule"], one["count"]) for one in found["rules"]] == [
        ("label_whitespace", 1),
        ("lowercase_definition", 3),
    ]
    assert [one["subject"] for one in found["rules"][1]["examples"]] == ["http://e/a", "http://e/b"]
    rows = findings_table(report).rows
    assert [row[:2] + row[3:] for row in rows] == [
        ("label_whitespace", "ERROR", "1"),
        ("lowercase_definition", "INFO", "3"),
    ]


def test_page_and_markdown_tell_them_without_markup_from_the_graph(report: Json) -> None:
    for text in (render_page(report), render_markdown(report)):
        assert "1 error, 0 warnings, 3 infos" in text
        assert "lowercase" in text
        assert "<script>alert" not in text


@pytest.mark.usefixtures("_no_garbage_collection")
def test_an_unchecked_graph_is_said_to_be_unchecked(report_inputs: ReportInputs) -> None:
    unchecked = build_report(replace(report_inputs, findings=None))
    assert unchecked["findings"] is None
    assert UNCHECKED in render_page(unchecked)
    assert not list(differences(unchecked, read_rows(unchecked["rows"])))
    schema = jsonschema.Draft202012Validator(json.loads(page_file("report.schema.json")))
    schema.validate(unchecked)


def test_a_report_from_before_findings_is_still_shown(report: Json) -> None:
    older = {name: section for name, section in report.items() if name != "findings"}
    assert UNCHECKED in render_page(older)
