"""The split into pools: made over facts, by same-name groups, before any sentence is written."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..graph import KnowledgeGraph
from ..linking.name_groups import NameGroups, fold_name
from .pools import IN_MEMORY, INFERABLE, OF_GRAPH, PRACTICE, TAUGHT, TRAINED


class PoolOverlapError(AssertionError):
    """Two pools share what they must not share: a defect of the split, never the user's."""


@dataclass(frozen=True)
class AskableFact:
    """A (subject, relation) that can be asked.

    Attributes:
        subject: entity id.
        relation: relation id.
        objects: all true objects, ascending.
        asked: the one whose label is the answer.
        group: the subject's same-name group.
    """

    subject: int
    relation: int
    objects: tuple[int, ...]
    asked: int
    group: int


@dataclass(frozen=True)
class PoolSizes:
    """How many facts each pool is to hold."""

    taught: int
    in_memory: int
    inferable: int
    practice: int

    def by_pool(self) -> dict[str, int]:
        return {
            TAUGHT: self.taught,
            IN_MEMORY: self.in_memory,
            INFERABLE: self.inferable,
            PRACTICE: self.practice,
        }


def subjects_of(graph: KnowledgeGraph, relations: Iterable[int]) -> np.ndarray:
    """Entities that are subject of any of these relations, ascending; int32, shape (subjects,)."""
    heads = [graph.triples[relation_rows(graph, relation), 0] for relation in relations]
    return np.unique(np.concatenate(heads)) if heads else np.empty(0, dtype=np.int32)


def relation_rows(graph: KnowledgeGraph, relation: int) -> np.ndarray:
    """Row numbers of a relation's triples, ascending."""
    return np.flatnonzero(graph.triples[:, 1] == relation)


def askable_facts(
    graph: KnowledgeGraph,
    relations: Sequence[int],
    groups: NameGroups,
    max_objects: int,
    seed: int,
) -> tuple[list[AskableFact], Counter[str]]:
    """Every (subject, relation) fit to be asked, in id order, and why the others are not.

    A fact is fit when its subject is live and labelled, it has at most `max_objects` objects, and
    one of them is live, labelled and not given away by the subject's name (see
    `is_given_away`). Which of those is asked is a seeded draw.
    """
    random = np.random.default_rng([seed, 1])
    facts: list[AskableFact] = []
    dropped: Counter[str] = Counter()
    for relation in relations:
        rows = graph.triples[relation_rows(graph, relation)]
        starts = np.flatnonzero(np.diff(rows[:, 0], prepend=-1))
        for block in np.split(rows, starts[1:]):
            if not len(block):
                continue
            subject = int(block[0, 0])
            objects = tuple(int(tail) for tail in block[:, 2])
            reason, fit = fit_objects(graph, subject, objects, max_objects)
            if reason:
                dropped[reason] += 1
                continue
            asked = fit[int(random.integers(len(fit)))]
            facts.append(AskableFact(subject, relation, objects, asked, groups.of(subject)))
    return facts, dropped


def fit_objects(
    graph: KnowledgeGraph, subject: int, objects: tuple[int, ...], max_objects: int
) -> tuple[str, list[int]]:
    """Why a fact isn't fit to be asked, empty if it is, and the objects that may be its answer."""
    if not _is_usable(graph, subject):
        return "subject has no label or is deprecated", []
    if len(objects) > max_objects:
        return f"more than {max_objects} objects", []
    usable = [entity for entity in objects if entity != subject and _is_usable(graph, entity)]
    if not usable:
        return "no object has a label and is in use", []
    name = graph.label(subject)
    fit = [entity for entity in usable if not is_given_away(graph.label(entity), name)]
    return ("" if fit else "the subject's name gives the answer away"), fit


def _is_usable(graph: KnowledgeGraph, entity: int) -> bool:
    return graph.has_label(entity) and not graph.deprecated(entity)


def is_given_away(answer: str, subject: str) -> bool:
    """Whether the answer can be read off the subject's name (Poerner et al. 2020, LAMA-UHN).

    So when one name is within the other, or when half of the answer's words of four letters or
    more are in the subject's name.

    >>> is_given_away("Breast cancer", "Familial breast cancer"), is_given_away("Lima", "Peru")
    (True, False)
    """
    answer, subject = fold_name(answer), fold_name(subject)
    if f" {answer} " in f" {subject} " or f" {subject} " in f" {answer} ":
        return True
    words = {word for word in answer.split() if len(word) >= 4}
    return bool(words) and 2 * len(words & set(subject.split())) >= len(words)


def split_facts(
    facts: Sequence[AskableFact], groups: NameGroups, sizes: PoolSizes, seed: int
) -> dict[str, list[AskableFact]]:
    """Fill the pools; a same-name group gives facts to one pool only.

    Each pool deals its quota over the relations in turn, a new group for each fact as long as the
    pool hasn't had its share of the groups (pools share those of each relation, and all of them, as
    their sizes are to each other, so that the first pool can't empty a small graph), then further
    facts of groups that it already has. An object of a trained fact is no subject of pools M and
    I, and the reverse: no training text ever names those subjects.

    Args:
        facts: as `askable_facts` gives them.
        groups: the same-name groups.
        sizes: how many facts each pool should have; a pool gets fewer when the graph has fewer.
        seed: of the order in which groups are dealt.

    Returns:
        pool letter to its facts, in dealt order.
    """
    dealer = _Dealer(facts, groups, seed)
    wanted = sizes.by_pool()
    total = max(1, sum(wanted.values()))
    return {pool: dealer.deal(pool, wanted[pool], wanted[pool] / total) for pool in OF_GRAPH}


class _Dealer:
    """The state of one deal: which group is whose, and which entities training text names."""

    def __init__(self, facts: Sequence[AskableFact], groups: NameGroups, seed: int) -> None:
        order = np.random.default_rng([seed, 2]).permutation(len(facts))
        self.by_relation: dict[int, list[AskableFact]] = defaultdict(list)
        for place in order:
            self.by_relation[facts[place].relation].append(facts[place])
        self.relations = sorted(self.by_relation)
        self.groups = groups
        self.pool_of: dict[int, str] = {}
        self.trained_objects: set[int] = set()
        self.dealt: set[tuple[int, int]] = set()

    def deal(self, pool: str, wanted: int, share: float) -> list[AskableFact]:
        """Up to `wanted` facts: of new groups within the pool's share, then of those it has."""
        taken = self._round(pool, wanted, None, self._shares(share))
        return taken + self._round(pool, wanted - len(taken), pool, {})

    def _shares(self, share: float) -> dict[int | None, int]:
        """How many new groups a pool may take: of each relation, and, under None, of all."""
        by_relation = {r: {fact.group for fact in self.by_relation[r]} for r in self.relations}
        shares: dict[int | None, int] = {
            relation: math.ceil(share * len(found)) for relation, found in by_relation.items()
        }
        shares[None] = max(1, math.floor(share * len(set().union(*by_relation.values()))))
        return shares

    def _round(
        self, pool: str, wanted: int, owner: str | None, left: dict[int | None, int]
    ) -> list[AskableFact]:
        """Deal over the relations in turn, from groups of `owner`, until one of the limits."""
        queues = {relation: iter(self.by_relation[relation]) for relation in self.relations}
        taken: list[AskableFact] = []
        while queues and len(taken) < min(wanted, left.get(None, wanted)):
            for relation in list(queues):
                if len(taken) == min(wanted, left.get(None, wanted)):
                    break
                fact = self._next(queues[relation], pool, owner)
                taken_of_relation = sum(other.relation == relation for other in taken)
                if fact is None or taken_of_relation == left.get(relation, wanted):
                    del queues[relation]
                    continue
                self._take(fact, pool)
                taken.append(fact)
        return taken

    def _next(
        self, queue: Iterator[AskableFact], pool: str, owner: str | None
    ) -> AskableFact | None:
        return next((fact for fact in queue if self._may_take(fact, pool, owner)), None)

    def _may_take(self, fact: AskableFact, pool: str, owner: str | None) -> bool:
        if self.pool_of.get(fact.group) != owner or (fact.group, fact.relation) in self.dealt:
            return False
        if pool in TRAINED:
            owners = {self.pool_of.get(group, pool) for group in self._named(fact)}
            return owners <= set(TRAINED)
        return fact.group not in self.trained_objects

    def _take(self, fact: AskableFact, pool: str) -> None:
        self.pool_of[fact.group] = pool
        self.dealt.add((fact.group, fact.relation))
        if pool in TRAINED:
            self.trained_objects |= self._named(fact)

    def _named(self, fact: AskableFact) -> set[int]:
        return {self.groups.of(entity) for entity in fact.objects}


def withheld_rows(
    graph: KnowledgeGraph, inferable: Iterable[AskableFact], groups: NameGroups
) -> np.ndarray:
    """Rows of the triples that no training stage and no memory may see; int32, ascending.

    Those of the facts themselves (for every member of the subject's group), and every triple
    between the groups of subject and object, in either direction and under any predicate: an
    inverse or a duplicate relation would tell the fact.
    """
    rows: list[np.ndarray] = []
    for fact in inferable:
        subjects = groups.members_of(fact.subject)
        around = np.concatenate(
            [part for s in subjects for part in (graph.outgoing(s), graph.incoming(s))]
        )
        triples = graph.triples[around]
        own = (triples[:, 1] == fact.relation) & np.isin(triples[:, 0], subjects)
        told = set(triples[own, 2].tolist())
        objects = sorted({member for entity in told for member in groups.members_of(entity)})
        heads, tails = triples[:, 0], triples[:, 2]
        between = np.isin(heads, subjects) & np.isin(tails, objects)
        between |= np.isin(heads, objects) & np.isin(tails, subjects)
        rows.append(around[own | between])
    return np.unique(np.concatenate(rows)).astype(np.int32) if rows else np.empty(0, np.int32)


def assert_pools_disjoint(
    pools: Mapping[str, Sequence[AskableFact]],
    groups: NameGroups,
    withheld: np.ndarray,
    triples: np.ndarray,
) -> None:
    """Raise PoolOverlapError unless the pools are apart.

    No group is in two pools, no trained fact has a subject of pools M and I as an object, every
    triple of pool I's facts is withheld, and no trained fact's triple is.
    """
    owner: dict[int, str] = {}
    for pool, facts in pools.items():
        for fact in facts:
            if owner.setdefault(groups.of(fact.subject), pool) != pool:
                raise PoolOverlapError(f"group {fact.group} is in {owner[fact.group]} and {pool}")
    hidden = {tuple(row) for row in triples[withheld].tolist()}
    for pool, facts in pools.items():
        for fact in facts:
            told = {(fact.subject, fact.relation, entity) for entity in fact.objects}
            if pool == INFERABLE and told - hidden:
                raise PoolOverlapError(f"facts of pool I aren't withheld: {sorted(told - hidden)}")
            named = {owner.get(groups.of(entity), pool) for entity in fact.objects}
            if pool in TRAINED and not named <= set(TRAINED):
                raise PoolOverlapError(f"a fact of pool {pool} has a kept-back subject as object")
            if pool in TRAINED and told & hidden:
                raise PoolOverlapError(
                    f"withheld triples are in pool {pool}: {sorted(told & hidden)}"
                )
