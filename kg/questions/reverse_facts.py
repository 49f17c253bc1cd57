"""Pool R: taught facts asked from the object's side, since what is taught one way isn't known the other.

(Berglund et al. 2023, "The Reversal Curse".)
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from ..graph import KnowledgeGraph
from ..linking.name_groups import NameGroups, fold_name
from .candidates import CandidatePool
from .facts import Fact, all_names, fact_id
from .pools import REVERSED
from .splits import is_given_away, subjects_of


def reverse_facts(
    graph: KnowledgeGraph,
    taught: Sequence[Fact],
    candidates: Mapping[int, CandidatePool],
    groups: NameGroups,
    options: int,
    most_subjects: int,
    seed: int,
) -> tuple[list[Fact], Counter[str]]:
    """For each taught fact with few enough subjects, the fact that asks for its subject.

    Wrong answers are subjects of other taught facts of the relation before any others: a model that
    merely knows which names it was taught can't tell them apart.

    Args:
        graph: the whole graph.
        taught: facts of pool T.
        candidates: relation id to its objects.
        groups: same-name groups of the subjects.
        options: answers to choose from.
        most_subjects: a fact whose object holds of more subjects isn't asked.
        seed: of the draw of wrong answers.

    Returns:
        the facts, one for each (object, relation), and how many were dropped and why.
    """
    sides = {
        relation: _Subjects(
            graph,
            candidates[relation],
            groups,
            [f.subject for f in taught if f.relation == relation],
        )
        for relation in {fact.relation for fact in taught}
    }
    found: dict[tuple[int, int], Fact] = {}
    dropped: Counter[str] = Counter()
    for fact in sorted(taught, key=lambda item: item.fact):
        asked = fact.option_entities[fact.correct]
        if (asked, fact.relation) in found:
            continue
        side = sides[fact.relation]
        true = side.having(asked)
        if len({groups.of(entity) for entity in true}) > most_subjects:
            dropped[f"reversed: more than {most_subjects} subjects"] += 1
        elif is_given_away(fact.subject_label, fact.answer):
            dropped["reversed: the object's name gives the subject away"] += 1
        else:
            stream = np.random.default_rng([seed, 8, asked, fact.relation])
            wrong = side.wrong(fact.subject, true, options - 1, stream)
            if wrong:
                found[asked, fact.relation] = _reversed(graph, fact, true, wrong, groups, stream)
            else:
                dropped["reversed: no wrong answer of the same type"] += 1
    return list(found.values()), dropped


class _Subjects:
    """The subjects of one relation as answers; `taught` are those of the taught facts, in order."""

    def __init__(
        self,
        graph: KnowledgeGraph,
        objects: CandidatePool,
        groups: NameGroups,
        taught: Sequence[int],
    ) -> None:
        self.graph, self.objects, self.groups, self.taught = graph, objects, groups, taught
        self.all = subjects_of(graph, [objects.relation]).tolist()
        self.objects_called: dict[str, list[int]] = defaultdict(list)
        for entity in objects.objects:
            self.objects_called[fold_name(graph.label(entity))].append(entity)

    def having(self, asked: int) -> list[int]:
        """Subjects of everything that is called like the asked object, ascending."""
        alike = self.objects_called.get(fold_name(self.graph.label(asked)), [])
        relation = self.objects.relation
        return sorted({int(s) for o in alike for s in self.graph.subjects(relation, o).tolist()})

    def wrong(
        self, answer: int, true: Sequence[int], count: int, random: np.random.Generator
    ) -> list[int]:
        """Subjects without the object, of the answer's type, neither broader nor narrower than it."""
        graph, broader = self.graph, self.objects.broader
        types = set(graph.types(answer))
        barred = {self.groups.of(entity) for entity in true}
        above = set().union(*(broader(entity) for entity in true))
        names = {fold_name(graph.label(entity)) for entity in true}
        kept: list[int] = []
        order = [*random.permutation(self.taught), *random.permutation(self.all)]
        for entity in map(int, order):
            if len(kept) == count:
                break
            name = fold_name(graph.label(entity))
            fits = graph.has_label(entity) and not graph.deprecated(entity)
            alike = not types or types & set(graph.types(entity))
            apart = self.groups.of(entity) not in barred and entity not in above
            if fits and alike and apart and name not in names and not broader(entity) & {*true}:
                names.add(name)
                kept.append(entity)
        return kept


def _reversed(
    graph: KnowledgeGraph,
    fact: Fact,
    true: Sequence[int],
    wrong: Sequence[int],
    groups: NameGroups,
    random: np.random.Generator,
) -> Fact:
    asked = fact.option_entities[fact.correct]
    options = [int(entity) for entity in random.permutation([fact.subject, *wrong])]
    by_name: dict[int, list[int]] = {}
    for entity in true:
        by_name.setdefault(groups.of(entity), []).append(entity)
    return replace(
        fact,
        fact=fact_id(REVERSED, graph.iri(asked), fact.predicate_iri),
        pool=REVERSED,
        subject=asked,
        subject_iri=graph.iri(asked),
        subject_label=graph.label(asked),
        objects=tuple(true),
        answer=fact.subject_label,
        aliases=all_names(graph, true),
        object_names=tuple(all_names(graph, alike) for alike in by_name.values()),
        options=tuple(graph.label(entity) for entity in options),
        option_entities=tuple(options),
        correct=options.index(fact.subject),
        degree=graph.degree(asked),
        language=graph.label_language(asked),
    )
