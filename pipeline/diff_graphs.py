"""`infact diff A B`: what changed between two graphs, for people, machines and stores."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ..errors import UserError
from ..kg.graph import KnowledgeGraph
from ..kg.prefixes import Prefixes
from ..kg.storage.snapshots import SNAPSHOTS, current_snapshot
from ..kg.views.graph_diff import GraphDiff, graph_diff
from ..kg.views.graph_patch import patch_lines
from ..kg.views.shared_numbers import Int64
from .artifacts import newest_first
from .console import harmless
from .words import MINUS, clean_text

FORMATS = ("table", "json", "patch")
SHOWN = 5  # of each kind
SHOWN_IN_JSON = 1000
SIGNS = {"added": "+", "removed": MINUS, None: "·"}
PREFIXES = Prefixes()
Count = int | dict[str, int]  # of changes, or of additions and removals
Row = dict[str, Any]


def diff_graphs(first: Path, second: Path | None, format: str) -> tuple[GraphDiff, Iterator[str]]:
    """The difference, and the lines that tell it.

    Args:
        first: folder of the old graph; with no second, a folder of snapshots, whose current one is
            compared with the one before it.
        second: folder of the new graph.
        format: table, json or patch.

    Raises:
        UserError: a folder holds no graph or no earlier snapshot, or the format isn't known.
    """
    if format not in FORMATS:
        problem = f"the format {format!r} isn't known"
        raise UserError(problem, "--format", f"take one of {', '.join(FORMATS)}")
    if second is None:
        first, second = snapshot_before(first), first
    diff = graph_diff(KnowledgeGraph.open(first), KnowledgeGraph.open(second))
    told: dict[str, Callable[[GraphDiff], Iterator[str]]] = {
        "table": table_lines,
        "json": json_lines,
        "patch": patch_lines,
    }
    return diff, told[format](diff)


def write_lines(lines: Iterator[str], out: Path | None) -> None:
    """To a file, or to standard output where none is named.

    Raises:
        UserError: the file can't be written.
    """
    ended = (f"{line}\n" for line in lines)
    if out is None:
        sys.stdout.writelines(ended)
        return
    try:
        with out.open("w", encoding="utf-8") as file:
            file.writelines(ended)
    except OSError as error:
        problem = f"the file can't be written: {error.strerror}"
        raise UserError(problem, str(out), "name another --out") from error


def snapshot_before(folder: Path) -> Path:
    """The snapshot that was current before the one that is.

    Raises:
        UserError: there is none.
    """
    current = current_snapshot(folder)
    others = [path for path in newest_first(folder, SNAPSHOTS) if path != current]
    if current == folder or not others:
        problem = "there is no earlier snapshot to compare with"
        raise UserError(problem, str(folder), "name two graphs: infact diff OLD NEW")
    return others[0]


def table_lines(diff: GraphDiff) -> Iterator[str]:
    """Counts, then the first few changes of each kind."""
    yield harmless(f"old  {diff.old.directory}")
    yield harmless(f"new  {diff.new.directory}")
    counts = {kind: count for kind, count in _counts(diff).items() if _total(count)}
    if not counts:
        yield "no difference"
        return
    width = max(map(len, counts))
    for kind, count in counts.items():
        yield f"{kind:<{width}}  {_counted(count)}"
    yield "statements by predicate"
    for row in diff.predicates.slice(0, SHOWN).to_pylist():
        yield f"  {_counted(row)}  {_shown(row['predicate'])}"
    yield from _more(diff.predicates.num_rows - SHOWN)
    rows = _rows(diff, SHOWN)
    for kind, words in WORDS.items():
        if kind in counts:
            yield kind
            for row in rows[kind]:
                yield f"  {SIGNS[row.get('change')]} {words(row)}"
            yield from _more(_total(counts[kind]) - len(rows[kind]))


def json_lines(diff: GraphDiff) -> Iterator[str]:
    """One document: every count, and up to a thousand rows of each kind and direction."""
    document = {
        "old": str(diff.old.directory),
        "new": str(diff.new.directory),
        "same": diff.empty,
        "counts": _counts(diff),
        "predicates": diff.predicates.to_pylist(),
        **_rows(diff, SHOWN_IN_JSON),
    }
    yield json.dumps(document, indent=1, ensure_ascii=False)


def _counts(diff: GraphDiff) -> dict[str, Count]:
    pairs = {
        "triples": (diff.added_triples, diff.removed_triples),
        "literals": (diff.added_literals, diff.removed_literals),
        "entities": (diff.added_entities, diff.removed_entities),
        "blank nodes": (diff.added_blank_nodes, diff.removed_blank_nodes),
        "relations": (diff.added_relations, diff.removed_relations),
        "names": (diff.added_names, diff.removed_names),
    }
    both: dict[str, Count] = {
        kind: {"added": len(added), "removed": len(removed)}
        for kind, (added, removed) in pairs.items()
    }
    return {**both, "relabelled": len(diff.relabelled), "deprecated": len(diff.deprecated)}


def _rows(diff: GraphDiff, most: int) -> dict[str, list[Row]]:
    """The first rows of each kind, additions before removals; IRIs with their labels."""
    sides = (
        ("added", diff.new, diff.added_triples, diff.added_literals),
        ("removed", diff.old, diff.removed_triples, diff.removed_literals),
    )
    entities = {"added": diff.added_entities, "removed": diff.removed_entities}
    relations = {"added": diff.added_relations, "removed": diff.removed_relations}
    names = {"added": diff.added_names, "removed": diff.removed_names}
    found: dict[str, list[Row]] = {kind: [] for kind in WORDS}
    for change, graph, triples, literals in sides:
        made = {
            "triples": _triples(graph, triples[:most]),
            "literals": _literals(graph, literals[:most]),
            "entities": _entities(graph, entities[change][:most]),
            "relations": [
                {"iri": graph.relation_iri(number), "label": graph.relation_label(number)}
                for number in relations[change][:most].tolist()
            ],
            "names": names[change].slice(0, most).to_pylist(),
        }
        for kind, rows in made.items():
            found[kind] += [{"change": change, **row} for row in rows]
    found["relabelled"] = diff.relabelled.slice(0, most).to_pylist()
    found["deprecated"] = diff.deprecated.slice(0, most).to_pylist()
    return found


def _triples(graph: KnowledgeGraph, rows: Int64) -> list[Row]:
    heads, relations, tails = graph.triples[rows].T
    return [
        {
            "head": head["iri"],
            "head_label": head["label"],
            "relation": graph.relation_iri(relation),
            "relation_label": graph.relation_label(relation),
            "tail": tail["iri"],
            "tail_label": tail["label"],
        }
        for head, relation, tail in zip(
            _entities(graph, heads), relations.tolist(), _entities(graph, tails), strict=True
        )
    ]


def _literals(graph: KnowledgeGraph, rows: Int64) -> list[Row]:
    columns = ["predicate", "value", "datatype", "language"]
    table = graph.literals_table.take(pa.array(rows))
    holders = _entities(graph, table["entity"].to_numpy())
    return [
        {"entity": holder["iri"], "entity_label": holder["label"], **row}
        for holder, row in zip(holders, table.select(columns).to_pylist(), strict=True)
    ]


def _entities(graph: KnowledgeGraph, entities: NDArray[np.integer]) -> list[Row]:
    table = graph.entities_table.select(["iri", "label"]).take(pa.array(entities))
    return table.to_pylist()


def _total(count: Count) -> int:
    return count if isinstance(count, int) else count["added"] + count["removed"]


def _counted(count: Count) -> str:
    if isinstance(count, int):
        return f"{count:,}"
    return f"+{count['added']:,} {MINUS}{count['removed']:,}"


def _more(left: int) -> Iterator[str]:
    if left > 0:
        yield f"  … and {left:,} more"


def _shown(iri: str, label: str | None = None) -> str:
    return clean_text(label or PREFIXES.compress(iri))


def _triple_words(row: Row) -> str:
    head, tail = (_shown(row[end], row[f"{end}_label"]) for end in ("head", "tail"))
    return f"{head} → {_shown('', row['relation_label'])} → {tail}"


def _literal_words(row: Row) -> str:
    tag = f" @{row['language']}" if row["language"] else ""
    holder = _shown(row["entity"], row["entity_label"])
    return f"{holder}  {_shown(row['predicate'])}: {clean_text(row['value'])}{tag}"


def _resource_words(row: Row) -> str:
    return f"{_shown(row['iri'], row['label'])}  {clean_text(row['iri'])}"


def _name_words(row: Row) -> str:
    tag = f" @{row['language']}" if row["language"] else ""
    return f"{_shown(row['iri'])}  {row['kind']}: {clean_text(row['name'])}{tag}"


def _label_words(row: Row) -> str:
    before, after = (clean_text(row[side] or "no label") for side in ("before", "after"))
    return f"{before} → {after}  {clean_text(row['iri'])}"


def _deprecation_words(row: Row) -> str:
    by = f", replaced by {_shown(row['replaced_by'])}" if row["replaced_by"] else ""
    return f"{_resource_words(row)}{by}"


WORDS: dict[str, Callable[[Row], str]] = {
    "triples": _triple_words,
    "literals": _literal_words,
    "entities": _resource_words,
    "relations": _resource_words,
    "names": _name_words,
    "relabelled": _label_words,
    "deprecated": _deprecation_words,
}
