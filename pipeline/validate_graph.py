"""`infact validate`: a graph held to ROBOT's rules and to SHACL shapes; the exit status says how bad."""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from ..errors import UserError
from ..kg.checks.findings import by_rule, check_graph, counts, joined, read_profile
from ..kg.checks.graph_rules import DEFAULT_PROFILE
from ..kg.checks.shapes_file import Shapes, read_shapes
from ..kg.names import clean_name
from .chosen_graph import ChosenGraph
from .console import Console
from .graph_findings import check_level, in_words, passes
from .graph_shapes import findings_of_shapes, read_project_shapes, shape_files
from .report.table import Table
from .report.terminal_table import terminal_table

FORMATS = ("table", "json", "csv", "tsv")
SEPARATORS = {"csv": ",", "tsv": "\t"}
EXAMPLES = 3  # of each rule, in the table
COLUMNS = ("level", "rule", "subject", "property", "value", "message", "shape", "source", "line")


@dataclass(frozen=True)
class Validation:
    """What a graph is held to, and how the findings are told.

    Attributes:
        shapes: SHACL files, besides those of the project.
        profile: file of levels and rules; None for ROBOT's default profile.
        fail_on: the least level at which the command fails: error, warn, info or never.
        format: table, json, csv or tsv.
        out: file for the findings; None for standard output.
    """

    shapes: tuple[Path, ...]
    profile: Path | None
    fail_on: str
    format: str
    out: Path | None


def validate_graph(chosen: ChosenGraph, asked: Validation, console: Console) -> bool:
    """Tell the findings; whether none is at or above `fail_on`.

    Raises:
        UserError: the level or format isn't known, or a profile or shapes file is faulty.
    """
    check_level(asked.fail_on)
    if asked.format not in FORMATS:
        problem = f"the format {asked.format!r} isn't known"
        raise UserError(problem, "--format", f"take one of {', '.join(FORMATS)}")
    profile = DEFAULT_PROFILE if asked.profile is None else read_profile(asked.profile)
    all_shapes = _all_shapes(chosen, asked)
    by_rules = check_graph(chosen.graph.directory, profile)
    findings = joined([by_rules, *findings_of_shapes(chosen.graph, all_shapes, console)])
    text = written(findings, asked.format, chosen)
    if asked.out is None:
        print(text, end="")
    else:
        try:
            asked.out.write_text(text, encoding="utf-8")
        except OSError as error:
            problem = f"the findings can't be written: {error.strerror}"
            raise UserError(problem, str(asked.out), "name another --out") from None
        console.line(f"{in_words(counts(findings))}: {asked.out}")
    return passes(counts(findings), asked.fail_on)


def _all_shapes(chosen: ChosenGraph, asked: Validation) -> list[Shapes]:
    """Those of the project, then those asked for that aren't among them."""
    of_project = {} if chosen.project is None else shape_files(chosen.project)
    known = {path.resolve() for path in of_project.values()}
    others = [read_shapes(path) for path in asked.shapes if path.resolve() not in known]
    return [*read_project_shapes(of_project), *others]


def written(findings: pa.Table, format: str, chosen: ChosenGraph) -> str:
    """The findings in this format: every one, but for the table, which shows a few of each rule."""
    if format == "table":
        return _table(findings, chosen)
    rows = findings.select(COLUMNS).to_pylist()
    if format == "json":
        document = {"counts": counts(findings), "findings": rows}
        return json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    return _separated(rows, SEPARATORS[format])


def _separated(rows: Iterable[Mapping[str, object]], separator: str) -> str:
    """With tabs and line ends inside a field as blanks where tabs separate fields."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        cells = [str(row[name]) for name in COLUMNS]
        writer.writerow([" ".join(c.split("\t")) for c in cells] if separator == "\t" else cells)
    return text.getvalue()


def _table(findings: pa.Table, chosen: ChosenGraph) -> str:
    blocks = []
    for level, rule, rows in by_rule(findings):
        shown = tuple(_example(row, chosen) for row in rows.slice(0, EXAMPLES).to_pylist())
        head = (f"{level} {rule}: {rows.num_rows:,}", "property", "value or message", "place")
        blocks.append(terminal_table(Table(head, shown, len(head))))
    return "\n\n".join([*blocks, in_words(counts(findings))]) + "\n"


def _example(row: Mapping[str, str | int], chosen: ChosenGraph) -> tuple[str, ...]:
    place = f"{row['source']}:{row['line']}" if row["line"] else str(row["source"])
    said = clean_name(str(row["message"] or row["value"])) or repr(row["value"])[1:-1]
    return (
        chosen.prefixes.compress(str(row["subject"])),
        chosen.prefixes.compress(str(row["property"])),
        said if len(said) <= 60 else f"{said[:59]}…",
        place,
    )
