"""Counts that tell a reader what kind of graph this is: the keys of statistics.json.

| key | what |
|---|---|
| entities, blank_nodes, unlabelled, deprecated | entities |
| relations, triples, literals, literal_predicates | statements; literals of each predicate |
| names, names_by_kind, ambiguous_names | labels and synonyms |
| degree | mean, median, maximum; histogram between powers of two; hubs |
| types | the most frequent, with their entities |
| hierarchy | edges, roots, leaves, depth, cycles and transitivity of each |
| by_relation | of each relation: counts, fan-out both ways, types seen, domain and range |
| by_literal_predicate | of each: counts, texts, datatypes, languages, types seen, domain and range |
| suspicions | symmetric, inverse, duplicate and Cartesian relations, and the thresholds |
| literal_languages, labels | literals by language; labelled entities by language and type |
| components | how many, the largest, isolated entities; rdf:type doesn't join |
"""

import bisect
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .. import vocabulary as v
from ..columns_read import read_columns
from ..graph import Int32, KnowledgeGraph
from ..names import words_of
from .connectivity import components, degree_histogram, hubs
from .coverage import label_coverage, language_counts
from .distinct_texts import distinct_texts
from .literal_statistics import literal_columns, literal_statistics
from .relation_pairs import relation_pairs, transitive_steps
from .relation_statistics import relation_statistics, suspicions
from .types_seen import Declared, EntityTypes, declared_classes

COMMON = 20  # rows of the lists of frequent things
# All but texts and places.
ENTITY_COLUMNS = ("iri", "label", "deprecated", "degree")
NAME_COLUMNS = ("entity", "kind", "language")
LITERAL_COLUMNS = ("entity", "predicate", "datatype", "language")


def graph_statistics(
    graph: KnowledgeGraph, literal_predicates: Sequence[tuple[str, int]], hierarchy: Sequence[str]
) -> dict[str, Any]:
    """Counts of entities, statements, names and types; degrees; the hierarchy's shape; then each
    predicate, components, languages, labels, and relations that tell each other.

    Lists are cut; counts never are.

    Args:
        graph: its tables and arrays are written already.
        literal_predicates: each with how many literals it has.
        hierarchy: predicates from the narrower to the broader entity.
    """
    # First: it takes its memory before the tables take theirs.
    texts = distinct_texts(graph.directory)
    entities = _read(graph, "entities", ENTITY_COLUMNS)
    names = _read(graph, "names", NAME_COLUMNS)
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
        "ambiguous_names": texts.ambiguous_names,
        "degree": {
            "mean": round(float(degree.mean()), 4),
            "median": float(np.median(degree)),
            "maximum": int(degree.max()),
            "histogram": degree_histogram(degree),
            "hubs": hubs(degree, entities),
        },
        "types": type_counts(graph.triples, relations, entities["iri"]),
        "hierarchy": {
            iri: shape(graph.triples, relations.index(iri), len(entities))
            for iri in hierarchy
            if iri in relations
        },
        **predicate_statistics(graph, relations, entities, names, texts.sizes),
    }


def predicate_statistics(
    graph: KnowledgeGraph,
    relations: Sequence[str],
    entities: pa.Table,
    names: pa.Table,
    texts: Mapping[str, tuple[int, int]],
) -> dict[str, Any]:
    """Each relation and literal predicate, suspicions, languages, labels and components."""
    triples, iris = graph.triples, entities["iri"]
    numbers = {iri: number for number, iri in enumerate(relations)}
    types = EntityTypes(
        edges_of(triples, numbers.get(v.RDF_TYPE)),
        len(iris),
        edges_of(triples, numbers.get(v.RDFS + "subClassOf")),
    )
    declared = Declared(
        *(
            declared_classes(triples, numbers.get(v.RDFS + name), iris)
            for name in ("domain", "range")
        )
    )
    pairs = relation_pairs(triples, len(iris), len(relations))
    literals = literal_columns(_read(graph, "literals", LITERAL_COLUMNS))
    labels = predicate_labels(entities, literals.predicates)
    labelled = pc.is_valid(entities["label"]).to_numpy()
    return {
        "by_relation": relation_statistics(triples, graph.relations, iris, types, declared, pairs),
        "by_literal_predicate": literal_statistics(literals, texts, labels, iris, types, declared),
        "suspicions": suspicions(graph.relations, pairs),
        "literal_languages": language_counts(literals.language, literals.languages),
        "labels": label_coverage(names, labelled, iris, types),
        "components": components(triples, len(iris), numbers.get(v.RDF_TYPE)),
    }


def _read(graph: KnowledgeGraph, name: str, columns: Sequence[str]) -> pa.Table:
    repeated = [column for column in ("kind", "language") if column in columns]
    return read_columns(graph.directory / f"{name}.parquet", columns, repeated)


def edges_of(triples: Int32, relation: int | None) -> Int32:
    """Head and tail of a relation's triples; shape (k, 2)."""
    if relation is None:
        return np.empty((0, 2), np.int32)
    return triples[triples[:, 1] == relation][:, (0, 2)]


def predicate_labels(entities: pa.Table, predicates: Sequence[str]) -> dict[str, str]:
    """The label of each predicate; words from its IRI where the graph gives none."""
    iris = entities["iri"]
    labels = {}
    for iri in predicates:
        place = bisect.bisect_left(range(len(iris)), iri, key=lambda number: iris[number].as_py())
        there = place < len(iris) and iris[place].as_py() == iri
        labels[iri] = (entities["label"][place].as_py() if there else None) or words_of(iri)
    return labels


def type_counts(triples: Int32, relations: Sequence[str], iris: pa.ChunkedArray) -> dict[str, int]:
    """The most frequent types and how many entities have them."""
    if v.RDF_TYPE not in relations:
        return {}
    typed = triples[triples[:, 1] == relations.index(v.RDF_TYPE), 2]
    types, counts = np.unique(typed, return_counts=True)
    frequent = np.argsort(-counts, kind="stable")[:COMMON]
    return {iris[int(types[place])].as_py(): int(counts[place]) for place in frequent}


def shape(triples: Int32, relation: int, entities: int) -> dict[str, int | None]:
    """Edges, roots and leaves of one hierarchy, and the entities that are in cycles or below them.

    Rounds of removing entities whose parents are all gone (Kahn 1962) give the depth. Of paths of
    two edges, those whose ends a single edge joins as well are stated: all of them, where the
    relation is written out transitively; null where they are too many to look up.
    """
    edges = edges_of(triples, relation)
    paths, stated = transitive_steps(edges)
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
        "two_step_paths": paths,
        "two_step_paths_stated": stated,
    }
