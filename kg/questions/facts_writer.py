"""Probes as lines of a facts file, which read back as the same probes."""

import json
from collections.abc import Iterable

from pydantic import ValidationError

from ...errors import UserError
from ..readers.json_lines import LineError, model_fault
from .facts_file import SLOT, WrittenFact, check_fact
from .probes import Probe
from .templates import question_prompt


def facts_lines(probes: Iterable[Probe]) -> tuple[list[str], int]:
    """The lines that `read_facts_file` reads as the facts behind `probes`.

    Options are written as they stand in the statements, where one may begin with a larger letter.

    Returns:
        the lines, and how many probes only repeat an earlier one (BEAR has such): a facts file asks
        each but once.

    Raises:
        UserError: a facts file can't hold a probe, or two that ask the same with other options.
    """
    probes = list(probes)
    facts: dict[tuple[str, str], WrittenFact] = {}
    for probe in probes:
        fact = _checked_fact(probe)
        first = facts.setdefault(fact.question_asked, fact)
        if first != fact.model_copy(update={"id": first.id}):
            problem = LineError(f"{first.name!r} asks the same with other options")
            raise _unsayable(probe, problem)
    lines = [
        json.dumps(fact.model_dump(exclude_defaults=True), ensure_ascii=False) + "\n"
        for fact in facts.values()
    ]
    return lines, len(probes) - len(lines)


def _checked_fact(probe: Probe) -> WrittenFact:
    try:
        fact = _written_fact(probe)
        check_fact(fact)
    except ValidationError as error:
        raise _unsayable(probe, model_fault(error)) from None
    except LineError as error:
        raise _unsayable(probe, error) from None
    return fact


def _written_fact(probe: Probe) -> WrittenFact:
    start, end = len(probe.before), len(probe.after)
    options = tuple(text[start : len(text) - end] for text in probe.statements)
    fact = WrittenFact.model_validate(
        {
            **_wording(probe),
            "answer": options[probe.correct],
            "aliases": probe.aliases,
            "options": options,
            "topic": probe.relation,
            "subject": probe.subject,
            "also": probe.also,
        }
    )
    return fact if fact.name == probe.probe else fact.model_copy(update={"id": probe.probe})


def _wording(probe: Probe) -> dict[str, str]:
    """As a question or a text to complete where it is one, else as a statement."""
    if probe.after or probe.before != f"{probe.prompt} " or not probe.prompt.strip():
        return {"statement": f"{probe.before}{SLOT}{probe.after}"}
    opening, closing = question_prompt("\0").split("\0")
    question = probe.prompt.removeprefix(opening).removesuffix(closing)
    if question.endswith("?") and question_prompt(question) == probe.prompt:
        return {"question": question}
    if probe.prompt == probe.prompt.rstrip():
        return {"prompt": probe.prompt}
    return {"statement": f"{probe.before}{SLOT}"}


def _unsayable(probe: Probe, error: LineError) -> UserError:
    problem = f"a facts file can't hold {probe.probe!r}: {error.problem}"
    return UserError(problem, probe.source, "Change the fact, or export it in another format.")
