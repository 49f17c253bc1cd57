"""What changed between two graphs: statements, entities, relations, labels, names, deprecations.

Exact: two statements are the same where their terms are. Entities have other numbers in each graph;
both number them in the order of IRIs, so one merge gives numbers that hold for both. Blank nodes are
compared under the pairing of `blank_node_matching`: one that was only renamed isn't reported, and a
changed one is reported by the statements that changed, as far as the pairing finds it again. Nodes that
can't be told apart are paired in order, which may report more statements than changed, but always so
that the old graph with the difference applied is the new one.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from .. import vocabulary as v
from ..graph import KnowledgeGraph
from .blank_node_matching import BlankNodes, combined, hashed, matched_blank_nodes, summed
from .shared_numbers import Int64, SharedNumbers, different_rows, encoded, merged

REPLACED_BY = (v.IAO + "0100001", v.DCTERMS + "isReplacedBy")
BLANK = "_:"
Graphs = tuple[KnowledgeGraph, KnowledgeGraph]
Changed = tuple[KnowledgeGraph, Int64, Int64]  # a graph, rows of triples, rows of literals


@dataclass(frozen=True)
class GraphDiff:
    """The difference between two graphs. Row numbers and entity numbers are those of the graph that
    has the statement or entity: the new graph's for what was added, the old one's for what was removed.

    Attributes:
        old, new: the graphs.
        added_triples, removed_triples: rows of `triples`.
        added_literals, removed_literals: rows of `literals_table`.
        added_entities, removed_entities: entities with an IRI.
        added_blank_nodes, removed_blank_nodes: those that have no partner in the other graph.
        partners: (entities of new,) for a blank node the one that it was in the old graph; else -1.
        added_relations, removed_relations: relations.
        added_names, removed_names: tables of iri, name, kind, language.
        relabelled: table of iri, before, after, of entities in both graphs; null for no label.
        deprecated: table of iri, label, replaced_by (null if not said), of entities in both graphs that
            weren't deprecated before.
        predicates: table of predicate, added, removed: how many statements; the most changed first.
    """

    old: KnowledgeGraph
    new: KnowledgeGraph
    added_triples: Int64
    removed_triples: Int64
    added_literals: Int64
    removed_literals: Int64
    added_entities: Int64
    removed_entities: Int64
    added_blank_nodes: Int64
    removed_blank_nodes: Int64
    partners: Int64
    added_relations: Int64
    removed_relations: Int64
    added_names: pa.Table
    removed_names: pa.Table
    relabelled: pa.Table
    deprecated: pa.Table
    predicates: pa.Table

    @property
    def empty(self) -> bool:
        """Whether both hold the same statements, up to the names of blank nodes."""
        rows = (
            self.added_triples,
            self.removed_triples,
            self.added_literals,
            self.removed_literals,
        )
        return not any(map(len, rows))


def graph_diff(old: KnowledgeGraph, new: KnowledgeGraph) -> GraphDiff:
    """Compare all statements; the time goes with the sizes of the graphs, not with what changed."""
    graphs = old, new
    relations = merged(
        *(pa.array([r.iri for r in graph.relations], pa.string()) for graph in graphs)
    )
    literals = [
        encoded(old.literals_table[name], new.literals_table[name])
        for name in ("predicate", "datatype", "language", "value")
    ]
    entities, partners = _paired_entities(graphs, relations, literals)
    triples = [
        SharedNumbers(
            numbers.old[old.triples[:, at]], numbers.new[new.triples[:, at]], numbers.count
        )
        for at, numbers in ((0, entities), (1, relations), (2, entities))
    ]
    added_triples, removed_triples = different_rows(triples)
    added_literals, removed_literals = different_rows(
        [_holders(graphs, "literals", entities), *literals]
    )
    added_names, removed_names = _different_names(graphs, entities)
    added, removed = different_rows([entities])
    new_blank, old_blank = is_blank(new)[added], is_blank(old)[removed]
    added_relations, removed_relations = different_rows([relations])
    relabelled, deprecated = _changed_entities(graphs, entities)
    return GraphDiff(
        old=old,
        new=new,
        added_triples=added_triples,
        removed_triples=removed_triples,
        added_literals=added_literals,
        removed_literals=removed_literals,
        added_entities=added[~new_blank],
        removed_entities=removed[~old_blank],
        added_blank_nodes=added[new_blank],
        removed_blank_nodes=removed[old_blank],
        partners=partners,
        added_relations=added_relations,
        removed_relations=removed_relations,
        added_names=added_names,
        removed_names=removed_names,
        relabelled=relabelled,
        deprecated=deprecated,
        predicates=_by_predicate(
            (new, added_triples, added_literals), (old, removed_triples, removed_literals)
        ),
    )


def is_blank(graph: KnowledgeGraph) -> NDArray[np.bool_]:
    """Which entities are blank nodes; shape (entities,)."""
    return pc.starts_with(_iris(graph), BLANK).to_numpy(zero_copy_only=False)


def _iris(graph: KnowledgeGraph) -> pa.Array:
    return graph.entities_table["iri"].combine_chunks()


def _paired_entities(
    graphs: Graphs, relations: SharedNumbers, literals: Sequence[SharedNumbers]
) -> tuple[SharedNumbers, Int64]:
    """The entities' numbers, and for each of the new graph its partner if it is a blank node."""
    blank = [is_blank(graph) for graph in graphs]
    entities = merged(_iris(graphs[0]), _iris(graphs[1]), apart=blank[1])
    partners = np.full(len(entities.new), -1)
    if blank[0].any() and blank[1].any():
        nodes = _blank_nodes(graphs, blank, entities, relations, literals)
        partner = matched_blank_nodes(nodes)[nodes.old_count :]
        old_nodes, new_nodes = map(np.flatnonzero, blank)
        partners[new_nodes[partner >= 0]] = old_nodes[partner[partner >= 0]]
    numbers = np.where(partners < 0, entities.new, entities.old[partners])
    return SharedNumbers(entities.old, numbers, entities.count), partners


def _blank_nodes(
    graphs: Graphs,
    blank: Sequence[NDArray[np.bool_]],
    entities: SharedNumbers,
    relations: SharedNumbers,
    literals: Sequence[SharedNumbers],
) -> BlankNodes:
    """What is said of the blank nodes of both graphs, in hashes."""
    counts = [int(np.count_nonzero(flags)) for flags in blank]
    described, valued, pointed, edges = [], [], [], []
    for place, graph in enumerate(graphs):
        side = ("old", "new")[place]
        node = np.cumsum(blank[place]) - 1  # of entity
        heads, labels, tails = graph.triples.T
        of_blank, to_blank = blank[place][heads], blank[place][tails]
        numbers, relation = getattr(entities, side), getattr(relations, side)

        rows = np.flatnonzero(of_blank & ~to_blank)
        hashes = combined(hashed(relation[labels[rows]]), hashed(numbers[tails[rows]]))
        described.append(summed(counts[place], node[heads[rows]], hashes))

        rows = np.flatnonzero(~of_blank & to_blank)
        hashes = combined(hashed(relation[labels[rows]]), hashed(numbers[heads[rows]]))
        pointed.append(summed(counts[place], node[tails[rows]], hashes))

        holders = graph.literals_table["entity"].to_numpy()
        rows = np.flatnonzero(blank[place][holders])
        hashes = combined(*(hashed(getattr(column, side)[rows]) for column in literals))
        valued.append(summed(counts[place], node[holders[rows]], hashes))

        rows = np.flatnonzero(of_blank & to_blank)
        first = counts[0] * place
        ends = node[heads[rows]] + first, relation[labels[rows]], node[tails[rows]] + first
        edges.append(np.stack(ends, axis=1))
    return BlankNodes(counts[0], *map(np.concatenate, (described, valued, pointed, edges)))


def _holders(graphs: Graphs, table: str, entities: SharedNumbers) -> SharedNumbers:
    """The entity of each row of a table."""
    old, new = (getattr(graph, f"{table}_table")["entity"].to_numpy() for graph in graphs)
    return SharedNumbers(entities.old[old], entities.new[new], entities.count)


def _different_names(graphs: Graphs, entities: SharedNumbers) -> tuple[pa.Table, pa.Table]:
    old, new = (graph.names_table for graph in graphs)
    columns = [encoded(old[name], new[name]) for name in ("kind", "language", "name")]
    rows = different_rows([_holders(graphs, "names", entities), *columns])
    added, removed = (
        graph.names_table.take(pa.array(chosen))
        for graph, chosen in zip((graphs[1], graphs[0]), rows, strict=True)
    )
    return _with_iri(added, graphs[1]), _with_iri(removed, graphs[0])


def _with_iri(names: pa.Table, graph: KnowledgeGraph) -> pa.Table:
    iris = _iris(graph).take(names["entity"].combine_chunks())
    return names.set_column(names.column_names.index("entity"), "iri", iris)


def _changed_entities(graphs: Graphs, entities: SharedNumbers) -> tuple[pa.Table, pa.Table]:
    """Of IRIs in both graphs: those with another label, and those that are deprecated now."""
    old, new = (graph.entities_table for graph in graphs)
    place = np.minimum(np.searchsorted(entities.old, entities.new), len(entities.old) - 1)
    in_both = (entities.old[place] == entities.new) & ~is_blank(graphs[1])
    now = new.filter(pa.array(in_both)).select(["iri", "label", "deprecated"])
    before = old.select(["label", "deprecated"]).take(pa.array(place[in_both]))
    relabelled = pa.table(
        {"iri": now["iri"], "before": before["label"], "after": now["label"]}
    ).filter(pc.not_equal(before["label"].fill_null(""), now["label"].fill_null("")))
    newly = pc.and_not(now["deprecated"], before["deprecated"])
    rows = np.flatnonzero(in_both)[newly.to_numpy()]
    deprecated = now.filter(newly).select(["iri", "label"])
    return relabelled, deprecated.append_column(
        "replaced_by", pa.array(_replacements(graphs[1], rows), pa.string())
    )


def _replacements(graph: KnowledgeGraph, entities: Int64) -> list[str | None]:
    """What each entity is said to be replaced by; the first, where several are named."""
    wanted = set(entities.tolist())
    if not wanted:
        return []
    found: dict[int, str] = {}
    saying = [number for number, r in enumerate(graph.relations) if r.iri in REPLACED_BY]
    rows = graph.triples[np.isin(graph.triples[:, 1], saying)]
    for head, _, tail in rows[np.isin(rows[:, 0], entities)].tolist():
        found.setdefault(head, graph.iri(tail))
    # OBO files converted by older tools name it in a literal.
    literals = graph.literals_table.filter(
        pc.is_in(graph.literals_table["predicate"].cast(pa.string()), pa.array(REPLACED_BY))
    )
    for entity, text in zip(
        *(literals[name].to_pylist() for name in ("entity", "value")), strict=True
    ):
        if entity in wanted:
            found.setdefault(entity, text)
    return [found.get(entity) for entity in entities.tolist()]


def _by_predicate(added: Changed, removed: Changed) -> pa.Table:
    counts = [_counted(changed) for changed in (added, removed)]
    ordered = sorted(
        counts[0].keys() | counts[1].keys(), key=lambda iri: (-sum(c[iri] for c in counts), iri)
    )
    schema = pa.schema({"predicate": pa.string(), "added": pa.int64(), "removed": pa.int64()})
    return pa.table(
        [ordered, *([count[iri] for iri in ordered] for count in counts)], schema=schema
    )


def _counted(changed: Changed) -> Counter[str]:
    graph, triples, literals = changed
    counts: Counter[str] = Counter()
    numbers, sizes = np.unique(graph.triples[triples, 1], return_counts=True)
    for relation, size in zip(numbers.tolist(), sizes.tolist(), strict=True):
        counts[graph.relation_iri(relation)] += size
    for row in (
        graph.literals_table["predicate"].take(pa.array(literals)).value_counts().to_pylist()
    ):
        counts[row["values"]] += row["counts"]
    return counts
