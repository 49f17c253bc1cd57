"""What fusion is trained on: questions about practice and taught facts, and all that answers them."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase
from transformers.modeling_utils import PreTrainedModel

from ...errors import UserError
from ...kg.questions.pools import TRAINED
from ...models.low_rank import trained_parameters
from ..arms import augmented
from ..console import Console
from ..fusion_memory import VARIANTS, MemoryWriter, QuestionFacts
from ..stages import StageContext
from .teaching_data import facts_of_pools, training_prompts

Trained = dict[str, object]  # what training.json says of one variant


@dataclass(frozen=True)
class PracticeQuestion:
    """A training prompt, its answer and the relation that it asks.

    Attributes:
        fact: its id.
        swapped: whether the answer is another object, as the graph would have it after an edit.
    """

    fact: str
    prompt: str
    answer: str
    relation: int
    swapped: bool = False


@dataclass(frozen=True)
class UnrelatedText:
    """A text, and the question whose facts are read beside it though they don't bear on it.

    Attributes:
        prompt: its beginning.
        answer: its end, which is predicted.
        reads: whose facts.
        mentioned: the character of the prompt from which on they are read.
        relation: that of no fact; see `PracticeText`.
    """

    prompt: str
    answer: str
    reads: PracticeQuestion
    mentioned: int
    relation: int = -1


@dataclass(frozen=True)
class FusionPractice:
    """What every strategy trains with.

    Attributes:
        base: frozen.
        tokenizer: its tokenizer.
        questions: in the order in which they are kept.
        unrelated: texts that their facts don't bear on.
        writer: of the questions' facts.
        swapped_writer: of those of the questions that are swapped.
        relation_labels: of the graph.
        relation_keys: (relations, D).
        object_vectors: (objects, G).
    """

    base: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    questions: Sequence[PracticeQuestion]
    unrelated: Sequence[UnrelatedText]
    writer: MemoryWriter
    swapped_writer: MemoryWriter
    relation_labels: Sequence[str]
    relation_keys: Tensor
    object_vectors: Tensor

    @property
    def texts(self) -> list[PracticeQuestion | UnrelatedText]:
        """All that is practised: the questions, then the unrelated texts."""
        return [*self.questions, *self.unrelated]

    def writer_of(self, asked: PracticeQuestion) -> MemoryWriter:
        """The writer of a question's facts."""
        return self.swapped_writer if asked.swapped else self.writer

    def prompted(self, asked: PracticeQuestion | UnrelatedText) -> str:
        """A question with its facts as text before it, as the arm with a prompt gets them."""
        if not isinstance(asked, PracticeQuestion):
            return asked.prompt
        writer = self.writer_of(asked)
        (text,), _ = augmented(writer.reader, self.tokenizer, [asked.prompt], writer.max_facts)
        return text

    def facts(self, console: Console) -> list[QuestionFacts]:
        """What each of the texts may read; how much that is, is said."""
        found = [self.writer_of(asked).question_facts(asked.prompt) for asked in self.questions]
        each = np.mean([len(facts.facts) for facts in found])
        predicted = np.mean([sum(fact.weight < 0 for fact in facts.facts) for facts in found])
        of_them = f", {predicted:.1f} of them predicted" if predicted else ""
        beside = f"; {len(self.unrelated)} unrelated texts" if self.unrelated else ""
        console.line(f"{len(found)} practice questions, {each:.1f} facts each{of_them}{beside}")
        if over := [facts.left_out for facts in found if facts.left_out]:
            console.line(
                f"{len(over)} of them have more facts than {self.writer.room}: "
                f"{sum(over)} are left out"
            )
        known = dict(zip(self.questions, found, strict=True))
        return found + [_beside(text, known[text.reads]) for text in self.unrelated]


def _beside(text: UnrelatedText, found: QuestionFacts) -> QuestionFacts:
    """The facts of the question that it reads, from the place on where that is thought to be named."""
    return replace(found, ends=[text.mentioned] * len(found.facts))


@dataclass(frozen=True)
class TrainedVariants:
    """What training.json says, and the seconds that each variant took."""

    record: Mapping[str, Any]
    seconds: Mapping[str, float]


def trained_variants(
    counts: Mapping[str, int], cached: float, train: Callable[[str], Trained]
) -> TrainedVariants:
    """Train the fused arm and its controls, one after the other.

    Args:
        counts: of what all of them are trained on.
        cached: seconds that each would have taken for what was computed once for all.
        train: one variant; it is saved, and what it did is returned.
    """
    record: dict[str, object] = dict(counts)
    seconds = {}
    for variant in VARIANTS:
        started = time.monotonic()
        record[variant] = train(variant)
        seconds[variant] = round(cached + time.monotonic() - started, 2)
    return TrainedVariants(record, seconds)


def variant_record(
    variant: str, fusion: nn.Module, losses: Sequence[float], console: Console
) -> Trained:
    """What training.json says of a variant; its losses are said."""
    console.line(f"{variant}: loss by epoch {', '.join(f'{loss:.3f}' for loss in losses)}")
    return {"losses": losses, "trained_parameters": trained_parameters(fusion)}


def refuse_layers(context: StageContext, where: str) -> None:
    """Raises UserError where the project names blocks for a strategy that reads behind none."""
    settings = context.project.fuse
    if settings.layers:
        raise UserError(
            f"{settings.strategy} fusion reads {where}, and behind no block",
            f"{context.project.file.name}:fuse.layers",
            "Leave it out.",
        )


def refuse_prompted_weight(context: StageContext) -> None:
    """Raises UserError where the project asks a pointer to learn from the base's whole distribution."""
    settings = context.project.fuse
    if settings.prompted_weight:
        raise UserError(
            f"{settings.strategy} fusion learns from the labels of its facts alone",
            f"{context.project.file.name}:fuse.prompted_weight",
            "Leave it out, or take early, interactive or attention fusion.",
        )


def practice_questions(context: StageContext) -> list[PracticeQuestion]:
    """Training prompts of practice and taught facts, `phrasings` of each fact."""
    folder = context.inputs["facts"]
    facts = facts_of_pools(folder, TRAINED)
    prompts = training_prompts(folder, facts)
    chosen: list[PracticeQuestion] = []
    for number, (fact, phrasings) in enumerate(sorted(prompts.items())):
        order = np.random.default_rng([context.seed, 37, number]).permutation(len(phrasings))
        chosen += [
            PracticeQuestion(fact, phrasings[index], facts[fact]["answer"], facts[fact]["relation"])
            for index in order[: context.project.fuse.phrasings]
        ]
    if not chosen:
        raise UserError(
            "there are no practice facts to train fusion on",
            f"{context.project.file.name}:facts.practice",
            "Raise it above 0, or name predicates with more facts.",
        )
    return chosen
