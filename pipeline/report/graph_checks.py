"""What the rules found in the graph, as the report tells it: counts and two examples a rule."""

from typing import Any

import pyarrow as pa

from ...kg.checks.findings import by_rule, counts
from ..graph_findings import in_words
from ..words import clean_text, count, shorten
from .table import Table

Json = dict[str, Any]
EXAMPLES = 2
UNCHECKED = "This graph was ingested before graphs were checked."


def describe_findings(findings: pa.Table | None) -> Json | None:
    """Counts by level, and each rule with its count and first examples; None where none were sought."""
    if findings is None:
        return None
    return {
        "counts": counts(findings),
        "rules": [
            {
                "level": level,
                "rule": clean_text(rule),
                "count": rows.num_rows,
                "examples": [_example(row) for row in rows.slice(0, EXAMPLES).to_pylist()],
            }
            for level, rule, rows in by_rule(findings)
        ],
    }


def _example(row: Json) -> Json:
    texts = {name: clean_text(row[name]) for name in ("subject", "property", "value", "source")}
    return {**texts, "line": row["line"]}


def graph_checks_in_words(report: Json) -> str:
    """One sentence above the table."""
    found = report.get("findings")
    if not found:
        return UNCHECKED
    return (
        f"The rules of ROBOT report found {in_words(found['counts'])} in the graph; "
        "infact validate shows all of them."
    )


def findings_table(report: Json) -> Table:
    """A row a rule, worst level first."""
    rows = tuple(
        (
            entry["rule"],
            entry["level"],
            "; ".join(map(_in_words, entry["examples"])),
            count(entry["count"]),
        )
        for entry in (report.get("findings") or {"rules": []})["rules"]
    )
    return Table(("rule", "level", "for example", "findings"), rows, text_columns=3)


def _in_words(example: Json) -> str:
    place = f"{example['source']}:{example['line']}" if example["line"] else example["source"]
    value = f" {shorten(example['value'], 60)}" if example["value"] else ""
    return f"{example['subject']}{value} ({place})"
