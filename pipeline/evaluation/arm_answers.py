"""Answers of arms that share a model and its prompts, kept on disk as they are made."""

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from transformers import PreTrainedTokenizerBase
from transformers.modeling_utils import PreTrainedModel

from ...kg.questions.pools import IN_MEMORY, SWAPPED, TAUGHT
from ...models.answering import answer_questions
from ...models.posed_questions import Posed
from ...models.read_out import ReadOut
from ..console import Console
from ..settings.evaluation import EvalTable
from .asked_questions import AskedQuestion

QUESTIONS_AT_ONCE = 128  # between two files
FREE_POOLS = (TAUGHT, IN_MEMORY, SWAPPED)  # also answered without options

PART_SCHEMA = pa.schema(
    [
        ("arm", pa.string()),
        ("number", pa.int32()),
        ("scores", pa.list_(pa.float64())),
        ("generated", pa.string()),
        ("tokens", pa.int32()),
        ("seconds", pa.float64()),
    ]
)


@dataclass(frozen=True)
class ArmGroup:
    """Arms that read the same prompts, so that what they share is computed once.

    Attributes:
        name: of its files.
        questions: what is asked.
        prompts: what is read for each; a read-out's request number is the place here.
        read_outs: each arm's.
        asked: entered while the model is asked; within it its states may be an arm's own.
        silent: arms that are asked by choice alone; the others also answer questions of
            `FREE_POOLS` without options, in a fact's first phrasing.
    """

    name: str
    questions: Sequence[AskedQuestion]
    prompts: Sequence[str]
    read_outs: Mapping[str, ReadOut]
    silent: frozenset[str] = frozenset()
    asked: Callable[[], AbstractContextManager[object]] = nullcontext

    @property
    def file_name(self) -> str:
        """With the arms in it: files that lack an arm's answers are another group's."""
        arms = "\n".join(self.read_outs)
        return f"{self.name}-{hashlib.sha256(arms.encode()).hexdigest()[:8]}"


@dataclass(frozen=True)
class ArmAnswers:
    """An arm's answers to the questions it was asked.

    Attributes:
        questions: what was asked; all else is in their order.
        scores: for each question, the (options,) log-probabilities in nats.
        generated: free answer to each question; None where none was asked for.
        prompts: what the model read.
        cited: for each question, the facts that the arm was given.
        milliseconds: reading and scoring time a question.
        tokens: prompt tokens a question.
    """

    questions: Sequence[AskedQuestion]
    scores: Sequence[np.ndarray]
    generated: Sequence[str | None]
    prompts: Sequence[str]
    cited: Sequence[Sequence[str]]
    milliseconds: float | None = None
    tokens: float | None = None


def answer_group(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    group: ArmGroup,
    settings: EvalTable,
    folder: Path,
    console: Console,
) -> dict[str, ArmAnswers]:
    """Ask a group's questions of each of its arms; what `folder` holds already isn't asked again.

    Questions go in the order of their prompts, so that those that begin alike are read together.
    """
    folder.mkdir(parents=True, exist_ok=True)
    order = sorted(range(len(group.prompts)), key=lambda number: (group.prompts[number], number))
    names = " and ".join(group.read_outs)
    parts = []
    with console.progress(f"asking {names}", len(order), "questions") as advance:
        for start in range(0, len(order), QUESTIONS_AT_ONCE):
            numbers = order[start : start + QUESTIONS_AT_ONCE]
            path = folder / f"{group.file_name}-{start}.parquet"
            if path.exists():
                advance(len(numbers))
            else:
                posed = [_posed(group, number) for number in numbers]
                with group.asked():
                    answered = answer_questions(
                        model,
                        tokenizer,
                        posed,
                        list(group.read_outs.values()),
                        settings.max_new_tokens,
                        settings.batch_tokens,
                        advance,
                        [place for place, arm in enumerate(group.read_outs) if arm in group.silent],
                    )
                rows = [
                    {
                        "arm": arm,
                        "number": number,
                        "scores": of.scores.tolist(),
                        "generated": of.text,
                        "tokens": of.tokens,
                        "seconds": of.seconds,
                    }
                    for arm, given in zip(group.read_outs, answered, strict=True)
                    for number, of in zip(numbers, given, strict=True)
                ]
                _write(path, pa.Table.from_pylist(rows, schema=PART_SCHEMA))
            parts.append(pq.read_table(path))
    return _by_arm(group, parts)


def joined(first: ArmAnswers, second: ArmAnswers) -> ArmAnswers:
    """An arm's answers to two sets of questions; costs are those of the first."""
    return replace(
        first,
        questions=[*first.questions, *second.questions],
        scores=[*first.scores, *second.scores],
        generated=[*first.generated, *second.generated],
        prompts=[*first.prompts, *second.prompts],
        cited=[*first.cited, *second.cited],
    )


def without_words(questions: Sequence[AskedQuestion], scores: Sequence[np.ndarray]) -> ArmAnswers:
    """Answers of an arm that only scores options."""
    prompts = [question.prompt for question in questions]
    nothing: list[str | None] = [None] * len(questions)
    return ArmAnswers(questions, scores, nothing, prompts, [()] * len(questions))


def _posed(group: ArmGroup, number: int) -> Posed:
    question = group.questions[number]
    freely = question.pool in FREE_POOLS and not question.again
    return Posed(group.prompts[number], question.options, number, freely)


def _write(path: Path, table: pa.Table) -> None:
    """A file that exists is whole."""
    unfinished = path.with_suffix(".unfinished")
    pq.write_table(table, unfinished)
    os.replace(unfinished, path)


def _by_arm(group: ArmGroup, parts: Sequence[pa.Table]) -> dict[str, ArmAnswers]:
    rows = pa.concat_tables(parts).to_pylist() if parts else []
    answers = {}
    for arm in group.read_outs:
        own = sorted((row for row in rows if row["arm"] == arm), key=lambda row: row["number"])
        seconds = sum(row["seconds"] for row in own)
        answers[arm] = ArmAnswers(
            questions=group.questions,
            scores=[np.array(row["scores"]) for row in own],
            generated=[row["generated"] for row in own],
            prompts=group.prompts,
            cited=[()] * len(own),
            milliseconds=1000 * seconds / len(own) if own else None,
            tokens=float(np.mean([row["tokens"] for row in own])) if own else None,
        )
    return answers
