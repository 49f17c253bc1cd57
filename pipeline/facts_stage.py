"""The facts stage: split facts into pools, then write their options, questions and sentences."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow.parquet as pq

from ..errors import UserError
from ..kg.graph import KnowledgeGraph
from ..kg.linking.name_groups import name_groups
from ..kg.prefixes import ExpansionError, Prefixes
from ..kg.questions.candidates import CandidatePool
from ..kg.questions.derived_facts import DerivedSizes, derive_facts
from ..kg.questions.edited_facts import Edit, edits_table
from ..kg.questions.facts import Fact, build_facts, facts_table
from ..kg.questions.facts_file import read_facts_file
from ..kg.questions.general_facts import general_facts
from ..kg.questions.phrasings import PredicatePhrasing
from ..kg.questions.pools import (
    DELETED,
    IN_MEMORY,
    INFERABLE,
    PRACTICE,
    REVERSED,
    SWAPPED,
    TAUGHT,
    TWO_HOP,
    UNTOUCHED,
)
from ..kg.questions.predicates import PredicateRule, choose_predicates
from ..kg.questions.splits import (
    PoolSizes,
    askable_facts,
    assert_pools_disjoint,
    split_facts,
    subjects_of,
    withheld_rows,
)
from ..kg.questions.templates import RelationTemplates, relation_templates
from ..kg.questions.verbalise import (
    Question,
    questions_table,
    sentences_table,
    training_questions,
    training_sentences,
    unseen_questions,
)
from .project import Project
from .stages import StageContext

POOL_NAMES = {
    TAUGHT: "taught",
    IN_MEMORY: "in memory",
    INFERABLE: "inferable",
    PRACTICE: "practice",
    REVERSED: "reversed",
    TWO_HOP: "two-hop",
    SWAPPED: "swapped",
    DELETED: "deleted",
    UNTOUCHED: "untouched",
}


def run(context: StageContext) -> None:
    """Write facts.parquet, questions.parquet, sentences.parquet, withheld.npy and edits.parquet.

    Raises:
        UserError: a predicate, a phrasing or a general fact is faulty, or no fact can be asked.
    """
    project = context.project
    graph = KnowledgeGraph.open(context.inputs["ingest"])
    hierarchy = hierarchy_relations(graph, project)
    templates = asked_templates(graph, project, hierarchy)
    facts, edits, withheld = _graph_facts(context, graph, templates, hierarchy)
    general, general_questions = _general(context)
    questions = [
        *training_questions(facts, templates),
        *unseen_questions(facts, templates, project.eval.phrasings),
        *general_questions,
    ]
    _write(context, [*facts, *general], questions, templates)
    np.save(context.work / "withheld.npy", withheld, allow_pickle=False)
    pq.write_table(edits_table(edits), context.work / "edits.parquet")
    context.console.line(f"{len(withheld)} triples are withheld from training and memory")


def hierarchy_relations(graph: KnowledgeGraph, project: Project) -> tuple[int, ...]:
    """Those of the project's hierarchy predicates that the graph has."""
    wanted = {_expanded(project, curie, "graph.hierarchy") for curie in project.graph.hierarchy}
    return tuple(r for r in range(graph.relation_count) if graph.relation_iri(r) in wanted)


def _expanded(project: Project, curie: str, key: str) -> str:
    try:
        return Prefixes(project.prefixes).expand(curie)
    except ExpansionError as error:
        where = f"{project.file.name}:{key}"
        raise UserError(str(error), where, "Declare its prefix in [prefixes].") from None


def asked_templates(
    graph: KnowledgeGraph, project: Project, hierarchy: Sequence[int]
) -> dict[int, RelationTemplates]:
    """The asked relations and their phrasings."""
    if not project.facts.predicate:
        chosen = choose_predicates(graph, hierarchy, project.facts.max_objects, PredicateRule())
        return {
            relation: relation_templates(
                PredicatePhrasing(graph.relation_iri(relation)), graph.relation_label(relation)
            )
            for relation in chosen
        }
    templates: dict[int, RelationTemplates] = {}
    for number, table in enumerate(project.facts.predicate, start=1):
        relation = _relation(graph, project, table.iri, f"facts.predicate[{number}].iri")
        phrasing = PredicatePhrasing(
            table.iri,
            table.label or "",
            table.train_questions,
            table.test_questions,
            table.statements,
            table.reverse_questions,
        )
        templates[relation] = relation_templates(phrasing, graph.relation_label(relation))
    return templates


def _relation(graph: KnowledgeGraph, project: Project, curie: str, key: str) -> int:
    try:
        return graph.relation(_expanded(project, curie, key))
    except UserError as error:
        raise UserError(error.what, f"{project.file.name}:{key}", error.fix) from None


def _graph_facts(
    context: StageContext,
    graph: KnowledgeGraph,
    templates: dict[int, RelationTemplates],
    hierarchy: tuple[int, ...],
) -> tuple[list[Fact], Sequence[Edit], np.ndarray]:
    settings = context.project.facts
    relations = sorted(templates)
    groups = name_groups(graph, subjects_of(graph, relations).tolist())
    askable, unfit = askable_facts(graph, relations, groups, settings.max_objects, context.seed)
    sizes = PoolSizes(settings.taught, settings.in_memory, settings.inferable, settings.practice)
    pools = split_facts(askable, groups, sizes, context.seed)
    withheld = withheld_rows(graph, pools["I"], groups)
    assert_pools_disjoint(pools, groups, withheld, graph.triples)
    candidates = {r: CandidatePool(graph, r, hierarchy, groups) for r in relations}
    labels = {relation: templates[relation].relation_label for relation in relations}
    facts, without_options = build_facts(
        graph, pools, candidates, labels, settings.options, context.seed
    )
    if not facts:
        raise UserError(
            "no fact of this graph can be asked",
            "; ".join(f"{count}: {reason}" for reason, count in (unfit + without_options).items()),
            "Name other predicates in [[facts.predicate]], or raise facts.max_objects.",
        )
    wanted = DerivedSizes(settings.reversed, settings.two_hop, settings.edited)
    derived = derive_facts(graph, facts, candidates, groups, withheld, wanted, context.seed)
    context.console.line(f"{len(askable)} facts could be asked, of {len(groups.members)} names")
    facts += derived.facts
    _say_counts(context, facts, {**sizes.by_pool(), **wanted.by_pool()})
    _say_dropped(context, unfit + without_options + derived.dropped)
    return facts, derived.edits, withheld


def _general(context: StageContext) -> tuple[list[Fact], list[Question]]:
    """Pool U, from every file that the project names."""
    facts: list[Fact] = []
    questions: list[Question] = []
    for spec in context.project.facts.general:
        lines = read_facts_file(context.files[spec], spec)
        more_facts, more_questions = general_facts(
            lines, spec, context.project.facts.options, context.seed
        )
        facts += more_facts
        questions += more_questions
    context.console.line(f"U untouched: {len(facts)} general facts")
    return facts, questions


def _say_counts(context: StageContext, facts: Sequence[Fact], sizes: Mapping[str, int]) -> None:
    counts = Counter((fact.pool, fact.relation_label) for fact in facts)
    for pool, wanted in sizes.items():
        parts = [f"{label} {n}" for (owner, label), n in sorted(counts.items()) if owner == pool]
        total = sum(fact.pool == pool for fact in facts)
        short = f" (of {wanted} wanted: the graph has no more)" if total < wanted else ""
        context.console.line(f"{pool} {POOL_NAMES[pool]}: {total}{short}; {', '.join(parts)}")


def _say_dropped(context: StageContext, dropped: Counter[str]) -> None:
    for reason, count in sorted(dropped.items()):
        context.console.line(f"not asked: {count}, {reason}")


def _write(
    context: StageContext,
    facts: Sequence[Fact],
    questions: Sequence[Question],
    templates: dict[int, RelationTemplates],
) -> None:
    sentences = training_sentences(facts, templates)
    pq.write_table(facts_table(facts), context.work / "facts.parquet")
    pq.write_table(questions_table(questions), context.work / "questions.parquet")
    pq.write_table(sentences_table(sentences), context.work / "sentences.parquet")
    context.console.line(f"{len(sentences)} sentences, {len(questions)} questions")
