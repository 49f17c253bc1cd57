"""The triples of an ingested graph, split so that no side tells another."""

import numpy as np

from ...errors import UserError
from ...kg.graph import KnowledgeGraph
from ...kg.leaking_relations import kept_together, leaking_relations
from ..console import Console
from .embedded_triples import EmbeddedTriples, Int32, Named
from .graph_split import split_triples
from .triples_source import GraphSource

MORE = "ingest more of it: statements between two entities are what is embedded"


def graph_triples(source: GraphSource, seed: int, console: Console) -> EmbeddedTriples:
    """Open a graph, split it, and say how.

    Raises:
        UserError: it has no triples between entities, one entity alone, or none to spare.
    """
    graph = KnowledgeGraph.open(source.folder)
    stated = np.asarray(graph.triples)
    if not len(stated):
        raise UserError("the graph has no triples between entities", str(source.folder), MORE)
    entity_ids, relation_ids = np.unique(stated[:, [0, 2]]), np.unique(stated[:, 1])
    if len(entity_ids) == 1:
        problem = f"all triples are of one entity, {graph.iri(int(entity_ids[0]))}"
        raise UserError(problem, str(source.folder), MORE)
    triples = _local(stated, entity_ids, relation_ids)
    leaks = leaking_relations(triples, len(entity_ids), len(relation_ids))
    groups = kept_together(triples, len(relation_ids), leaks)
    split = split_triples(triples, groups, source.held_out, seed)
    if not (len(split.valid) and len(split.test)):
        problem = (
            f"none of its {len(triples):,} triples can be held out: entities would have none left"
        )
        raise UserError(problem, str(source.folder), MORE)
    found = EmbeddedTriples(
        entities=_named(graph, entity_ids),
        relations=Named(
            tuple(map(graph.relation_iri, relation_ids.tolist())),
            tuple(map(graph.relation_label, relation_ids.tolist())),
        ),
        entity_ids=entity_ids,
        relation_ids=relation_ids,
        train=triples[split.train],
        valid=triples[split.valid],
        test=triples[split.test],
        leaks=leaks,
        noted={
            "id_space": graph.id_space,
            "entities_without_triples": graph.entity_count - len(entity_ids),
        },
    )
    _say(found, console)
    return found


def _local(stated: Int32, entity_ids: Int32, relation_ids: Int32) -> Int32:
    ends = np.searchsorted(entity_ids, stated[:, [0, 2]])
    relations = np.searchsorted(relation_ids, stated[:, 1])
    return np.column_stack((ends[:, 0], relations, ends[:, 1])).astype(np.int32)


def _named(graph: KnowledgeGraph, entity_ids: Int32) -> Named:
    numbers = entity_ids.tolist()
    return Named(tuple(map(graph.iri, numbers)), tuple(map(graph.label, numbers)))


def _say(found: EmbeddedTriples, console: Console) -> None:
    console.line(
        f"{len(found.train):,} triples to train, {len(found.valid):,} to validate, {len(found.test):,} to "
        f"test; {len(found.entities):,} entities, {len(found.relations):,} relations"
    )
    if without := found.noted["entities_without_triples"]:
        console.line(f"{without:,} entities have no triple, and get no vector")
    for leak in found.leaks:
        first, second = (found.relations.names[each] for each in (leak.first, leak.second))
        names = first if first == second else f"{first} and {second}"
        console.line(
            f"kept on one side: {names} ({leak.kind}, {leak.shared:,} shared, Jaccard {leak.jaccard:.2f})"
        )
