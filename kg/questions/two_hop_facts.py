"""Pool H: facts whose subject isn't named but described by another of its facts: two hops to the answer."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np

from ..graph import KnowledgeGraph
from ..linking.name_groups import NameGroups
from .facts import Fact, fact_id
from .phrasings import noun_phrase, verb_phrase
from .pools import TWO_HOP
from .splits import is_given_away


def two_hop_facts(
    graph: KnowledgeGraph,
    in_memory: Sequence[Fact],
    relation_labels: Mapping[int, str],
    groups: NameGroups,
    withheld: Collection[int],
    seed: int,
) -> tuple[list[Fact], Counter[str]]:
    """For each fact in memory whose subject another fact singles out, the fact that asks by it.

    "How is Marfan syndrome inherited?" becomes "How is the disease whose associated gene is FBN1
    inherited?", where no other disease has that gene.

    Args:
        graph: the whole graph.
        in_memory: facts of pool M.
        relation_labels: the asked relations and their names.
        groups: same-name groups of the subjects.
        withheld: rows of triples that no arm may see.
        seed: of the choice among several such facts.

    Returns:
        the facts, and how many were dropped and why.
    """
    found: list[Fact] = []
    dropped: Counter[str] = Counter()
    for fact in in_memory:
        known = [
            graph.triples[row].tolist()
            for row in graph.outgoing(fact.subject).tolist()
            if row not in withheld
        ]
        fit = [
            (relation, tail)
            for _, relation, tail in known
            if relation in relation_labels
            and relation != fact.relation
            and _singles_out(graph, groups, fact, relation, tail)
        ]
        if not fit:
            dropped["two-hop: no other fact singles the subject out"] += 1
            continue
        stream = np.random.default_rng([seed, 9, fact.subject, fact.relation])
        relation, tail = fit[int(stream.integers(len(fit)))]
        described = description(
            _type_label(graph, fact.subject), relation_labels[relation], graph.label(tail)
        )
        identity = fact_id(TWO_HOP, fact.subject_iri, fact.predicate_iri)
        found.append(replace(fact, fact=identity, pool=TWO_HOP, subject_label=described))
    return found, dropped


def description(type_label: str, relation_label: str, object_label: str) -> str:
    """A noun phrase for the one thing of a type that has the object.

    >>> description("country", "capital", "Lima")
    'the country whose capital is Lima'
    >>> description("city", "located in", "Peru")
    'the city that is located in Peru'
    """
    verb = verb_phrase(relation_label)
    if verb:
        return f"the {type_label} that {verb} {object_label}"
    return f"the {type_label} whose {noun_phrase(relation_label)} is {object_label}"


def _singles_out(
    graph: KnowledgeGraph, groups: NameGroups, fact: Fact, relation: int, tail: int
) -> bool:
    if not graph.has_label(tail) or graph.deprecated(tail):
        return False
    name = graph.label(tail)
    if is_given_away(fact.answer, name) or is_given_away(name, fact.subject_label):
        return False
    own = groups.of(fact.subject)
    return {groups.of(int(head)) for head in graph.subjects(relation, tail).tolist()} == {own}


def _type_label(graph: KnowledgeGraph, entity: int) -> str:
    """The name of its first type that has a label or reads as a word, small where plain; else "one"."""
    for entity_type in graph.types(entity):
        label = graph.label(entity_type)
        if graph.has_label(entity_type) or label.isalpha():
            return label.lower() if label.istitle() else label
    return "one"
