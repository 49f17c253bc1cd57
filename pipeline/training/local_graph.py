"""What the embed stage trains on: the graph, or where it is too large a neighbourhood of the facts."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ...errors import UserError
from ...kg.graph import KnowledgeGraph


@dataclass(frozen=True)
class LocalGraph:
    """What is trained and ranked, with ids that count from 0 without gaps.

    `entity_ids` (E,) and `relation_ids` (R,) are the graph's ids of the rows, ascending. The
    triples hold rows: `training` (n, 3); `test` (m, 3), the inferable facts; `known` (k, 3), all
    of the graph's between these entities, withheld ones included. `stated` (s, 2) are heads and
    relations of all that isn't withheld, whatever its tail.
    """

    entity_ids: np.ndarray
    relation_ids: np.ndarray
    training: np.ndarray
    test: np.ndarray
    known: np.ndarray
    stated: np.ndarray

    def rows(self, entities: np.ndarray) -> np.ndarray:
        return np.searchsorted(self.entity_ids, entities)


def local_graph(
    graph: KnowledgeGraph,
    facts: pa.Table,
    inferable: pa.Table,
    withheld: np.ndarray,
    max_triples: int,
    seed: int,
) -> LocalGraph:
    """Choose what is trained: the graph less the withheld rows, or a neighbourhood of the facts.

    Raises:
        UserError: no triple is left.
        ValueError: an inferable fact isn't among the withheld rows: it would be trained on, or
            the facts were drawn from another graph.
    """
    triples = np.asarray(graph.triples)
    stated = visible = np.delete(triples, withheld, axis=0)
    if not len(visible):
        raise UserError("the graph has no triples between entities to train on", "[embed]")
    test = triples_of(inferable)
    if not set(map(tuple, test.tolist())) <= set(map(tuple, triples[withheld].tolist())):
        raise ValueError("inferable facts are missing from the graph's withheld triples")
    asked = np.concatenate((test[:, 0], test[:, 2], _flat(inferable["option_entities"])))
    subjects = facts["subject"].to_numpy()
    seeds = np.unique(np.concatenate((asked, subjects[subjects >= 0])))
    if len(visible) > max_triples:
        visible = visible[neighbourhood(visible, seeds, graph.entity_count, max_triples, seed)]
    entity_ids = np.union1d(visible[:, [0, 2]], seeds).astype(np.int32)
    relation_ids = np.union1d(visible[:, 1], test[:, 1]).astype(np.int32)
    inside = np.isin(triples[:, [0, 2]], entity_ids).all(axis=1)
    known = triples[inside & np.isin(triples[:, 1], relation_ids)]
    ours = np.isin(stated[:, 0], entity_ids) & np.isin(stated[:, 1], relation_ids)

    def local(of: np.ndarray) -> np.ndarray:
        ends = np.searchsorted(entity_ids, of[:, [0, 2]])
        return np.insert(ends, 1, np.searchsorted(relation_ids, of[:, 1]), axis=1)

    return LocalGraph(
        entity_ids,
        relation_ids,
        local(visible),
        local(test),
        local(known),
        local(stated[ours])[:, :2],
    )


def neighbourhood(
    triples: np.ndarray, seeds: np.ndarray, entity_count: int, max_triples: int, seed: int
) -> np.ndarray:
    """Rows, ascending, of at most `max_triples` triples around `seeds`, breadth first.

    Ring by ring, every triple that touches an entity reached so far is taken. In the ring that
    goes over the limit, triples between entities already reached come first; then newcomers, each
    with all of its triples, those with most first and equals in random order: entities that hang on
    a hub alone (all classes are classes) come last, since one triple teaches little.
    """
    random = np.random.default_rng(seed)
    reached = np.zeros(entity_count, dtype=bool)
    reached[seeds] = True
    chosen = np.zeros(len(triples), dtype=bool)
    room = max_triples
    while room:
        from_head, from_tail = reached[triples[:, 0]], reached[triples[:, 2]]
        ring = np.flatnonzero((from_head | from_tail) & ~chosen)
        if not len(ring):
            break
        newcomer = np.where(from_head[ring], triples[ring, 2], triples[ring, 0])
        bonds = np.bincount(newcomer, minlength=entity_count)
        bonds[reached] = len(triples) + 1
        equals = random.permutation(entity_count)[newcomer]
        taken = ring[np.lexsort((random.permutation(len(ring)), equals, -bonds[newcomer]))[:room]]
        chosen[taken] = True
        reached[triples[taken][:, [0, 2]]] = True
        room -= len(taken)
    return np.flatnonzero(chosen)


def triples_of(facts: pa.Table) -> np.ndarray:
    """One triple for each true object of each fact. (m, 3) int64."""
    objects = arrays(facts["objects"])
    counts = [len(of) for of in objects]
    subjects = np.repeat(facts["subject"].to_numpy(), counts)
    relations = np.repeat(facts["relation"].to_numpy(), counts)
    return np.stack((subjects, relations, _flat(facts["objects"])), axis=1).astype(np.int64)


def arrays(column: pa.ChunkedArray) -> list[np.ndarray]:
    return [np.array(of, dtype=np.int64) for of in column.to_pylist()]


def _flat(column: pa.ChunkedArray) -> np.ndarray:
    return np.concatenate([np.empty(0, dtype=np.int64), *arrays(column)])
