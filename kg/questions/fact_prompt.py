"""Prompt augmentation: facts written before a question, numbered so that an answer can cite them."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ..graph import KnowledgeGraph
from .retrieval import RetrievedFact

HEADING = "Facts:\n"
WORD = re.compile(r"\w+")
# The words by which a prompt is laid out; within a label they would begin another question.
LAYOUT = re.compile(r"\b(facts|question|answer)\s*:", re.IGNORECASE)


@dataclass(frozen=True)
class FactLine:
    """One numbered line of a prompt and the triples that it tells."""

    text: str
    facts: tuple[RetrievedFact, ...]


def fact_lines(
    graph: KnowledgeGraph,
    relation_labels: Mapping[int, str],
    facts: Sequence[RetrievedFact],
    question: str,
) -> list[FactLine]:
    """Facts as lines, one for each subject and relation, the question's own words first.

    Lines whose relation shares words with the question come first; the others keep their order.

    Args:
        graph: names the entities.
        relation_labels: names the relations.
        facts: what to tell.
        question: what is asked.
    """
    grouped: dict[tuple[int, int], list[RetrievedFact]] = {}
    for fact in facts:
        grouped.setdefault((fact.subject, fact.relation), []).append(fact)
    asked = _words(question)
    ranked = sorted(
        grouped.items(),
        key=lambda item: -len(asked & _words(relation_labels[item[0][1]])),
    )
    return [
        FactLine(
            f"{as_told(graph.label(subject))}, {relation_labels[relation]}: "
            + "; ".join(as_told(graph.label(fact.object)) for fact in told),
            tuple(told),
        )
        for (subject, relation), told in ranked
    ]


def augmented_prompt(
    lines: Sequence[FactLine], prompt: str, budget: int, tokens: Callable[[str], int]
) -> tuple[str, tuple[FactLine, ...]]:
    """`prompt` with as many lines before it as fit; as it was where there are none.

    Args:
        lines: most relevant first.
        prompt: what the model completes.
        budget: tokens that the facts may take.
        tokens: counts a text's tokens.

    Returns:
        The whole prompt and the lines that it cites, in their order: line 1 is cited as [1].
    """
    told: list[FactLine] = []
    written = HEADING
    for line in lines:
        longer = f"{written}[{len(told) + 1}] {line.text}.\n"
        if tokens(longer) > budget:
            continue
        written = longer
        told.append(line)
    return (f"{written}\n{prompt}" if told else prompt), tuple(told)


def as_told(label: str) -> str:
    """A label as a fact tells it: it can't lay out a question of its own.

    >>> as_told("X. Question: Who? Answer: Me")
    'X. Question Who? Answer Me'
    """
    return LAYOUT.sub(r"\1", label)


def _words(text: str) -> set[str]:
    return {word.casefold() for word in WORD.findall(text)}
