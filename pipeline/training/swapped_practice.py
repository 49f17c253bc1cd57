"""Practice facts told otherwise than they are, so that what is read counts and not what is usual.

A model that reads facts may as well learn which object is the commonest, or who has which: both answer
the questions that it trains on. Where the graph says another object than it does, and the answer follows
it, neither helps. The other object is one of the fact's wrong options, as in pool S, whose facts are
never practised.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...kg.linking.name_groups import name_groups
from ...kg.questions.edited_facts import swapped_rows
from ...kg.questions.splits import AskableFact, subjects_of
from ..graph_reader import GraphReader
from .fusion_practice import PracticeQuestion


@dataclass(frozen=True)
class SwappedPractice:
    """The graph with swapped facts, and the new answer to each by its id."""

    reader: GraphReader
    answers: Mapping[str, str]

    def asked(self, questions: Sequence[PracticeQuestion]) -> list[PracticeQuestion]:
        """The questions, those about swapped facts with their new answers."""
        return [
            replace(question, answer=self.answers[question.fact], swapped=True)
            if question.fact in self.answers
            else question
            for question in questions
        ]


def swapped_practice(
    reader: GraphReader, facts: Mapping[str, Mapping[str, Any]], share: float, seed: int
) -> SwappedPractice:
    """Swap a share of the practice facts.

    Args:
        reader: of the graph as it is.
        facts: rows of facts.parquet by id.
        share: of them, between 0 and 1.
        seed: of the draw and of the new objects.
    """
    random = np.random.default_rng([seed, 61])
    order = random.permutation(len(facts))
    chosen = [sorted(facts)[place] for place in sorted(order[: round(share * len(facts))])]
    if not chosen:
        return SwappedPractice(reader, {})
    graph = reader.graph
    relations = sorted({facts[identity]["relation"] for identity in chosen})
    groups = name_groups(graph, subjects_of(graph, relations).tolist())
    rows: dict[int, int] = {}
    answers: dict[str, str] = {}
    for identity in chosen:
        fact = facts[identity]
        options, correct = fact["option_entities"], fact["correct"]
        new = int(random.choice([entity for entity in options if entity != options[correct]]))
        own = AskableFact(
            fact["subject"],
            fact["relation"],
            tuple(fact["objects"]),
            options[correct],
            groups.of(fact["subject"]),
        )
        rows |= swapped_rows(graph, own, new, groups)
        answers[identity] = graph.label(new)
    return SwappedPractice(reader.changed(rows), answers)
