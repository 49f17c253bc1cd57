"""What rules and shapes found in the graph, as the report tells it: counts and two examples of each."""

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ...kg.checks.findings import by_rule, counts
from ..graph_findings import in_words
from ..words import clean_text, count, shorten
from .table import Table

Json = dict[str, Any]
EXAMPLES = 2
UNCHECKED = "This graph was ingested before graphs were checked."


def describe_findings(findings: pa.Table | None, shapes: Sequence[str] = ()) -> Json | None:
    """Counts by level, and each rule with its count and first examples; None where none were sought.

    Args:
        findings: of rules and of shapes.
        shapes: names of the shapes files that the graph was held to.
    """
    if findings is None:
        return None
    rules = [
        {
            "level": level,
            "rule": clean_text(rule),
            **({"shape": shape} if shape else {}),
            "count": rows.num_rows,
            "examples": [_example(row) for row in rows.slice(0, EXAMPLES).to_pylist()],
        }
        for level, rule, of_rule in by_rule(findings)
        for shape, rows in _by_shape(of_rule)
    ]
    held_to = {"shapes": [clean_text(name) for name in shapes]} if shapes else {}
    return {"counts": counts(findings), **held_to, "rules": rules}


def _by_shape(findings: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    """The findings of each shape, by its IRI, most first; of rules and of shapes without one: ""."""
    # The name of a blank node says nothing.
    shapes = findings["shape"].cast(pa.string())
    named = pc.if_else(pc.starts_with(shapes, "_:"), "", shapes)
    found = [(entry["counts"], entry["values"]) for entry in pc.value_counts(named).to_pylist()]
    for _, shape in sorted(found, key=lambda entry: (-entry[0], entry[1])):
        yield clean_text(shape), findings.filter(pc.equal(named, shape))


def _example(row: Json) -> Json:
    texts = {name: clean_text(row[name]) for name in ("subject", "property", "value", "source")}
    said = {"message": clean_text(row["message"])} if row["message"] else {}
    return {**texts, **said, "line": row["line"]}


def graph_checks_in_words(report: Json) -> str:
    """One sentence above the table."""
    found = report.get("findings")
    if not found:
        return UNCHECKED
    shapes = found.get("shapes") or []
    held_to = f" and the SHACL shapes of {', '.join(shapes)}" if shapes else ""
    return (
        f"The rules of ROBOT report{held_to} found {in_words(found['counts'])} in the graph; "
        "infact validate shows all of them."
    )


def findings_table(report: Json) -> Table:
    """A row a rule, and a shape where there are any; worst level first."""
    found = report.get("findings") or {"rules": []}
    shaped = bool(found.get("shapes"))
    rows = tuple(
        (
            entry["rule"],
            entry["level"],
            *([entry.get("shape", "")] if shaped else []),
            "; ".join(map(_in_words, entry["examples"])),
            count(entry["count"]),
        )
        for entry in found["rules"]
    )
    head = ("rule", "level", *(["shape"] if shaped else []), "for example", "findings")
    return Table(head, rows, text_columns=len(head) - 1)


def _in_words(example: Json) -> str:
    place = f"{example['source']}:{example['line']}" if example["line"] else example["source"]
    said = example.get("message") or example["value"]
    value = f" {shorten(said, 60)}" if said else ""
    return f"{example['subject']}{value} ({place})"
