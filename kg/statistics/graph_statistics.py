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

import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from .. import vocabulary as v
from ..graph import Int32, KnowledgeGraph
from ..names import words_of
from ..row_buckets import RowBuckets, RowSlices
from ..stored_column import StoredColumn, row_groups
from .connectivity import components, degree_histogram, hubs
from .coverage import label_coverage
from .distinct_texts import distinct_texts
from .literal_statistics import literal_counts, literal_statistics, most_frequent
from .relation_pairs import relation_pairs, transitive_steps
from .relation_statistics import relation_statistics, suspicions
from .types_seen import Declared, EntityTypes, declared_classes

COMMON = 20  # rows of the lists of frequent things
NAME_COLUMNS = ("entity", "kind", "language")
LITERAL_COLUMNS = ("entity", "predicate", "datatype", "language")


def graph_statistics(
    graph: KnowledgeGraph, literal_predicates: Sequence[tuple[str, int]], hierarchy: Sequence[str]
) -> dict[str, Any]:
    """Counts of entities, statements, names and types; degrees; the hierarchy's shape; then each
    predicate, components, languages, labels, and relations that tell each other.

    Lists are cut; counts never are. Statements and texts stay on disk; in memory are a few bytes an
    entity, the statements of rdf:type, rdfs:subClassOf and the hierarchy, and some rows at a time.

    Args:
        graph: its tables and arrays are written already.
        literal_predicates: each with how many literals it has.
        hierarchy: predicates from the narrower to the broader entity.
    """
    texts = distinct_texts(graph.directory)
    entities = Entities.read(graph.directory / "entities.parquet")
    numbers = {relation.iri: number for number, relation in enumerate(graph.relations)}
    with tempfile.TemporaryFile(dir=graph.directory) as file:
        ends = ends_by_relation(graph, file)
        return {
            **entity_counts(entities),
            "relations": len(graph.relations),
            "triples": sum(relation.triples for relation in graph.relations),
            "literals": sum(count for _, count in literal_predicates),
            "literal_predicates": dict(sorted(literal_predicates, key=lambda pair: -pair[1])),
            **name_counts(_pieces(graph, "names", ("kind",))),
            "ambiguous_names": texts.ambiguous_names,
            "degree": degrees(entities),
            "types": type_counts(edges_of(ends, numbers.get(v.RDF_TYPE)), entities.iris),
            "hierarchy": {
                iri: shape(edges_of(ends, numbers[iri]), len(entities.iris))
                for iri in hierarchy
                if iri in numbers
            },
            **predicate_statistics(graph, ends, entities, literal_predicates, texts.sizes),
        }


@dataclass(frozen=True)
class Entities:
    """What is looked up of entities, and arrays of a few bytes each.

    Attributes:
        iris, labels: on disk.
        labelled, deprecated: flags; shape (entities,).
        degree: shape (entities,).
    """

    iris: StoredColumn
    labels: StoredColumn
    labelled: NDArray[np.bool_]
    deprecated: NDArray[np.bool_]
    degree: Int32

    @staticmethod
    def read(path: Path) -> "Entities":
        """Of entities.parquet."""
        labels = StoredColumn(path, "label")
        numbers = pq.ParquetFile(path).read(["deprecated", "degree"], use_threads=False)
        deprecated, degree = (numbers[name].to_numpy() for name in ("deprecated", "degree"))
        return Entities(StoredColumn(path, "iri"), labels, labels.present(), deprecated, degree)


def entity_counts(entities: Entities) -> dict[str, int]:
    """Entities, and those that are blank, without a label, deprecated."""
    blank = (pc.sum(pc.starts_with(piece, "_:")).as_py() for piece in entities.iris.pieces())
    return {
        "entities": len(entities.iris),
        "blank_nodes": sum(blank),
        "unlabelled": int(np.count_nonzero(~entities.labelled)),
        "deprecated": int(np.count_nonzero(entities.deprecated)),
    }


def name_counts(pieces: Iterable[pa.Table]) -> dict[str, Any]:
    """Names, in all and by kind."""
    kinds: Counter[str] = Counter()
    for piece in pieces:
        for row in pc.value_counts(piece["kind"].combine_chunks()).to_pylist():
            kinds[row["values"]] += row["counts"]
    return {"names": kinds.total(), "names_by_kind": dict(kinds)}


def degrees(entities: Entities) -> dict[str, Any]:
    """How many ends of triples are at the entities."""
    degree = entities.degree
    return {
        "mean": round(float(degree.mean()), 4),
        "median": float(np.median(degree)),
        "maximum": int(degree.max()),
        "histogram": degree_histogram(degree),
        "hubs": hubs(degree, {"iri": entities.iris, "label": entities.labels}),
    }


def predicate_statistics(
    graph: KnowledgeGraph,
    ends: RowBuckets,
    entities: Entities,
    literal_predicates: Sequence[tuple[str, int]],
    texts: Mapping[str, tuple[int, int]],
) -> dict[str, Any]:
    """Each relation and literal predicate, suspicions, languages, labels and components."""
    triples = RowSlices(graph.directory / "triples.npy")
    numbers = {relation.iri: number for number, relation in enumerate(graph.relations)}
    iris, count = entities.iris, len(entities.iris)
    types, narrower, *declaring = (
        edges_of(ends, numbers.get(iri))
        for iri in (v.RDF_TYPE, *(v.RDFS + name for name in ("subClassOf", "domain", "range")))
    )
    of_entities = EntityTypes(types, iris, narrower)
    declared = Declared(*(declared_classes(edges, iris) for edges in declaring))
    with (
        tempfile.TemporaryFile(dir=graph.directory) as pair_file,
        tempfile.TemporaryFile(dir=graph.directory) as literal_file,
    ):
        pairs = relation_pairs(triples, count, len(graph.relations), pair_file)
        literals = literal_counts(
            _pieces(graph, "literals", LITERAL_COLUMNS), literal_predicates, literal_file
        )
        labels = predicate_labels(entities, [iri for iri, _ in literal_predicates])
        return {
            "by_relation": relation_statistics(ends, graph.relations, of_entities, declared, pairs),
            "by_literal_predicate": literal_statistics(
                literals, texts, labels, of_entities, declared
            ),
            "suspicions": suspicions(graph.relations, pairs),
            "literal_languages": most_frequent(literals.all_languages),
            "labels": label_coverage(
                _pieces(graph, "names", NAME_COLUMNS), entities.labelled, of_entities
            ),
            "components": components(triples, count, numbers.get(v.RDF_TYPE)),
        }


def ends_by_relation(graph: KnowledgeGraph, file: IO[bytes]) -> RowBuckets:
    """Heads and tails of the triples, a bucket a relation, sorted in it."""
    sizes = np.array([relation.triples for relation in graph.relations], np.int64)
    ends = RowBuckets(file, sizes, 2)
    for triples in RowSlices(graph.directory / "triples.npy"):
        ends.add(triples[:, 1], triples[:, (0, 2)])
    return ends


def edges_of(ends: RowBuckets, relation: int | None) -> Int32:
    """Head and tail of a relation's triples; shape (k, 2)."""
    return np.empty((0, 2), np.int32) if relation is None else ends.whole(relation)


def _pieces(graph: KnowledgeGraph, name: str, columns: Sequence[str]) -> Iterator[pa.Table]:
    """Columns of a table, a row group at a time."""
    return row_groups(graph.directory / f"{name}.parquet", columns)


def predicate_labels(entities: Entities, predicates: Sequence[str]) -> dict[str, str]:
    """The label of each predicate; words from its IRI where the graph gives none."""
    labels = {}
    for iri in predicates:
        place = entities.iris.find(iri)
        told = None if place is None else entities.labels[place].as_py()
        labels[iri] = told or words_of(iri)
    return labels


def type_counts(edges: Int32, iris: StoredColumn) -> dict[str, int]:
    """The most frequent types and how many entities have them."""
    types, counts = np.unique(edges[:, 1], return_counts=True)
    frequent = np.argsort(-counts, kind="stable")[:COMMON]
    told = iris.take(types[frequent]).to_pylist()
    return dict(zip(told, counts[frequent].tolist(), strict=True))


def shape(edges: Int32, entities: int) -> dict[str, int | None]:
    """Edges, roots and leaves of one hierarchy, and the entities that are in cycles or below them.

    Rounds of removing entities whose parents are all gone (Kahn 1962) give the depth. Of paths of
    two edges, those whose ends a single edge joins as well are stated: all of them, where the
    relation is written out transitively; null where they are too many to look up.
    """
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
