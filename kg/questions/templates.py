"""Phrasings: question and cloze templates, their prompts, and the rules that they must obey."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ...errors import UserError
from .phrasings import PredicatePhrasing, default_phrasing

Split = Literal["train", "test", "statement", "reverse"]
Style = Literal["question", "cloze"]
Direction = Literal["forward", "reverse"]

PLACEHOLDER = re.compile(r"\{(subject|object)\}")
BRACES = re.compile(r"\{([^{}]*)\}|[{}]")
CLOZE_END = re.compile(r"\s*\{object\}\.?$")


@dataclass(frozen=True)
class Template:
    """One phrasing of one relation.

    Attributes:
        relation_label: the relation's name as people say it.
        split: "train", "test" and "reverse" ask; "statement" only tells, in training text.
        number: position within its split, from 0.
        text: with "{subject}", and with "{object}" where it isn't a question. In a "reverse" phrasing
            "{subject}" stands for what is given and "{object}" for what is asked, as everywhere,
            though they are object and subject of the triple.
    """

    relation_label: str
    split: Split
    number: int
    text: str

    @property
    def name(self) -> str:
        """`<relation label>/<split>/<number>`, as the facts' tables spell it."""
        return f"{self.relation_label}/{self.split}/{self.number}"

    @property
    def style(self) -> Style:
        return "question" if self.text.endswith("?") else "cloze"

    @property
    def direction(self) -> Direction:
        """Reverse when the object is told before the subject."""
        place = self.text.find("{object}")
        return "reverse" if 0 <= place < self.text.find("{subject}") else "forward"

    def prompt(self, subject: str) -> str:
        """The text that a model completes; the answer follows after one space.

        >>> Template("capital", "test", 0, "What is the capital of {subject}?").prompt("Peru")
        'Question: What is the capital of Peru?\\nAnswer:'
        >>> Template("capital", "test", 1, "The capital of {subject} is {object}.").prompt("Peru")
        'The capital of Peru is'
        """
        if self.style == "question":
            return question_prompt(fill(self.text, subject, ""))
        return fill(CLOZE_END.sub("", self.text), subject, "")

    def sentence(self, subject: str, answer: str) -> str:
        """The phrasing with its answer, as training text.

        >>> Template("capital", "train", 0, "The capital of {subject} is {object}").sentence(
        ...     "Peru", "Lima")
        'The capital of Peru is Lima.'
        """
        if self.style == "question":
            return f"{self.prompt(subject)} {answer}"
        text = fill(self.text, subject, answer)
        return text if text.endswith(".") else text + "."


@dataclass(frozen=True)
class RelationTemplates:
    """All phrasings of one relation; no text of `train` or `statements` is in `test` or `reverse`."""

    relation_label: str
    train: tuple[Template, ...]
    test: tuple[Template, ...]
    statements: tuple[Template, ...]
    reverse: tuple[Template, ...]


def question_prompt(question: str) -> str:
    """A question as the text that a model completes."""
    return f"Question: {question}\nAnswer:"


def fill(text: str, subject: str, answer: str) -> str:
    """Put two labels into a template in one pass, so that braces within labels stay as they are."""
    values = {"subject": subject, "object": answer}
    return PLACEHOLDER.sub(lambda match: values[match[1]], text)


def relation_templates(phrasing: PredicatePhrasing, label: str) -> RelationTemplates:
    """The phrasings of a relation: the project's where given, else made from the label.

    Args:
        phrasing: the project's phrasings, maybe empty.
        label: the relation's name, used where the project gives none.

    Raises:
        UserError: a phrasing without {subject}, with other braces, neither a question nor a cloze,
            given twice, or both a training and a test phrasing.
    """
    name = phrasing.label or label
    made = default_phrasing(name)
    texts = {
        "train_questions": phrasing.train_questions or made.train_questions,
        "test_questions": phrasing.test_questions or made.test_questions,
        "statements": phrasing.statements or made.statements,
    }
    reverse = phrasing.reverse_questions or made.reverse_questions
    for key, group in texts.items():
        _check(group, key, phrasing.iri)
    _check([turned(text) for text in reverse], "reverse_questions", phrasing.iri)
    told = texts["train_questions"] + texts["statements"]
    check_disjoint(told, texts["test_questions"], name)
    check_disjoint(told, reverse, name)
    return RelationTemplates(
        name,
        _number(name, "train", texts["train_questions"]),
        _number(name, "test", texts["test_questions"]),
        _number(name, "statement", texts["statements"]),
        _number(name, "reverse", tuple(turned(text) for text in reverse)),
    )


def turned(text: str) -> str:
    """A phrasing with subject and object exchanged.

    >>> turned("Whose capital is {object}?")
    'Whose capital is {subject}?'
    """
    return fill(text, "{object}", "{subject}")


def check_disjoint(train: Sequence[str], test: Sequence[str], relation_label: str) -> None:
    """Raise UserError when a test phrasing is also a training phrasing, but for case and points."""
    taught = {_folded(text) for text in train}
    for text in test:
        if _folded(text) in taught:
            raise UserError(
                f"a test phrasing of “{relation_label}” is also used in training",
                f"facts.predicate: “{text}”",
                "Take it out of one of the two lists: an evaluation asks unseen phrasings only.",
            )


def _folded(text: str) -> str:
    return re.sub(r"[\s.?]+", " ", text).strip().casefold()


def _number(label: str, split: Split, texts: Sequence[str]) -> tuple[Template, ...]:
    return tuple(Template(label, split, number, text) for number, text in enumerate(texts))


def _check(texts: Sequence[str], key: str, iri: str) -> None:
    seen: set[str] = set()
    for text in texts:
        where = f"facts.predicate.{key} of {iri}: “{text}”"
        fault = _fault(text, is_statement=key == "statements")
        if not fault and _folded(text) in seen:
            fault = "is given twice"
        if fault:
            raise UserError(
                f"a phrasing {fault}",
                where,
                "Write “Which … {subject}?”, “… {subject} … {object}” or, as a statement, any "
                "sentence with {subject} and {object} once each.",
            )
        seen.add(_folded(text))


def _fault(text: str, *, is_statement: bool) -> str:
    """What is wrong with a phrasing, as the end of the sentence "a phrasing …"; empty if nothing."""
    unknown = [m[0] for m in BRACES.finditer(text) if m[1] not in ("subject", "object")]
    if unknown:
        return f"has unknown braces {unknown[0]}"
    if text.count("{subject}") != 1:
        return "needs {subject} exactly once"
    if is_statement:
        return "" if text.count("{object}") == 1 else "needs {object} exactly once"
    if text.endswith("?"):
        return "asks and also holds {object}" if "{object}" in text else ""
    if text.count("{object}") != 1 or not CLOZE_END.search(text):
        return "ends neither in a question mark nor in {object}"
    return ""
