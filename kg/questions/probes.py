"""Probes: facts as an evaluation on its own asks them."""

from collections.abc import Sequence
from dataclasses import dataclass

from .facts_file import SLOT, WrittenFact
from .templates import question_prompt


@dataclass(frozen=True)
class Probe:
    """A fact asked in one wording.

    Attributes:
        probe: identifies the fact and its wording.
        relation: what the report groups by.
        subject: what the fact is about; may be empty.
        cluster: what intervals are clustered by: the subject, or the probe itself.
        prompt: the wording up to the answer, without the space before it.
        before, after: what stands on either side of the answer, spaces and all.
        statements: for each option, the whole text with it in the answer's place; an option at the
            very beginning may be written large there.
        options: the answer and others of its kind.
        correct: place of the answer among the options.
        aliases: other names of the answer.
        source: file as the user spelt it, and line.
        also: names of each further true answer, which is no option.
    """

    probe: str
    relation: str
    subject: str
    cluster: str
    prompt: str
    before: str
    after: str
    statements: tuple[str, ...]
    options: tuple[str, ...]
    correct: int
    aliases: tuple[str, ...]
    source: str
    also: tuple[tuple[str, ...], ...] = ()

    @property
    def answer(self) -> str:
        return self.options[self.correct]


def written_probe(fact: WrittenFact, source: str) -> Probe:
    """The probe of one line of a facts file."""
    if fact.statement is not None:
        before, after = fact.statement.split(SLOT)
    else:
        asked = fact.prompt if fact.question is None else question_prompt(fact.question)
        before, after = f"{asked} ", ""
    return Probe(
        probe=fact.name,
        relation=fact.topic,
        subject=fact.subject,
        cluster=fact.subject or fact.asked,
        prompt=before.rstrip(" "),
        before=before,
        after=after,
        statements=fill_slot(before, fact.options, after),
        options=fact.options,
        correct=fact.options.index(fact.answer),
        aliases=fact.aliases,
        source=source,
        also=fact.also,
    )


def fill_slot(before: str, options: Sequence[str], after: str) -> tuple[str, ...]:
    """The statement with each option in the slot."""
    return tuple(f"{before}{option}{after}" for option in options)


def capitalised(text: str) -> str:
    """The text with its first letter large."""
    return text[:1].upper() + text[1:]
