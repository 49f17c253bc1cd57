"""Which predicates are asked: those that the project names, else those that the graph suggests."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import UserError
from ..graph import KnowledgeGraph
from .splits import relation_rows

VOCABULARIES = (
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "http://www.w3.org/2000/01/rdf-schema#",
    "http://www.w3.org/2002/07/owl#",
)


@dataclass(frozen=True)
class PredicateRule:
    """When a predicate is worth asking.

    Attributes:
        subjects: at least so many labelled subjects with few enough objects.
        objects: at least so many distinct labelled objects that share a type.
        label_coverage: share of its triples with a label at both ends.
        few_objects: share of its subjects with at most `max_objects` objects.
        at_most: so many predicates are chosen.
    """

    subjects: int = 20
    objects: int = 10
    label_coverage: float = 0.9
    few_objects: float = 0.5
    at_most: int = 8


@dataclass(frozen=True)
class PredicateStatistics:
    """What the rule looks at, for one predicate."""

    relation: int
    subjects: int
    objects: int
    label_coverage: float
    few_objects: float
    fan_out: float


def choose_predicates(
    graph: KnowledgeGraph,
    hierarchy: Collection[int],
    max_objects: int,
    rule: PredicateRule,
) -> list[int]:
    """The predicates to ask when the project names none.

    A predicate is fit when it is neither part of RDF, RDFS or OWL (`rdf:type` is) nor a hierarchy
    predicate; when nine triples in ten have labels at both ends; when it has at least 20 subjects
    and half of all its subjects have at most `max_objects` objects; and when at least 10 distinct
    objects share a type (any ten where objects have no types), so that there are wrong answers to
    choose from. Of the fit ones those with the fewest objects a subject come first, for their
    answers are the least ambiguous, then those with the most subjects; eight at most.

    Raises:
        UserError: no predicate is fit; names the nearest ones.
    """
    statistics = [
        _statistics(graph, relation, max_objects)
        for relation in range(graph.relation_count)
        if relation not in hierarchy and not graph.relation_iri(relation).startswith(VOCABULARIES)
    ]
    fit = [row for row in statistics if _is_fit(row, rule)]
    if not fit:
        raise UserError(
            "no predicate of this graph can be asked by the default rule",
            _nearest(graph, statistics),
            "Name the predicates to ask in [[facts.predicate]], or give labels to their entities.",
        )
    fit.sort(key=lambda row: (row.fan_out, -row.subjects, row.relation))
    return [row.relation for row in fit[: rule.at_most]]


def _statistics(graph: KnowledgeGraph, relation: int, max_objects: int) -> PredicateStatistics:
    triples = graph.triples[relation_rows(graph, relation)]
    labelled = {
        int(entity): graph.has_label(entity) for entity in np.unique(triples[:, [0, 2]]).tolist()
    }
    both = [labelled[head] and labelled[tail] for head, _, tail in triples.tolist()]
    subjects, counts = np.unique(triples[:, 0], return_counts=True)
    few = counts <= max_objects
    usable = sum(labelled[subject] for subject in subjects[few].tolist())
    types: Counter[int] = Counter()
    for entity in np.unique(triples[:, 2]).tolist():
        if labelled[entity]:
            types.update(graph.types(entity) or (-1,))
    return PredicateStatistics(
        relation=relation,
        subjects=usable,
        objects=max(types.values(), default=0),
        label_coverage=sum(both) / max(1, len(both)),
        few_objects=float(few.mean()) if len(few) else 0.0,
        fan_out=len(triples) / max(1, len(subjects)),
    )


def _is_fit(row: PredicateStatistics, rule: PredicateRule) -> bool:
    return (
        row.subjects >= rule.subjects
        and row.objects >= rule.objects
        and row.label_coverage >= rule.label_coverage
        and row.few_objects >= rule.few_objects
    )


def _nearest(graph: KnowledgeGraph, statistics: Sequence[PredicateStatistics]) -> str:
    best = sorted(statistics, key=lambda row: -min(row.subjects, 2 * row.objects))[:3]
    return "; ".join(
        f"{graph.relation_iri(row.relation)}: {row.subjects} labelled subjects, {row.objects} "
        f"objects of one type, {row.label_coverage:.0%} of triples labelled"
        for row in best
    )
