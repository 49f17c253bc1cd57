"""The page, the Markdown and the terminal's table: same numbers, inert labels, no requests."""

import base64
import hashlib
import itertools
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from infact.kg.questions.verbalise import sentences_table
from infact.pipeline.artifacts import Recipe, partial_folder, publish
from infact.pipeline.report.arm_table import arm_table
from infact.pipeline.report.curves import (
    RELIABILITY_FRAME,
    loss_curves,
    reliability_plots,
    risk_plot,
)
from infact.pipeline.report.markdown import escape, render_markdown
from infact.pipeline.report.page import render_page
from infact.pipeline.report.plots import LABEL_GAP, spread
from infact.pipeline.report.report_data import ReportInputs, build_report
from infact.pipeline.report.report_stage import run
from infact.pipeline.report.slices import slice_groups
from infact.pipeline.report.tables import tables
from infact.pipeline.stages import StageContext
from infact.pipeline.words import LONGEST_TEXT, clean_text, p_value, points, span

Json = dict[str, Any]
POLICY = (
    "default-src 'none'; script-src 'sha256-{script}'; style-src 'sha256-{style}'; "
    "img-src data:; base-uri 'none'; form-action 'none'"
)
LARGEST_PAGE = 2_000_000  # bytes


class Page(HTMLParser):
    """All elements with their attributes, and all text."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.rows: list[list[str]] = []
        self.in_cell = False
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        if tag in {"td", "th"}:
            self.rows[-1].append("")
            self.in_cell = True

    def handle_endtag(self, tag: str) -> None:
        if tag in {"td", "th"}:
            self.in_cell = False

    def handle_data(self, data: str) -> None:
        self.text.append(data)
        if self.in_cell:
            self.rows[-1][-1] += data


@pytest.fixture(scope="module")
def page(report: Json) -> Page:
    return Page(render_page(report))


def test_page_markdown_and_json_have_the_same_numbers(report: Json, page: Page) -> None:
    markdown = render_markdown(report).splitlines()
    shown = {tuple(cell.strip() for cell in row) for row in page.rows}
    for table in tables(report).values():
        for row in table.rows:
            assert row in shown
            line = f"| {' | '.join(row)} |"
            if not set(line) & set("<>*[]~`#_\\"):
                assert line in markdown
    for entry in report["comparisons"]:
        wanted = {points(entry["difference"]), span(entry["low"], entry["high"])}
        width = len(tables(report)["comparisons"].head)
        row = next(
            row for row in shown if row[:2] == (entry["arm"], entry["pool"]) and len(row) == width
        )
        assert wanted <= set(row)


def test_page_shows_every_accuracy_of_the_json(report: Json, page: Page) -> None:
    text = " ".join(page.text)
    for arm in report["arms"]:
        for found in arm["pools"].values():
            assert f"{found['accuracy'] * 100:.1f} ({found['low'] * 100:.1f} to " in text


def test_page_runs_only_its_own_script_and_asks_for_nothing(report: Json, page: Page) -> None:
    source = render_page(report)
    digests = {}
    for tag in ("script", "style"):
        (text,) = re.findall(rf"<{tag}>(.*?)</{tag}>", source, re.DOTALL)
        digests[tag] = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert not re.search(r"url\(|@import|fetch\(|XMLHttp|innerHTML|eval\(|import\(", text)
    policies = [
        attributes["content"]
        for tag, attributes in page.elements
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policies == [POLICY.format(**digests)]
    tags = {tag for tag, _ in page.elements}
    assert not tags & {"link", "img", "iframe", "object", "embed", "base", "form", "image"}
    for _, attributes in page.elements:
        assert not any(name.startswith("on") for name in attributes)
        assert (attributes.get("href") or "#").startswith("#")
        assert not {"src", "style", "action", "formaction"} & set(attributes)


def test_hostile_labels_stay_text(report: Json, hostile_report: Json) -> None:
    known = {tag for tag, _ in Page(render_page(report)).elements}
    hostile = Page(render_page(hostile_report))
    assert {tag for tag, _ in hostile.elements} == known
    assert not any(name.startswith("on") for _, found in hostile.elements for name in found)
    text = " ".join(hostile.text)
    assert "<script>alert(1)</script>" in text
    assert "49" not in hostile_report["title"]
    assert not set(text) & set("\u202e\u2066\x00\x1b")


def test_hostile_labels_make_no_markdown(hostile_report: Json) -> None:
    markdown = render_markdown(hostile_report)
    assert "<" not in markdown
    assert not re.search(r"(?<!\\)\]\(", markdown)
    widths = {}
    for line in markdown.splitlines():
        if line.startswith("|"):
            widths.setdefault(len(re.findall(r"(?<!\\)\|", line)), line)
    assert len(widths) <= len(tables(hostile_report))
    assert escape("a|b <i> [x](y)") == r"a\|b &lt;i&gt; \[x\]\(y\)"


def test_arms_table_has_one_line_an_arm(report: Json, hostile_report: Json) -> None:
    lines = arm_table(report).splitlines()
    assert len(lines) == 1 + len(report["arms"]) + 1
    assert max(map(len, lines)) <= 40 + 15 * len(report["pools"])
    assert lines[-1].startswith("one seed")
    assert "<script>arm" in arm_table(hostile_report)


def test_words() -> None:
    assert points(0.721) == "+72.1"
    assert points(-0.0301) == "−3.0"
    assert points(-0.0001) == "0.0"
    assert span(-0.061, 0.002) == "−6.1 to 0.2"
    assert p_value(0.0004) == "<0.001"
    assert clean_text("a\u202eb\n\x00c\ud83d") == "a b c"
    assert len(clean_text("x" * 9000)) == LONGEST_TEXT


def test_labels_of_a_plot_never_overlap() -> None:
    placed = spread([100.0, 101.0, 102.0, 20.0, 262.0, 262.0, 262.0])
    ordered = sorted(placed)
    assert all(low + LABEL_GAP <= high for low, high in itertools.pairwise(ordered))
    assert placed[3] == 20.0
    assert max(placed) <= 262.0


LONG_COLUMNS = (
    "subject_label",
    "relation_label",
    "prompt",
    "answer",
    "generated",
    "options",
    "cited",
)


def longer(column: pa.Array, ending: str) -> pa.Array:
    if pa.types.is_list(column.type):
        return pa.ListArray.from_arrays(column.offsets, longer(column.flatten(), ending))
    return pc.binary_join_element_wise(column, ending, "")


def with_long_labels(table: pa.Table) -> pa.Table:
    """Every label as long as a report shows at most, and of characters that HTML escapes."""
    for name in set(LONG_COLUMNS) & set(table.column_names):
        column = longer(table[name].combine_chunks(), " " + "&" * LONGEST_TEXT)
        table = table.set_column(table.schema.get_field_index(name), name, column)
    return table


def test_the_longest_labels_leave_the_page_below_two_megabytes(report_inputs: ReportInputs) -> None:
    answers, facts = map(with_long_labels, (report_inputs.answers, report_inputs.facts))
    report = build_report(replace(report_inputs, answers=answers, facts=facts))
    assert all(len(sample["answer"]) == LONGEST_TEXT for sample in report["samples"]["M"])
    assert 1_000_000 < len(render_page(report).encode()) < LARGEST_PAGE


def test_a_part_that_was_not_measured_is_left_out(report: Json) -> None:
    page = render_page(report)
    for part in ("calibration", "consistency", "edits", "curves"):
        assert f'id="{part}"' in page
        assert f'href="#{part}"' in page
    arms = [
        {**arm, "pools": {key: {**of, "calibration": None} for key, of in arm["pools"].items()}}
        for arm in report["arms"]
    ]
    bare = render_page({**report, "arms": arms, "consistency": [], "edits": [], "curves": {}})
    for part in ("calibration", "consistency", "edits", "curves"):
        assert f'id="{part}"' not in bare
        assert f'href="#{part}"' not in bare


def test_plots_place_numbers_where_they_belong(report: Json) -> None:
    plot = risk_plot(report, "M")
    assert plot is not None
    by_height = sorted(plot.ticks)
    assert by_height[-1][1] == 0
    for line in plot.lines:
        arm = next(arm for arm in report["arms"] if arm["name"] == line.name)
        accuracy = arm["pools"]["M"]["accuracy"]
        assert line.risk == pytest.approx(1 - accuracy, abs=1e-3)
        (high, top), (low, _) = by_height[0], by_height[-1]
        assert line.end[1] == pytest.approx(low - (low - high) * line.risk / top, abs=0.1)
    for reliability in reliability_plots(report, "M"):
        for (x, y), _, found in reliability.dots:
            across = (x - RELIABILITY_FRAME.place(0, 0)[0]) / (
                RELIABILITY_FRAME.place(1, 0)[0] - RELIABILITY_FRAME.place(0, 0)[0]
            )
            assert across == pytest.approx(found["confidence"], abs=1e-3)
            assert (y < RELIABILITY_FRAME.place(0, 0.5)[1]) == (found["accuracy"] > 0.5)
    (curve,) = loss_curves(report)
    heights = [y for _, y in curve.points]
    assert heights == sorted(heights)
    assert len(heights) == len(curve.losses) == 3


def test_slices_show_the_base_and_the_arm_of_the_result(report: Json) -> None:
    groups = {group.by: group for group in slice_groups(report, "M")}
    assert set(groups) == {"relation", "degree", "language"}
    for by, group in groups.items():
        wanted = [row for row in report["slices"] if (row["by"], row["pool"]) == (by, "M")]
        assert [row.value for row in group.rows] == [row["value"] for row in wanted]
        assert [row.after for row in group.rows] == [row["arms"]["fused"] for row in wanted]
    assert {group.arm for group in slice_groups(report, "I")} == {"fused"}


@pytest.fixture
def context(
    report_inputs: ReportInputs,
    tmp_path: Path,
    report_context: Callable[[Mapping[str, Path]], StageContext],
) -> StageContext:
    inputs = {}
    for stage in ("eval", "facts", "ingest", "pretrain"):
        recipe = Recipe(stage, 1, {}, 0, {})
        work = partial_folder(tmp_path, recipe)
        work.mkdir(parents=True)
        if stage == "eval":
            pq.write_table(report_inputs.answers, work / "answers.parquet")
            (work / "costs.json").write_text(json.dumps(report_inputs.costs))
            (work / "perplexity.json").write_text(json.dumps(report_inputs.perplexity))
            for name in ("absent.json", "explanations.json"):
                (work / name).write_text("[]")
        elif stage == "facts":
            pq.write_table(report_inputs.facts, work / "facts.parquet")
            pq.write_table(sentences_table([]), work / "sentences.parquet")
        elif stage == "pretrain":
            (work / "exposures.json").write_text('{"T-0000000000": 24}')
            (work / "screening.json").write_text("{}")
        else:
            pq.write_table(pa.table({"iri": ["https://example.org/1"]}), work / "entities.parquet")
            (work / "sources.json").write_text(json.dumps(list(report_inputs.sources)))
        publish(tmp_path, recipe, {"seconds": 2.0, "packages": {"numpy": "2.4"}})
        inputs[stage] = recipe.folder(tmp_path)
    return report_context(inputs)


def test_stage_writes_three_reports_and_prints_where(
    context: StageContext, capsys: pytest.CaptureFixture[str]
) -> None:
    run(context)
    report = json.loads((context.work / "report.json").read_text())
    assert (context.work / "report.html").read_text() == render_page(report)
    assert (context.work / "report.md").read_text() == render_markdown(report)
    assert report["provenance"]["packages"] == {"numpy": "2.4"}
    assert [stage["stage"] for stage in report["provenance"]["stages"]] == list(context.inputs)
    printed = capsys.readouterr().out.splitlines()
    assert printed[-1].endswith("0123456789abcdef/report.html")
    assert any(line.startswith("fused + prompt") for line in printed)
