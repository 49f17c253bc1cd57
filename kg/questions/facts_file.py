"""Facts written by hand as JSON lines: a question, a text to complete or a statement, and options."""

import unicodedata
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ...errors import UserError
from ..linking.name_groups import fold_name
from ..readers.json_lines import LineError, fault_error, filled_lines, model_fault, parse_line

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
    given, is what the fact is about: facts about one subject are clustered. `also` holds further true
    answers, each a list of its names, for which a free answer is right too. `id`, if given, is what
    results call the fact.
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
    also: tuple[Annotated[tuple[Text, ...], Field(min_length=1)], ...] = ()
    id: str = ""

    @property
    def asked(self) -> str:
        """The line's own wording."""
        return self.question or self.prompt or self.statement or ""

    @property
    def question_asked(self) -> tuple[str, str]:
        """Equal for two facts that ask the same: the same words may ask another thing elsewhere."""
        return self.topic, plain(self.asked)

    @property
    def name(self) -> str:
        """What results call it."""
        return self.id or f"{self.topic}/{self.asked}"


def read_facts_file(path: Path, name: str) -> list[tuple[int, WrittenFact]]:
    """Read one file of facts; blank lines are skipped.

    Args:
        path: the file.
        name: what messages call it.

    Returns:
        line number, counted from 1, and the fact that stands there.

    Raises:
        UserError: the file isn't UTF-8 or holds no fact; or, all faulty lines told at once, a line
            isn't strict JSON, has a missing or unknown key, has no or two wordings, a statement
            without a slot, repeats an option, a wording or an id, or has an answer that isn't among
            the options or another option that is true as well.
    """
    facts: list[tuple[int, WrittenFact]] = []
    faults: list[tuple[str, str]] = []
    seen: dict[tuple[str, ...], int] = {}
    for number, line in filled_lines(path, name):
        try:
            fact = _parse(line)
            _note(fact, number, seen)
            facts.append((number, fact))
        except LineError as fault:
            faults.append(fault.at(f"{name}:{number}"))
    if faults:
        raise fault_error(faults, FIX)
    if not facts:
        raise UserError("there is no fact in the file", name, FIX)
    return facts


def _parse(line: bytes) -> WrittenFact:
    try:
        fact = WrittenFact.model_validate(parse_line(line))
    except ValidationError as error:
        raise LineError(f"a fact is faulty: {model_fault(error).problem}") from None
    check_fact(fact)
    return fact


def _note(fact: WrittenFact, number: int, seen: dict[tuple[str, ...], int]) -> None:
    """Enter a fact's wording and id with its line; raises LineError where they are there already."""
    for key in (("a fact is asked", *fact.question_asked), ("an id is given", fact.name)):
        first = seen.setdefault(key, number)
        if first != number:
            raise LineError(f"{key[0]} twice, here and on line {first}: take one of the two out")


def check_fact(fact: WrittenFact) -> None:
    """Raise LineError unless the fact can be asked."""
    fault = _wording_fault(fact) or _option_fault(fact)
    if fault:
        raise LineError(f"a fact is faulty: {fault}")


def _wording_fault(fact: WrittenFact) -> str:
    if sum(text is not None for text in (fact.question, fact.prompt, fact.statement)) != 1:
        return "it needs one of question, prompt and statement"
    if fact.statement is not None and fact.statement.count(SLOT) != 1:
        return f"the statement needs {SLOT} once, where the answer stands"
    if fact.statement is not None and not fact.statement.replace(SLOT, "").strip():
        return f"the statement holds nothing but {SLOT}"
    if fact.question is not None and not fact.question.endswith("?"):
        return "the question has no question mark at its end"
    if fact.prompt is not None and fact.prompt != fact.prompt.rstrip():
        return "the prompt ends in a space, and the answer is put after one"
    return ""


def _option_fault(fact: WrittenFact) -> str:
    if fact.answer not in fact.options:
        close = [option for option in fact.options if fold_name(option) == fold_name(fact.answer)]
        meant = f"; is {close[0]!r} meant?" if close else ""
        return f"the answer isn't among the options: {fact.answer!r}{meant}"
    seen: set[str] = set()
    aliases = {plain(alias) for alias in fact.aliases}
    also = {plain(name) for names in fact.also for name in names}
    for option in fact.options:
        if plain(option) in seen:
            return f"an option is given twice: {option!r}"
        seen.add(plain(option))
        if option != fact.answer and plain(option) in aliases:
            return f"an alias of the answer is among the wrong options: {option!r}"
        if plain(option) in also:
            return f"an option is one of the further true answers: {option!r}"
    return ""


def plain(text: str) -> str:
    """A text without what can't be seen: canonical forms, single spaces.

    Case and signs stay: "pH" and "PH", "Na" and "NA", "C" and "C++" are different things.
    """
    return " ".join(unicodedata.normalize("NFC", text).split())
