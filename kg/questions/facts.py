"""Facts as the stages exchange them: one (subject, relation), its answer and its options."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pyarrow as pa

from ..graph import KnowledgeGraph
from .candidates import CandidatePool
from .splits import AskableFact

FACTS_SCHEMA = pa.schema(
    [
        ("fact", pa.string()),
        ("pool", pa.string()),
        ("cluster", pa.string()),
        ("subject", pa.int32()),
        ("subject_iri", pa.string()),
        ("subject_label", pa.string()),
        ("relation", pa.int32()),
        ("predicate_iri", pa.string()),
        ("relation_label", pa.string()),
        ("objects", pa.list_(pa.int32())),
        ("answer", pa.string()),
        ("aliases", pa.list_(pa.string())),
        ("object_names", pa.list_(pa.list_(pa.string()))),
        ("options", pa.list_(pa.string())),
        ("option_entities", pa.list_(pa.int32())),
        ("correct", pa.int32()),
        ("before", pa.int32()),
        ("degree", pa.int32()),
        ("language", pa.string()),
        ("source", pa.string()),
        ("line", pa.int32()),
    ]
)


@dataclass(frozen=True)
class Fact:
    """One row of facts.parquet.

    Attributes:
        fact: pool letter, "-" and 10 hexadecimal digits; the same from run to run.
        pool: T taught, M in memory, I inferable, P practice, U untouched, R reversed, H two-hop,
            S swapped, D deleted.
        cluster: what intervals are clustered by: the subject's same-name group.
        subject: entity id, -1 where no graph is behind the fact (pool U); so with the other ids.
        objects: all true objects of (subject, relation).
        answer: label of the object that is asked.
        aliases: names of all true objects of anything called like the subject.
        object_names: the same, object by object.
        options: the answer and its distractors, in seeded order; n of them.
        option_entities: their entities, n numbers.
        correct: place of the answer among the options.
        before: pools S and D: place of what the graph said before it was edited; else -1.
        degree: ends of triples at the subject; 0 in pool U.
        language: of the subject's label; empty where the graph doesn't tell.
        source: where the asked triple was read, as the project file spells it.
        line: line there; 0 where the format has none.
    """

    fact: str
    pool: str
    cluster: str
    subject: int
    subject_iri: str
    subject_label: str
    relation: int
    predicate_iri: str
    relation_label: str
    objects: tuple[int, ...]
    answer: str
    aliases: tuple[str, ...]
    object_names: tuple[tuple[str, ...], ...]
    options: tuple[str, ...]
    option_entities: tuple[int, ...]
    correct: int
    before: int
    degree: int
    language: str
    source: str
    line: int


def fact_id(pool: str, subject: str, predicate: str) -> str:
    """An id that depends on nothing but the pool and what the fact is about."""
    digest = hashlib.sha256(f"{subject}\n{predicate}".encode()).hexdigest()
    return f"{pool}-{digest[:10]}"


def build_facts(
    graph: KnowledgeGraph,
    pools: Mapping[str, Sequence[AskableFact]],
    candidates: Mapping[int, CandidatePool],
    relation_labels: Mapping[int, str],
    option_count: int,
    seed: int,
) -> tuple[list[Fact], Counter[str]]:
    """Give every fact its options and names.

    Args:
        graph: the whole graph.
        pools: facts by pool letter.
        candidates: relation id to the objects to draw distractors from.
        relation_labels: relation id to its name.
        option_count: answers to choose from; fewer when the graph has fewer.
        seed: each fact draws from its own stream, so a fact's options don't depend on the others.

    Returns:
        the facts by pool then id, and how many were dropped for want of a wrong answer.
    """
    facts: list[Fact] = []
    dropped: Counter[str] = Counter()
    for pool, members in pools.items():
        for member in members:
            pool_of_objects = candidates[member.relation]
            stream = np.random.default_rng([seed, 3, member.subject, member.relation])
            wrong = pool_of_objects.distractors(member, option_count - 1, stream)
            if not wrong:
                dropped["no wrong answer of the same type"] += 1
                continue
            options = [int(entity) for entity in stream.permutation([member.asked, *wrong])]
            facts.append(_fact(graph, pool, member, options, pool_of_objects, relation_labels))
    return sorted(facts, key=lambda fact: fact.fact), dropped


def _fact(
    graph: KnowledgeGraph,
    pool: str,
    member: AskableFact,
    options: list[int],
    candidates: CandidatePool,
    relation_labels: Mapping[int, str],
) -> Fact:
    subject_iri = graph.iri(member.subject)
    predicate_iri = graph.relation_iri(member.relation)
    origin = graph.origin(_row_of(graph, member))
    true = sorted(candidates.true_objects(member.subject))
    return Fact(
        fact=fact_id(pool, subject_iri, predicate_iri),
        pool=pool,
        cluster=graph.iri(member.group),
        subject=member.subject,
        subject_iri=subject_iri,
        subject_label=graph.label(member.subject),
        relation=member.relation,
        predicate_iri=predicate_iri,
        relation_label=relation_labels[member.relation],
        objects=member.objects,
        answer=graph.label(member.asked),
        aliases=all_names(graph, true),
        object_names=tuple(all_names(graph, [entity]) for entity in true),
        options=tuple(graph.label(entity) for entity in options),
        option_entities=tuple(options),
        correct=options.index(member.asked),
        before=-1,
        degree=graph.degree(member.subject),
        language=graph.label_language(member.subject),
        source=origin.source,
        line=origin.line,
    )


def all_names(graph: KnowledgeGraph, entities: Sequence[int]) -> tuple[str, ...]:
    """Labels and exact synonyms of these entities, each once, labels first.

    Broad, narrow and related names are left out: an answer by one of them is another answer.
    """
    labels = [graph.label(entity) for entity in entities]
    exact = [
        name.text
        for entity in entities
        for name in graph.names_of(entity)
        if name.kind in ("label", "exact")
    ]
    return tuple(dict.fromkeys([*labels, *exact]))


def _row_of(graph: KnowledgeGraph, member: AskableFact) -> int:
    rows = graph.outgoing(member.subject)
    triples = graph.triples[rows]
    found = (triples[:, 1] == member.relation) & (triples[:, 2] == member.asked)
    return int(rows[np.flatnonzero(found)[0]])


def facts_table(facts: Sequence[Fact]) -> pa.Table:
    """The facts as facts.parquet holds them."""
    return pa.Table.from_pylist([asdict(fact) for fact in facts], schema=FACTS_SCHEMA)
