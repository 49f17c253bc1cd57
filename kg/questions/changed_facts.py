"""Taught facts held against a newer graph: what says something else now, what says nothing, what is new."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..graph import KnowledgeGraph
from .splits import AskableFact, fit_objects

NO_ENTITY = -1
Key = tuple[str, str]  # IRIs of a subject and a predicate


@dataclass(frozen=True)
class ChangedFact:
    """A fact of the newer graph that is to be taught.

    Attributes:
        fact: with the numbers of the newer graph.
        before: its entity that was the answer; -1 where none was, or it is gone.
    """

    fact: AskableFact
    before: int


@dataclass(frozen=True)
class FactChanges:
    """What became of the taught facts, by their ids, and what is taught for it.

    Attributes:
        changed: facts whose answer is no longer true, or called otherwise, and that have a new one.
        added: facts of subjects that the older graph told nothing so of.
        unchanged: ids of facts whose answer is what it was.
        removed: ids of facts whose answer is gone and for which there is nothing new to teach.
    """

    changed: list[ChangedFact]
    added: list[ChangedFact]
    unchanged: list[str]
    removed: list[str]


def fact_changes(
    taught: Sequence[Mapping[str, Any]],
    older: KnowledgeGraph,
    newer: KnowledgeGraph,
    askable: Sequence[AskableFact],
    max_objects: int,
) -> FactChanges:
    """Hold the taught facts, rows of facts.parquet over the older graph, against the newer one.

    Args:
        taught: of pool T.
        older: the graph with which they were taught.
        newer: the graph as it is.
        askable: facts of the newer graph that can be asked.
        max_objects: that an asked fact may have.
    """
    now = {_key(newer, fact): fact for fact in askable}
    found = FactChanges([], [], [], [])
    for row in taught:
        told = now.get((row["subject_iri"], row["predicate_iri"]))
        answer = older.iri(row["option_entities"][row["correct"]])
        before = newer.find(answer)
        if told is None:
            found.removed.append(row["fact"])
            continue
        named = newer.label(told.subject) == row["subject_label"]
        if before in told.objects and before is not None:
            if named and newer.label(before) == row["answer"]:
                found.unchanged.append(row["fact"])
            else:  # it is called otherwise
                found.changed.append(ChangedFact(replace(told, asked=before), NO_ENTITY))
            continue
        were = {older.iri(entity) for entity in row["objects"]}
        new = _new_object(newer, told, were, max_objects)
        if new is None:
            found.removed.append(row["fact"])
        else:
            kept = NO_ENTITY if before is None else before
            found.changed.append(ChangedFact(replace(told, asked=new), kept))
    return found


def added_facts(
    older: KnowledgeGraph,
    newer: KnowledgeGraph,
    askable: Sequence[AskableFact],
    reserved: set[str],
    most: int,
    seed: int,
) -> list[ChangedFact]:
    """Facts of the newer graph about which the older one said nothing, at most so many by a seeded draw.

    Args:
        older, newer: the graphs.
        askable: facts of the newer graph that can be asked.
        reserved: IRIs of subjects whose facts are kept from training.
        most: how many.
        seed: of the draw.
    """
    relations = {relation.iri: number for number, relation in enumerate(older.relations)}
    new = []
    for fact in askable:
        subject, predicate = _key(newer, fact)
        if subject in reserved or _told(older, subject, relations.get(predicate)):
            continue
        new.append(ChangedFact(fact, NO_ENTITY))
    drawn = np.random.default_rng([seed, 101]).permutation(len(new))[:most]
    return [new[number] for number in sorted(drawn.tolist())]


def _key(graph: KnowledgeGraph, fact: AskableFact) -> Key:
    return graph.iri(fact.subject), graph.relation_iri(fact.relation)


def _told(graph: KnowledgeGraph, subject: str, relation: int | None) -> bool:
    """Whether the graph says anything so of the subject."""
    entity = graph.find(subject)
    return entity is not None and relation is not None and len(graph.objects(entity, relation)) > 0


def _new_object(
    graph: KnowledgeGraph, fact: AskableFact, were: set[str], max_objects: int
) -> int | None:
    """The object to be asked of those that weren't true before; None where there is none to ask."""
    _, fit = fit_objects(graph, fact.subject, fact.objects, max_objects)
    fresh = [entity for entity in fit if graph.iri(entity) not in were]
    return fact.asked if fact.asked in fresh else next(iter(fresh), None)
