"""What an update teaches: facts of the newer graph that differ from what was taught, written as facts are."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from ...kg.graph import KnowledgeGraph
from ...kg.linking.name_groups import name_groups
from ...kg.questions.candidates import CandidatePool
from ...kg.questions.changed_facts import NO_ENTITY, ChangedFact, added_facts, fact_changes
from ...kg.questions.facts import Fact, build_facts, facts_table
from ...kg.questions.phrasings import PredicatePhrasing
from ...kg.questions.pools import TAUGHT, UNTOUCHED
from ...kg.questions.splits import askable_facts, subjects_of
from ...kg.questions.templates import RelationTemplates, relation_templates
from ...kg.questions.verbalise import (
    questions_table,
    sentences_table,
    training_questions,
    training_sentences,
    unseen_questions,
)
from ..facts_stage import asked_templates, hierarchy_relations
from ..stages import StageContext

CHANGED, ADDED = "changed", "added"


@dataclass(frozen=True)
class Difference:
    """What became of the taught facts.

    Attributes:
        folder: holds the facts that are taught now, as a facts stage's does.
        kinds: by id of those, `CHANGED` or `ADDED`.
        before: by id, the place among its options of what was the answer; -1 for none.
        unchanged, removed: ids of facts of the older folder.
    """

    folder: Path
    kinds: Mapping[str, str]
    before: Mapping[str, int]
    unchanged: frozenset[str]
    removed: frozenset[str]


def write_difference(context: StageContext) -> Difference:
    """Hold the taught facts against the graph as it is, and write what is to be taught.

    Args:
        context: its inputs `facts` and `ingest` are what was taught, `graph` the newer graph.

    Raises:
        UserError: the newer graph lacks a predicate that the project asks about.
    """
    project, most = context.project, context.project.facts.max_objects
    older = KnowledgeGraph.open(context.inputs["ingest"])
    newer = KnowledgeGraph.open(context.inputs["graph"])
    rows = pq.read_table(context.inputs["facts"] / "facts.parquet").to_pylist()
    taught = [row for row in rows if row["pool"] == TAUGHT]
    hierarchy = hierarchy_relations(newer, project)
    templates = _templates(context, newer, taught, hierarchy)
    relations = sorted(templates)
    groups = name_groups(newer, subjects_of(newer, relations).tolist())
    askable, _ = askable_facts(newer, relations, groups, most, context.seed)
    changes = fact_changes(taught, older, newer, askable, most)
    reserved = {row["subject_iri"] for row in rows if row["pool"] not in (TAUGHT, UNTOUCHED)}
    added = added_facts(older, newer, askable, reserved, project.update.added, context.seed)
    told = [*changes.changed, *added]
    facts, _ = build_facts(
        newer,
        {TAUGHT: [each.fact for each in told]},
        {relation: CandidatePool(newer, relation, hierarchy, groups) for relation in relations},
        {relation: templates[relation].relation_label for relation in relations},
        project.facts.options,
        context.seed,
    )
    by_key = {(each.fact.subject, each.fact.relation): each for each in told}
    facts = [
        _with_before(newer, fact, by_key[fact.subject, fact.relation], context.seed)
        for fact in facts
    ]
    folder = context.work / "facts"
    _write(folder, facts, templates, project.eval.phrasings)
    new = {(each.fact.subject, each.fact.relation) for each in added}
    return Difference(
        folder,
        {f.fact: ADDED if (f.subject, f.relation) in new else CHANGED for f in facts},
        {fact.fact: fact.before for fact in facts},
        frozenset(changes.unchanged),
        frozenset(changes.removed),
    )


def _templates(
    context: StageContext,
    newer: KnowledgeGraph,
    taught: list[dict[str, Any]],
    hierarchy: tuple[int, ...],
) -> dict[int, RelationTemplates]:
    """The phrasings of the asked relations, and of those that were taught when others were asked."""
    templates = asked_templates(newer, context.project, hierarchy)
    known = {relation.iri: number for number, relation in enumerate(newer.relations)}
    for iri in dict.fromkeys(row["predicate_iri"] for row in taught):
        relation = known.get(iri)
        if relation is not None and relation not in templates:
            label = newer.relation_label(relation)
            templates[relation] = relation_templates(PredicatePhrasing(iri), label)
    return templates


def _with_before(graph: KnowledgeGraph, fact: Fact, change: ChangedFact, seed: int) -> Fact:
    """The fact with what was its answer among its options, in a wrong one's place."""
    before = change.before
    if before == NO_ENTITY or not graph.has_label(before) or before in fact.objects:
        return fact
    if before in fact.option_entities:
        return replace(fact, before=fact.option_entities.index(before))
    wrong = [place for place in range(len(fact.options)) if place != fact.correct]
    stream = np.random.default_rng([seed, 103, fact.subject, fact.relation])
    place = wrong[int(stream.integers(len(wrong)))]
    options, entities = list(fact.options), list(fact.option_entities)
    options[place], entities[place] = graph.label(before), before
    return replace(fact, options=tuple(options), option_entities=tuple(entities), before=place)


def _write(
    folder: Path,
    facts: list[Fact],
    templates: Mapping[int, RelationTemplates],
    phrasings: Mapping[str, int],
) -> None:
    folder.mkdir(exist_ok=True)
    questions = [
        *training_questions(facts, templates),
        *unseen_questions(facts, templates, phrasings),
    ]
    pq.write_table(facts_table(facts), folder / "facts.parquet")
    pq.write_table(questions_table(questions), folder / "questions.parquet")
    pq.write_table(
        sentences_table(training_sentences(facts, templates)), folder / "sentences.parquet"
    )
