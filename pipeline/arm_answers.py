"""One model, several arms: scores, free answers and drift, sharing what the arms have in common."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from torch import Tensor
from transformers import PreTrainedTokenizerBase
from transformers.modeling_utils import PreTrainedModel

from ..kg.answer_matching import matches_any
from ..models.generation import generate_greedy
from ..models.option_scoring import option_scores, tree_states
from ..models.option_tree import build_option_tree
from ..models.read_out import Positions, ReadOut
from .asked_questions import AskedQuestion
from .console import Console
from .settings import EvalTable

GENERATION_BATCH = 48

ANSWERS_SCHEMA = pa.schema(
    [
        ("arm", pa.string()),
        ("seed", pa.int32()),
        ("pool", pa.string()),
        ("fact", pa.string()),
        ("template", pa.string()),
        ("cluster", pa.string()),
        ("relation_label", pa.string()),
        ("subject_label", pa.string()),
        ("prompt", pa.string()),
        ("options", pa.list_(pa.string())),
        ("scores", pa.list_(pa.float32())),
        ("chosen", pa.int32()),
        ("correct", pa.int32()),
        ("right", pa.bool_()),
        ("generated", pa.string()),
        ("generated_right", pa.bool_()),
        ("cited", pa.list_(pa.string())),
    ]
)


@dataclass
class TimedReadOut:
    """A read-out that adds up the seconds it takes."""

    read_out: ReadOut
    seconds: float = 0.0

    def __call__(self, positions: Positions, own: Tensor) -> Tensor:
        started = time.monotonic()
        table = self.read_out(positions, own)
        self.seconds += time.monotonic() - started
        return table


@dataclass(frozen=True)
class ArmAnswers:
    """An arm's answers to the questions it was asked.

    Attributes:
        scores: for each question, the (options,) log-probabilities in nats.
        generated: free answer to each question; None where none was asked for.
        prompts: what the model read.
        cited: for each question, the facts that the arm was given.
        milliseconds: scoring time a question.
        tokens: prompt tokens a question.
    """

    scores: Sequence[np.ndarray]
    generated: Sequence[str | None]
    prompts: Sequence[str]
    cited: Sequence[Sequence[str]] = field(default_factory=tuple)
    milliseconds: float | None = None
    tokens: float | None = None


def answer_arms(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    questions: Sequence[AskedQuestion],
    prompts: Sequence[str],
    read_outs: Mapping[str, ReadOut],
    settings: EvalTable,
    console: Console,
) -> dict[str, ArmAnswers]:
    """Ask `questions`, worded as `prompts`, of every arm that reads `model`'s states.

    A read-out's request number is the place of the question in `prompts`.
    """
    names = " and ".join(read_outs)
    trees = [
        build_option_tree(tokenizer, prompt, question.options)
        for prompt, question in zip(prompts, questions, strict=True)
    ]
    timed = {name: TimedReadOut(read_out) for name, read_out in read_outs.items()}
    started = time.monotonic()
    with console.progress(f"scoring {names}", len(trees), "questions") as advance:
        states = tree_states(model, trees, settings.batch_tokens, advance)
    scores = option_scores(model, states, trees, list(timed.values()))
    shared = time.monotonic() - started - sum(arm.seconds for arm in timed.values())
    free = [number for number, question in enumerate(questions) if asked_freely(question)]
    lengths = [len(tokens) for tokens in tokenizer(list(prompts))["input_ids"]]
    with console.progress(f"free answers of {names}", len(free), "questions") as advance:
        texts = generate_greedy(
            model,
            tokenizer,
            [prompts[number] for number in free],
            free,
            list(read_outs.values()),
            settings.max_new_tokens,
            GENERATION_BATCH,
            advance,
        )
    answers = {}
    for (name, arm), arm_scores, arm_texts in zip(timed.items(), scores, texts, strict=True):
        generated: list[str | None] = [None] * len(prompts)
        for number, text in zip(free, arm_texts, strict=True):
            generated[number] = text
        answers[name] = ArmAnswers(
            arm_scores,
            generated,
            prompts,
            [()] * len(prompts),
            1000 * (shared + arm.seconds) / max(1, len(prompts)),
            float(np.mean(lengths)) if lengths else None,
        )
    return answers


def asked_freely(question: AskedQuestion) -> bool:
    """Pools T and M are also answered without options."""
    return question.pool in ("T", "M")


def answer_rows(
    arm: str, seed: int, questions: Sequence[AskedQuestion], answers: ArmAnswers
) -> list[dict[str, object]]:
    """The arm's rows of answers.parquet."""
    rows: list[dict[str, object]] = []
    for number, question in enumerate(questions):
        scores, generated = answers.scores[number], answers.generated[number]
        chosen = int(np.argmax(scores))
        rows.append(
            {
                "arm": arm,
                "seed": seed,
                "pool": question.pool,
                "fact": question.fact,
                "template": question.template,
                "cluster": question.cluster,
                "relation_label": question.relation_label,
                "subject_label": question.subject_label,
                "prompt": answers.prompts[number],
                "options": list(question.options),
                "scores": [float(score) for score in scores],
                "chosen": chosen,
                "correct": question.correct,
                "right": chosen == question.correct,
                "generated": generated,
                "generated_right": (
                    None if generated is None else matches_any(generated, question.aliases)
                ),
                "cited": list(answers.cited[number]) if answers.cited else [],
            }
        )
    return rows
