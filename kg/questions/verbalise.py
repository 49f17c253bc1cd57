"""Facts as text: the sentences that teach them and the questions that ask them."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import pyarrow as pa

from .facts import Fact
from .pools import ASKED, REVERSED, TAUGHT, TRAINED
from .templates import Direction, RelationTemplates, Style, Template

QUESTIONS_SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("fact", "template", "split", "style", "prompt")]
)
SENTENCES_SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("fact", "template", "direction", "text")]
)


@dataclass(frozen=True)
class Question:
    """One row of questions.parquet: a text that a model completes after one space."""

    fact: str
    template: str
    split: Literal["train", "test"]
    style: Style
    prompt: str


@dataclass(frozen=True)
class Sentence:
    """One row of sentences.parquet: training text that tells a fact of pool T."""

    fact: str
    template: str
    direction: Direction
    text: str


def training_sentences(
    facts: Iterable[Fact], templates: Mapping[int, RelationTemplates]
) -> list[Sentence]:
    """Every taught fact in every training phrasing and every statement, in both directions.

    Args:
        facts: of any pool; only those of pool T are told.
        templates: relation id to its phrasings.
    """
    return [
        Sentence(
            fact.fact,
            template.name,
            template.direction,
            template.sentence(fact.subject_label, fact.answer),
        )
        for fact in facts
        if fact.pool == TAUGHT
        for template in (
            *templates[fact.relation].train,
            *templates[fact.relation].statements,
        )
    ]


def training_questions(
    facts: Iterable[Fact], templates: Mapping[int, RelationTemplates]
) -> list[Question]:
    """Every fact of pools T and P in every training phrasing."""
    return [
        _question(fact, template, "train")
        for fact in facts
        if fact.pool in TRAINED
        for template in templates[fact.relation].train
    ]


def unseen_questions(
    facts: Sequence[Fact],
    templates: Mapping[int, RelationTemplates],
    phrasings: Mapping[str, int],
) -> list[Question]:
    """Every fact that is asked in some of the test phrasings, or of the reverse ones.

    Facts of one pool and relation are ordered by a hash of their id and go round the phrasings: the
    numbers of facts that two phrasings ask differ by at most one, whether a fact's first questions
    are counted or all. The phrasings of one fact lie far apart in the list of them.

    Args:
        facts: of any pool.
        templates: relation id to its phrasings.
        phrasings: pool to the number in which each of its facts is asked; 1 where a pool is missing.
    """
    turns: dict[tuple[str, int], list[Fact]] = defaultdict(list)
    for fact in facts:
        if fact.pool in ASKED:
            turns[fact.pool, fact.relation].append(fact)
    chosen: dict[str, list[Question]] = {}
    for (pool, relation), members in turns.items():
        known = templates[relation]
        available = known.reverse if pool == REVERSED else known.test
        asked = min(phrasings.get(pool, 1), len(available))
        steps = [step * len(available) // asked for step in range(asked)]
        for turn, fact in enumerate(sorted(members, key=_hash)):
            picked = [available[(turn + step) % len(available)] for step in steps]
            chosen[fact.fact] = [_question(fact, template, "test") for template in picked]
    return [question for fact in facts for question in chosen.get(fact.fact, [])]


def _hash(fact: Fact) -> str:
    return hashlib.sha256(fact.fact.encode()).hexdigest()


def _question(fact: Fact, template: Template, split: Literal["train", "test"]) -> Question:
    prompt = template.prompt(fact.subject_label)
    return Question(fact.fact, template.name, split, template.style, prompt)


def questions_table(questions: Sequence[Question]) -> pa.Table:
    """The questions as questions.parquet holds them."""
    return pa.Table.from_pylist([asdict(row) for row in questions], schema=QUESTIONS_SCHEMA)


def sentences_table(sentences: Sequence[Sentence]) -> pa.Table:
    """The sentences as sentences.parquet holds them."""
    return pa.Table.from_pylist([asdict(row) for row in sentences], schema=SENTENCES_SCHEMA)
