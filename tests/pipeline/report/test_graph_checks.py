"""What the report says of the graph's findings."""

import json
from dataclasses import replace
from typing import Any

import jsonschema
import pyarrow as pa
import pytest
from infact.kg.checks.findings import FINDING_SCHEMA, joined
from infact.pipeline.measures.answered_pools import read_rows
from infact.pipeline.pages.page_templates import page_file
from infact.pipeline.report.graph_checks import UNCHECKED, findings_table
from infact.pipeline.report.markdown import render_markdown
from infact.pipeline.report.page import render_page
from infact.pipeline.report.report_data import ReportInputs, build_report
from infact.pipeline.report.verify import differences

Json = dict[str, Any]
ATTACK = "<script>alert(1)</script>\u202e"


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


@pytest.fixture
def shaped_report(report_inputs: ReportInputs) -> Json:
    """With findings of two shapes by one rule, of a shape without a name, and hostile words."""
    empty = {"entity": 1, "level": "WARN", "value": "", "source": "hp.obo", "line": 7}
    told = [("http://e/S", "few"), ("http://e/T", "fewer"), ("http://e/T", ATTACK), ("_:s0b1", "")]
    rows = [
        {**empty, "rule": "MinCount", "subject": f"http://e/{number}", "property": "http://e/age"}
        | {"shape": shape, "message": message}
        for number, (shape, message) in enumerate(told)
    ]
    found = pa.Table.from_pylist(rows, schema=FINDING_SCHEMA)
    assert report_inputs.findings is not None
    findings = joined([report_inputs.findings, found])
    return build_report(
        replace(report_inputs, findings=findings, shapes=["shapes.ttl", f"{ATTACK}.ttl"])
    )


@pytest.mark.usefixtures("_no_garbage_collection")
def test_shapes_are_told_one_by_one_with_their_message(shaped_report: Json) -> None:
    found = shaped_report["findings"]
    assert found["counts"] == {"ERROR": 1, "WARN": 4, "INFO": 3}
    assert [(one["rule"], one.get("shape"), one["count"]) for one in found["rules"]] == [
        ("label_whitespace", None, 1),
        ("MinCount", "http://e/T", 2),
        ("MinCount", None, 1),
        ("MinCount", "http://e/S", 1),
        ("lowercase_definition", None, 3),
    ]
    messages = [example.get("message") for example in found["rules"][1]["examples"]]
    assert messages == ["fewer", ATTACK.replace("\u202e", " ").strip()]
    table = findings_table(shaped_report)
    assert table.head == ("rule", "level", "shape", "for example", "findings")
    assert {len(row) for row in table.rows} == {5}
    assert table.rows[3] == ("MinCount", "WARN", "http://e/S", "http://e/0 few (hp.obo:7)", "1")


@pytest.mark.usefixtures("_no_garbage_collection")
def test_page_markdown_and_schema_know_shapes(shaped_report: Json) -> None:
    assert shaped_report["findings"]["shapes"][0] == "shapes.ttl"
    for text in (render_page(shaped_report), render_markdown(shaped_report)):
        assert "and the SHACL shapes of shapes.ttl, " in text
        assert "<script>alert" not in text
        assert "\u202e" not in text
        assert "fewer" in text
    assert not list(differences(shaped_report, read_rows(shaped_report["rows"])))
    schema = jsonschema.Draft202012Validator(json.loads(page_file("report.schema.json")))
    schema.validate(shaped_report)


def test_without_shapes_nothing_is_said_of_them(report: Json) -> None:
    assert "shapes" not in report["findings"]
    assert not any("shape" in entry for entry in report["findings"]["rules"])
    assert findings_table(report).head == ("rule", "level", "for example", "findings")


def test_a_report_from_before_findings_is_still_shown(report: Json) -> None:
    older = {name: section for name, section in report.items() if name != "findings"}
    assert UNCHECKED in render_page(older)
