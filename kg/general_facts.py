"""General facts, read from JSON lines: what any model may know and none should lose (pool U)."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..errors import UserError
from .facts import Fact, fact_id
from .name_groups import fold_name
from .sources import Source, examine
from .templates import question_prompt
from .verbalise import Question

Text = Annotated[str, Field(min_length=1)]
FIX = (
    'Write {"question": "…?", "answer": "…", "options": ["…", …], "aliases": [], "topic": "…"}, '
    'or "prompt" (a text to complete) instead of "question".'
)


class GeneralFact(BaseModel):
    """One line of a general-facts file.

    `question` is a whole question; `prompt` a text that the answer completes; a line has one of the
    two. `options` holds the answer. `subject`, if given, is what the fact is about: facts about one
    subject are clustered.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    question: Text | None = None
    prompt: Text | None = None
    answer: Text
    aliases: tuple[Text, ...] = ()
    options: Annotated[tuple[Text, ...], Field(min_length=2)]
    topic: Text
    subject: str = ""


def read_general_facts(path: Path, name: str) -> list[tuple[int, GeneralFact]]:
    """Read one file of general facts; blank lines are skipped.

    Args:
        path: the file.
        name: what messages call it.

    Returns:
        line number, counted from 1, and the fact that stands there.

    Raises:
        UserError: the file isn't UTF-8, a line isn't JSON, has a missing or unknown key, has no or two prompts, repeats
            an option or a prompt, or has an answer that isn't among the options.
    """
    facts: list[tuple[int, GeneralFact]] = []
    asked: dict[str, int] = {}
    examine(Source(path, name))
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            fact = _parse(line, f"{name}:{number}")
            prompt = fold_name(fact.question or fact.prompt or "")
            if prompt in asked:
                raise UserError(
                    "a general fact is asked twice",
                    f"{name}:{number}, as on line {asked[prompt]}",
                    "Take one of the two out.",
                )
            asked[prompt] = number
            facts.append((number, fact))
    return facts


def general_facts(
    lines: Iterable[tuple[int, GeneralFact]], source: str, option_count: int, seed: int
) -> tuple[list[Fact], list[Question]]:
    """Pool U: facts and the one question that each of them asks.

    Args:
        lines: as `read_general_facts` gives them.
        source: the file as the project file spells it.
        option_count: answers to choose from; the answer is always one of them.
        seed: of the choice and the order of the options.
    """
    facts: list[Fact] = []
    questions: list[Question] = []
    for number, line in lines:
        fact = _fact(line, number, source, option_count, seed)
        facts.append(fact)
        questions.append(_question(line, fact.fact))
    return facts, questions


def _fact(line: GeneralFact, number: int, source: str, option_count: int, seed: int) -> Fact:
    stream = np.random.default_rng([seed, 4, number])
    wrong = [option for option in line.options if option != line.answer]
    kept = stream.permutation(len(wrong))[: option_count - 1]
    options = [line.answer, *(wrong[place] for place in kept)]
    options = [options[place] for place in stream.permutation(len(options))]
    identity = fact_id("U", line.topic, line.question or line.prompt or "")
    return Fact(
        fact=identity,
        pool="U",
        cluster=line.subject or identity,
        subject=-1,
        subject_iri="",
        subject_label=line.subject,
        relation=-1,
        predicate_iri="",
        relation_label=line.topic,
        objects=(),
        answer=line.answer,
        aliases=tuple(dict.fromkeys((line.answer, *line.aliases))),
        options=tuple(options),
        option_entities=(-1,) * len(options),
        correct=options.index(line.answer),
        source=source,
        line=number,
    )


def _question(line: GeneralFact, fact: str) -> Question:
    if line.question is not None:
        prompt = question_prompt(line.question)
        return Question(fact, f"{line.topic}/test/0", "test", "question", prompt)
    return Question(fact, f"{line.topic}/test/1", "test", "cloze", line.prompt or "")


def _parse(line: str, where: str) -> GeneralFact:
    try:
        fact = GeneralFact.model_validate(json.loads(line))
    except json.JSONDecodeError as error:
        place = f"{where}:{error.colno}"
        raise UserError(f"this line isn't JSON: {error.msg}", place, FIX) from None
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "the line"
        raise UserError(f"a general fact is faulty: {key}: {first['msg']}", where, FIX) from None
    fault = _fault(fact)
    if fault:
        raise UserError(f"a general fact is faulty: {fault}", where, FIX)
    return fact


def _fault(fact: GeneralFact) -> str:
    if (fact.question is None) == (fact.prompt is None):
        return "it needs either a question or a prompt"
    if fact.question is not None and not fact.question.endswith("?"):
        return "the question has no question mark at its end"
    if fact.prompt is not None and fact.prompt != fact.prompt.rstrip():
        return "the prompt ends in a space, and the answer is put after one"
    if fact.answer not in fact.options:
        return "the answer isn't among the options"
    # Case and signs stay: "pH" and "PH", "Na" and "NA" are different answers.
    if len(set(fact.options)) < len(fact.options):
        return "an option is given twice"
    wrong = {option for option in fact.options if option != fact.answer}
    if wrong & set(fact.aliases):
        return "an alias of the answer is among the wrong options"
    return ""
