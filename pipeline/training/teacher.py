"""The distillation teacher: what it reads of the graph before each question, and whether it is right."""

from collections.abc import Mapping, Sequence

import numpy as np
from transformers import PreTrainedTokenizerBase

from ...kg.graph import KnowledgeGraph
from ...kg.questions.fact_prompt import augmented_prompt
from ...kg.questions.retrieval import RetrievedFact
from ...models.language_model import LanguageModel
from ..console import Console
from ..graph_reader import GraphReader
from ..settings.training import DistillTable
from .right_choices import right_choices

TEACHER_BATCH_TOKENS = 2048


def teacher_contexts(
    reader: GraphReader,
    tokenizer: PreTrainedTokenizerBase,
    facts: Sequence[dict],
    settings: DistillTable,
    seed: int,
) -> list[str]:
    """For each fact, what the teacher reads: it, among other facts of its entity and of others.

    The other facts are of other relations. A second value of the asked relation confuses a small
    teacher: with SmolLM2-135M, 55 % of modes of inheritance and ages of onset were read right among
    the facts of several entities, 80 % so.

    Args:
        reader: the graph.
        tokenizer: counts tokens.
        facts: rows of facts.parquet.
        settings: how many others, in how many tokens.
        seed: which ones, and the order.
    """
    random = np.random.default_rng([seed, 23])
    asked = [_as_told(reader.graph, fact) for fact in facts]
    contexts = []

    def count_tokens(text: str) -> int:
        return len(tokenizer(text)["input_ids"])

    for number, told in enumerate(asked):
        own = [
            fact for fact in reader.retriever.about(told.subject) if fact.relation != told.relation
        ]
        foreign = [asked[index] for index in random.permutation(len(asked)) if index != number]
        foreign = [fact for fact in foreign if fact.relation != told.relation]
        others = [own[index] for index in random.permutation(len(own))[:1]] + foreign
        lines = reader.lines([told, *others[: settings.distractors]], "")
        # The fact itself is first in line for the budget, and anywhere in the text.
        first = sorted(lines, key=lambda line: told not in line.facts)
        _, kept = augmented_prompt(first, "", settings.context_tokens, count_tokens)
        shuffled = [kept[index] for index in random.permutation(len(kept))]
        text, _ = augmented_prompt(shuffled, "", 2 * settings.context_tokens, count_tokens)
        contexts.append(text)
    return contexts


def right_answers(
    teacher: LanguageModel,
    facts: Sequence[dict],
    contexts: Sequence[str],
    questions: Mapping[str, Sequence[str]],
    console: Console,
) -> list[bool]:
    """The gate: of each fact, whether the teacher chooses the right option after its context."""
    asked = [
        (text + questions[fact["fact"]][0], fact)
        for fact, text in zip(facts, contexts, strict=True)
    ]
    with console.progress("testing the teacher", len(asked), "facts") as advance:
        return right_choices(teacher, asked, advance)


def _as_told(graph: KnowledgeGraph, fact: dict) -> RetrievedFact:
    """The triple whose object a taught fact asks for."""
    asked = (fact["relation"], fact["option_entities"][fact["correct"]])
    for row in graph.outgoing(fact["subject"]).tolist():
        subject, relation, tail = graph.triples[row].tolist()
        if (relation, tail) == asked:
            return RetrievedFact(row, subject, relation, tail)
    raise ValueError(f"{fact['fact']} is not in the graph: the facts were drawn from another one")
