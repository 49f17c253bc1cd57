"""Worked examples before a question: other facts of the same relation, with their answers."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class WorkedExample:
    """A fact of pool P in a training phrasing: what is asked and what is answered."""

    relation_label: str
    fact: str
    prompt: str
    answer: str

    @property
    def text(self) -> str:
        return f"{self.prompt} {self.answer}"


def choose_examples(
    examples: Sequence[WorkedExample], count: int, seed: int
) -> dict[str, tuple[WorkedExample, ...]]:
    """For each relation `count` examples of distinct facts, and under "" a mixture of all relations.

    The mixture is for questions of relations that have no examples. Which examples are taken is a
    seeded draw that doesn't depend on the question, so that all questions of a relation begin alike.
    """
    by_relation: dict[str, dict[str, list[WorkedExample]]] = defaultdict(lambda: defaultdict(list))
    for example in examples:
        by_relation[example.relation_label][example.fact].append(example)
    chosen = {}
    for number, relation in enumerate(sorted(by_relation)):
        random = np.random.default_rng([seed, 5, number])
        facts = sorted(by_relation[relation])
        drawn = random.permutation(len(facts))[:count]
        of_fact = [by_relation[relation][facts[at]] for at in drawn]
        chosen[relation] = tuple(
            phrasings[int(random.integers(len(phrasings)))] for phrasings in of_fact
        )
    turns = [row[turn] for turn in range(count) for row in chosen.values() if turn < len(row)]
    return {**chosen, "": tuple(turns[:count])}


def few_shot_prompt(
    examples: Mapping[str, Sequence[WorkedExample]], relation_label: str, prompt: str
) -> str:
    """`prompt` after the examples of its relation, or after the mixture."""
    told = examples.get(relation_label) or examples[""]
    return "\n\n".join([*(example.text for example in told), prompt])
