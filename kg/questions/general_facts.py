"""General facts: what any model may know and none should lose (pool U)."""

from collections.abc import Iterable

import numpy as np

from ...errors import UserError
from .facts import Fact, fact_id
from .facts_file import FIX, SLOT, WrittenFact
from .pools import UNTOUCHED
from .templates import question_prompt
from .verbalise import Question


def general_facts(
    lines: Iterable[tuple[int, WrittenFact]], source: str, option_count: int, seed: int
) -> tuple[list[Fact], list[Question]]:
    """Pool U: facts and the one question that each of them asks.

    A statement must end with its slot: every arm completes a text.

    Args:
        lines: as `read_general_facts` gives them.
        source: the file as the project file spells it.
        option_count: answers to choose from; the answer is always one of them.
        seed: of the choice and the order of the options.

    Raises:
        UserError: something follows a statement's slot.
    """
    facts: list[Fact] = []
    questions: list[Question] = []
    for number, line in lines:
        fact = _fact(line, number, source, option_count, seed)
        facts.append(fact)
        questions.append(_question(line, fact.fact, f"{source}:{number}"))
    return facts, questions


def _fact(line: WrittenFact, number: int, source: str, option_count: int, seed: int) -> Fact:
    stream = np.random.default_rng([seed, 4, number])
    wrong = [option for option in line.options if option != line.answer]
    kept = stream.permutation(len(wrong))[: option_count - 1]
    options = [line.answer, *(wrong[place] for place in kept)]
    options = [options[place] for place in stream.permutation(len(options))]
    identity = fact_id(UNTOUCHED, line.topic, line.asked)
    names = tuple(dict.fromkeys((line.answer, *line.aliases)))
    return Fact(
        fact=identity,
        pool=UNTOUCHED,
        cluster=line.subject or identity,
        subject=-1,
        subject_iri="",
        subject_label=line.subject,
        relation=-1,
        predicate_iri="",
        relation_label=line.topic,
        objects=(),
        answer=line.answer,
        aliases=names,
        object_names=(names,),
        options=tuple(options),
        option_entities=(-1,) * len(options),
        correct=options.index(line.answer),
        before=-1,
        degree=0,
        language="",
        source=source,
        line=number,
    )


def _question(line: WrittenFact, fact: str, where: str) -> Question:
    if line.question is not None:
        prompt = question_prompt(line.question)
        return Question(fact, f"{line.topic}/test/0", "test", "question", prompt)
    prompt, _, after = line.asked.partition(SLOT)
    if after:
        problem = f"{after!r} follows {SLOT}, and here the answer completes the text"
        raise UserError(problem, where, FIX)
    return Question(fact, f"{line.topic}/test/1", "test", "cloze", prompt.rstrip())
