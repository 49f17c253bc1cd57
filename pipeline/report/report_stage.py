"""The report stage: report.json, report.html, report.md and answers.csv from answers and manifests."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ...kg.checks.findings import FINDINGS, check_graph, joined
from ...kg.checks.shapes_file import Shapes
from ...kg.graph import KnowledgeGraph
from ..artifacts import file_digest, read_manifest
from ..graph_shapes import findings_of_shapes, read_project_shapes
from ..stages import StageContext
from .answers_csv import ANSWERS_CSV, answers_csv
from .arm_table import arm_table
from .document import REPORT_JSON, report_document
from .markdown import render_markdown
from .page import render_page
from .report_data import ReportInputs, build_report
from .targets import Target
from .training_curves import training_curves


def run(context: StageContext) -> None:
    """Write reports and answers into the stage's folder, then print the table of arms and the path.

    Raises:
        UserError: arms answered different facts.
    """
    inputs = read_inputs(context)
    report = build_report(inputs)
    _write(context.work / ANSWERS_CSV, answers_csv(inputs.answers, inputs.facts))
    report["files"] = {ANSWERS_CSV: file_digest(context.work / ANSWERS_CSV)}
    _write(context.work / REPORT_JSON, report_document(report))
    _write(context.work / "report.html", render_page(report))
    _write(context.work / "report.md", render_markdown(report))
    context.console.line(arm_table(report))
    # The folder loses its suffix when it is published.
    context.console.line(f"{context.work.with_suffix('') / 'report.html'}")


def read_inputs(context: StageContext) -> ReportInputs:
    """Everything the report is made from, out of the folders of the stages before it."""
    shapes = read_project_shapes(context.files)
    answers, facts = context.inputs["eval"], context.inputs["facts"]
    manifests = {name: read_manifest(folder) for name, folder in context.inputs.items()}
    settings = context.project
    return ReportInputs(
        title=settings.report.title or settings.name,
        answers=pq.read_table(answers / "answers.parquet"),
        facts=pq.read_table(facts / "facts.parquet"),
        costs=_read_json(answers / "costs.json"),
        perplexity=_read_json(answers / "perplexity.json"),
        sources=_read_json(context.inputs["ingest"] / "sources.json"),
        manifests={name: found for name, found in manifests.items() if found is not None},
        model=Path(settings.model.base).name,
        primary=settings.eval.primary,
        seed=context.seed,
        targets=tuple(Target(**target.model_dump()) for target in settings.report.target),
        sentences=pq.read_table(facts / "sentences.parquet"),
        exposures=_read_json(context.inputs["pretrain"] / "exposures.json"),
        screening=_read_json(context.inputs["pretrain"] / "screening.json"),
        scale=_read_optional(context.inputs["pretrain"] / "scale.json"),
        sentence_pairs=_read_optional(context.inputs["pretrain"] / "sentence_pairs.json"),
        entities=pq.read_table(context.inputs["ingest"] / "entities.parquet", columns=["iri"]),
        curves=training_curves(context.inputs),
        absent=_read_json(answers / "absent.json"),
        explanations=_read_json(answers / "explanations.json"),
        findings=_findings(context, shapes),
        shapes=[one.name for one in shapes],
    )


def _findings(context: StageContext, shapes: Sequence[Shapes]) -> pa.Table | None:
    """What rules found when the graph was made, and what the project's shapes find in it now."""
    folder = context.inputs["ingest"]
    by_rules = _read_table(folder / FINDINGS)
    if not shapes:
        return by_rules
    graph = KnowledgeGraph.open(folder)
    by_rules = check_graph(folder) if by_rules is None else by_rules
    return joined([by_rules, *findings_of_shapes(graph, shapes, context.console)])


def _read_table(path: Path) -> pa.Table | None:
    return pq.read_table(path) if path.exists() else None


def _read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _read_optional(path: Path) -> Any:
    return _read_json(path) if path.exists() else None


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
