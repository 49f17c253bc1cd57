"""Findings: what is the matter with a graph, by which rule, how bad, about which entity, and where."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ...errors import UserError
from ..free_memory import give_back
from ..graph import KnowledgeGraph
from ..storage.graph_tables import write_parquet
from .found import Found, repeated
from .graph_rules import DEFAULT_PROFILE, RULES
from .statement_rows import StatementRows

FINDINGS = "findings.parquet"
AT_ONCE = 100_000  # findings that are put into words together
LEVELS = ("ERROR", "WARN", "INFO")
SHARED = pa.dictionary(pa.int32(), pa.string())
FINDING_SCHEMA = pa.schema(
    {
        "level": SHARED,
        "rule": SHARED,
        "entity": pa.int32(),  # -1: not an entity of the graph
        "subject": pa.string(),
        "property": SHARED,
        "value": pa.string(),
        "message": SHARED,  # of a SHACL shape
        "shape": SHARED,
        "source": SHARED,  # empty where unknown
        "line": pa.int32(),  # 0 where unknown
    }
)


def check_graph(directory: Path, profile: Mapping[str, str] = DEFAULT_PROFILE) -> pa.Table:
    """The findings of a graph directory's tables: ROBOT's rules, worst level first, then by rule.

    Args:
        directory: with the tables that `ingest` writes; the store isn't needed.
        profile: rule → level; only these rules are asked.
    """
    return joined(list(_tables(directory, profile)))


def write_findings(directory: Path) -> None:
    """Check the tables just written, and put findings.parquet beside them."""
    tables = _tables(directory, DEFAULT_PROFILE)
    write_parquet(directory / FINDINGS, FINDING_SCHEMA, tables)


def _tables(directory: Path, profile: Mapping[str, str]) -> Iterator[pa.Table]:
    """The findings, some at a time."""
    graph = KnowledgeGraph(directory)
    rows = StatementRows(graph)
    names = [str(source["name"]) for source in graph.sources]
    ordered = sorted(profile.items(), key=lambda entry: (LEVELS.index(entry[1]), entry[0]))
    for rule, level in ordered:
        found = _once(RULES[rule](rows))
        give_back()
        for start in range(0, len(found.entity), AT_ONCE):
            give_back()
            yield _table(rule, level, found.part(start, start + AT_ONCE), rows, names)


def counts(findings: pa.Table) -> dict[str, int]:
    """Level → number of findings, of every level."""
    told = {
        entry["values"]: entry["counts"]
        for entry in pc.value_counts(findings["level"].cast(pa.string())).to_pylist()
    }
    return {level: told.get(level, 0) for level in LEVELS}


def by_rule(findings: pa.Table) -> list[tuple[str, str, pa.Table]]:
    """Level, rule and findings of each rule, worst level first, then most findings."""
    levels, rules = (findings[name].cast(pa.string()) for name in ("level", "rule"))
    keys = pa.table({"level": levels, "rule": rules}).group_by(["level", "rule"])
    groups = keys.aggregate([("rule", "count")]).to_pylist()
    groups.sort(key=lambda row: (LEVELS.index(row["level"]), -row["rule_count"], row["rule"]))
    return [
        (
            group["level"],
            group["rule"],
            findings.filter(
                pc.and_(pc.equal(levels, group["level"]), pc.equal(rules, group["rule"]))
            ),
        )
        for group in groups
    ]


def joined(tables: Sequence[pa.Table]) -> pa.Table:
    """Several tables of findings as one."""
    filled = [table for table in tables if table.num_rows]
    if not filled:
        return FINDING_SCHEMA.empty_table()
    return pa.concat_tables(filled).unify_dictionaries().combine_chunks()


def read_profile(path: Path) -> dict[str, str]:
    """Rule → level, from a file like ROBOT's: `LEVEL<TAB>rule` a line; # begins a comment.

    Raises:
        UserError: the file can't be read, or a line names no such level or rule.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            f"the profile can't be read: {error}", str(path), "name a text file"
        ) from None
    profile = {}
    for number, line in enumerate(lines, start=1):
        words = line.split("#", 1)[0].split()
        if not words:
            continue
        where = f"{path}:{number}  {line[:80]}"
        if len(words) != 2 or words[0] not in LEVELS:
            fix = f"write a level ({', '.join(LEVELS)}), a tab and a rule"
            raise UserError("the line isn't a level and a rule", where, fix)
        if words[1] not in RULES:
            fix = f"take one of {', '.join(sorted(RULES))}; for rules of your own, use --shapes"
            raise UserError(f"there is no rule {words[1]!r}", where, fix)
        profile[words[1]] = words[0]
    return profile


def _table(
    rule: str, level: str, found: Found, rows: StatementRows, names: Sequence[str]
) -> pa.Table:
    count = len(found.entity)
    source, line = rows.all.origin(found.statement)
    columns = {
        "level": repeated(level, count),
        "rule": repeated(rule, count),
        "entity": pa.array(found.entity, pa.int32()),
        "subject": rows.iris.take(found.entity),
        "property": pc.coalesce(
            found.property.cast(pa.string()), rows.all.predicate(found.statement)
        ),
        "value": pc.coalesce(found.value.cast(pa.string()), rows.all.text(found.statement)),
        "message": repeated("", count),
        "shape": repeated("", count),
        "source": pa.DictionaryArray.from_arrays(
            pa.array(np.where(found.statement < 0, len(names), source)),
            pa.array([*names, ""], pa.string()),
        ),
        "line": pa.array(line),
    }
    return pa.table(columns).cast(FINDING_SCHEMA)


def _once(found: Found) -> Found:
    """Without repetitions, by entity and statement; two parts of a rule may find the same."""
    statement = (found.entity.astype(np.int64) << 32) + found.statement
    order = np.argsort(statement, kind="stable")
    if np.all(np.diff(statement[order]) > 0):  # as nearly always: no look at the texts is needed
        return found.at(order)
    keys = pa.table(
        {
            "entity": found.entity,
            "row": found.statement,
            "property": found.property.cast(pa.string()),
            "value": found.value.cast(pa.string()),
            "place": np.arange(len(found.entity)),
        }
    )
    kept = keys.group_by(["entity", "row", "property", "value"], use_threads=False).aggregate(
        [("place", "min")]
    )
    kept = kept.sort_by([("entity", "ascending"), ("row", "ascending"), ("place_min", "ascending")])
    return found.at(kept["place_min"].to_numpy())
