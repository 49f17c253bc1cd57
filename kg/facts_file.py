"""Facts written by hand as JSON lines: a question, a text to complete or a statement, and options."""

import json
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..errors import UserError
from .name_groups import fold_name
from .sources import Source, examine

SLOT = "[Y]"  # where the answer stands in a statement, as BEAR and LAMA write it
Text = Annotated[str, Field(min_length=1)]
FIX = (
    'Write {"question": "…?", "answer": "…", "options": ["…", …], "aliases": [], "topic": "…"}, '
    f'or "prompt" (a text to complete) or "statement" (a text with {SLOT} for the answer) '
    'instead of "question".'
)


class WrittenFact(BaseModel):
    """One line of a facts file.

    `question` is a whole question; `prompt` a text that the answer completes; `statement` a text with
    [Y] where the answer stands; a line has one of the three. `options` holds the answer. `subject`, if
    given, is what the fact is about: facts about one subject are clustered.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    question: Text | None = None
    prompt: Text | None = None
    statement: Text | None = None
    answer: Text
    aliases: tuple[Text, ...] = ()
    options: Annotated[tuple[Text, ...], Field(min_length=2)]
    topic: Text
    subject: str = ""

    @property
    def asked(self) -> str:
        """The line's own wording."""
        return self.question or self.prompt or self.statement or ""


def read_facts_file(path: Path, name: str) -> list[tuple[int, WrittenFact]]:
    """Read one file of facts; blank lines are skipped.

    Args:
        path: the file.
        name: what messages call it.

    Returns:
        line number, counted from 1, and the fact that stands there.

    Raises:
        UserError: the file isn't UTF-8, a line isn't JSON, has a missing or unknown key, has no or two
            wordings, a statement without a slot, repeats an option or a wording, or has an answer that
            isn't among the options.
    """
    facts: list[tuple[int, WrittenFact]] = []
    asked: dict[str, int] = {}
    examine(Source(path, name))
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            fact = _parse(line, f"{name}:{number}")
            wording = fold_name(fact.asked)
            if wording in asked:
                raise UserError(
                    "a fact is asked twice",
                    f"{name}:{number}, as on line {asked[wording]}",
                    "Take one of the two out.",
                )
            asked[wording] = number
            facts.append((number, fact))
    return facts


def _parse(line: str, where: str) -> WrittenFact:
    try:
        fact = WrittenFact.model_validate(json.loads(line))
    except json.JSONDecodeError as error:
        place = f"{where}:{error.colno}"
        raise UserError(f"this line isn't JSON: {error.msg}", place, FIX) from None
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "the line"
        raise UserError(f"a fact is faulty: {key}: {first['msg']}", where, FIX) from None
    fault = _fault(fact)
    if fault:
        raise UserError(f"a fact is faulty: {fault}", where, FIX)
    return fact


def _fault(fact: WrittenFact) -> str:
    if sum(text is not None for text in (fact.question, fact.prompt, fact.statement)) != 1:
        return "it needs one of question, prompt and statement"
    if fact.statement is not None and fact.statement.count(SLOT) != 1:
        return f"the statement needs {SLOT} once, where the answer stands"
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
