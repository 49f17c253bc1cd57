"""Counts that tell a reader what kind of graph this is."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from . import vocabulary as v
from .graph_tables import deprecated
from .tables import Int32, StatementTables

COMMON = 20  # rows of the lists of frequent things


def graph_statistics(
    tables: StatementTables,
    names: pa.Table,
    label_of: Mapping[int, str],
    hierarchy: Sequence[str],
) -> dict[str, Any]:
    """Counts of entities, statements, names and types; degrees; the hierarchy's shape."""
    degree = np.bincount(tables.triples[:, (0, 2)].ravel(), minlength=len(tables.entities))
    return {
        "entities": len(tables.entities),
        "blank_nodes": sum(iri.startswith("_:") for iri in tables.entities),
        "unlabelled": len(tables.entities) - len(label_of),
        "deprecated": int(deprecated(tables).sum()),
        "relations": len(tables.relations),
        "triples": len(tables.triples),
        "literals": len(tables.literals),
        "literal_predicates": counted(tables.literal_predicates, tables.literals[:, 1]),
        "names": names.num_rows,
        "names_by_kind": {
            row["values"]: row["counts"] for row in pc.value_counts(names["kind"]).to_pylist()
        },
        "ambiguous_names": ambiguous(names),
        "degree": {
            "mean": round(float(degree.mean()), 4),
            "median": float(np.median(degree)),
            "maximum": int(degree.max()),
        },
        "types": type_counts(tables),
        "hierarchy": {iri: shape(tables, iri) for iri in hierarchy if iri in tables.relations},
    }


def counted(labels: Sequence[str], numbers: Int32) -> dict[str, int]:
    """Label → how often its number occurs, the most frequent first."""
    counts = Counter(dict(enumerate(np.bincount(numbers, minlength=len(labels)).tolist())))
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return {labels[number]: count for number, count in ordered if count}


def ambiguous(names: pa.Table) -> int:
    """How many names, case set aside, belong to more than one entity."""
    folded = pa.table({"name": pc.utf8_lower(names["name"]), "entity": names["entity"]})
    holders = folded.group_by("name").aggregate([("entity", "count_distinct")])
    return int(pc.sum(pc.greater(holders["entity_count_distinct"], 1)).as_py() or 0)


def type_counts(tables: StatementTables) -> dict[str, int]:
    """The most frequent types and how many entities have them."""
    if v.RDF_TYPE not in tables.relations:
        return {}
    is_type = tables.triples[:, 1] == tables.relations.index(v.RDF_TYPE)
    counts = counted(tables.entities, tables.triples[is_type, 2])
    return dict(list(counts.items())[:COMMON])


def shape(tables: StatementTables, iri: str) -> dict[str, int]:
    """Edges, roots and leaves of one hierarchy, and the entities that are in cycles or below them.

    Rounds of removing entities whose parents are all gone (Kahn 1962) give the depth.
    """
    edges = tables.triples[tables.triples[:, 1] == tables.relations.index(iri)][:, (0, 2)]
    members = np.unique(edges)
    parents = np.bincount(edges[:, 0], minlength=len(tables.entities))
    roots = members[parents[members] == 0]
    children = np.bincount(edges[:, 1], minlength=len(tables.entities))
    depth, layer, placed = 0, roots, len(roots)
    by_parent = edges[np.argsort(edges[:, 1], kind="stable")]
    while True:
        bounds = np.searchsorted(by_parent[:, 1], np.stack([layer, layer + 1]))
        below = [by_parent[start:end, 0] for start, end in bounds.T]
        reached, losses = np.unique(np.concatenate([*below, members[:0]]), return_counts=True)
        parents[reached] -= losses
        layer = reached[parents[reached] == 0]
        if not len(layer):
            break
        depth += 1
        placed += len(layer)
    return {
        "edges": len(edges),
        "roots": len(roots),
        "leaves": int(np.count_nonzero(children[members] == 0)),
        "depth": depth,
        "in_or_below_cycles": len(members) - placed,
    }
