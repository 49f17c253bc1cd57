"""Counts that tell a reader what kind of graph this is."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from .graph import Int32, KnowledgeGraph
from .vocabulary import RDF_TYPE

COMMON = 20  # rows of the lists of frequent things


def graph_statistics(
    graph: KnowledgeGraph, literal_predicates: Sequence[tuple[str, int]], hierarchy: Sequence[str]
) -> dict[str, Any]:
    """Counts of entities, statements, names and types; degrees; the hierarchy's shape.

    Args:
        graph: its tables and arrays are written already.
        literal_predicates: each with how many literals it has.
        hierarchy: predicates from the narrower to the broader entity.
    """
    entities, names = graph.entities_table, graph.names_table
    relations = [relation.iri for relation in graph.relations]
    degree = entities["degree"].to_numpy()
    blank = pc.starts_with(entities["iri"], "_:")
    return {
        "entities": len(entities),
        "blank_nodes": int(pc.sum(blank).as_py() or 0),
        "unlabelled": entities["label"].null_count,
        "deprecated": int(pc.sum(entities["deprecated"]).as_py() or 0),
        "relations": len(relations),
        "triples": len(graph.triples),
        "literals": sum(count for _, count in literal_predicates),
        "literal_predicates": dict(sorted(literal_predicates, key=lambda pair: -pair[1])),
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
        "types": type_counts(graph, relations),
        "hierarchy": {
            iri: shape(graph.triples, relations.index(iri), len(entities))
            for iri in hierarchy
            if iri in relations
        },
    }


def ambiguous(names: pa.Table) -> int:
    """How many names, case set aside, belong to more than one entity."""
    folded = pa.table({"name": pc.utf8_lower(names["name"]), "entity": names["entity"]})
    holders = folded.group_by("name").aggregate([("entity", "count_distinct")])
    return int(pc.sum(pc.greater(holders["entity_count_distinct"], 1)).as_py() or 0)


def type_counts(graph: KnowledgeGraph, relations: Sequence[str]) -> dict[str, int]:
    """The most frequent types and how many entities have them."""
    if RDF_TYPE not in relations:
        return {}
    typed = graph.triples[graph.triples[:, 1] == relations.index(RDF_TYPE), 2]
    types, counts = np.unique(typed, return_counts=True)
    frequent = np.argsort(-counts, kind="stable")[:COMMON]
    return {graph.iri(int(types[place])): int(counts[place]) for place in frequent}


def shape(triples: Int32, relation: int, entities: int) -> dict[str, int]:
    """Edges, roots and leaves of one hierarchy, and the entities that are in cycles or below them.

    Rounds of removing entities whose parents are all gone (Kahn 1962) give the depth.
    """
    edges: NDArray[np.int32] = triples[triples[:, 1] == relation][:, (0, 2)]
    members = np.unique(edges)
    parents = np.bincount(edges[:, 0], minlength=entities)
    roots = members[parents[members] == 0]
    children = np.bincount(edges[:, 1], minlength=entities)
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
