"""What the teacher would answer, computed once: its top-k next-token chances on the answer tokens.

Context distillation (Askell et al. 2021; Snell et al. 2022): the teacher reads the graph's facts
before the question, the student doesn't. Beyond the k likeliest tokens one bucket keeps the rest of
the mass, so the distributions stay whole and a place costs 2·k+1 numbers instead of the vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from transformers import PreTrainedTokenizerBase
from transformers.modeling_utils import PreTrainedModel

from .language_model_loss import hidden_states, output_logits
from .option_scoring import PLACES_AT_ONCE, tree_states
from .option_tree import merge_sequences, shared_length
from .token_batches import TokenBatch, TokenRow, collate_rows


@dataclass(frozen=True)
class Lesson:
    """One context with the questions asked about it.

    Attributes:
        context: text that only the teacher reads, before each question; may be empty.
        prompts: the questions' prompts.
        answers: the answer to each, without its leading space.
        weight: share of the teacher's distribution in the loss, 0 to 1; the hard answer has the rest.
    """

    context: str
    prompts: tuple[str, ...]
    answers: tuple[str, ...]
    weight: float = 1.0


@dataclass(frozen=True)
class TaughtRow:
    """One question for the student. Shapes: A answer tokens (with the line end), k kept tokens.

    Attributes:
        tokens: the student's prompt and answer.
        answer_start: index of the first answer token.
        kept: (A, k) token ids of the teacher's k likeliest next tokens.
        chances: (A, k) their natural-log probabilities at the distillation temperature.
        weight: the lesson's.
    """

    tokens: tuple[int, ...]
    answer_start: int
    kept: np.ndarray
    chances: np.ndarray
    weight: float

    def __len__(self) -> int:
        return len(self.tokens)


def cache_teacher(
    teacher: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    lessons: Sequence[Lesson],
    temperature: float,
    top_k: int,
    batch_tokens: int,
    advance: Callable[[int], None],
) -> list[TaughtRow]:
    """The teacher's distributions on every lesson; a context is read once for all its questions.

    Args:
        teacher: reads context, question and answer (teacher forcing).
        tokenizer: shared by teacher and student.
        lessons: contexts with questions and answers.
        temperature: softens the teacher's distribution; the loss must use the same.
        top_k: tokens kept at each place.
        batch_tokens: padded tokens of one forward pass.
        advance: called with the number of lessons just done.
    """
    rows: list[list[tuple[int, ...]]] = []
    starts: list[list[int]] = []
    trees = []
    for lesson in lessons:
        told, told_starts = _encode(tokenizer, lesson, lesson.context)
        asked, asked_starts = _encode(tokenizer, lesson, "")
        trees.append(merge_sequences(told, told_starts))
        rows.append(asked)
        starts.append(asked_starts)
    states = tree_states(teacher, trees, batch_tokens, advance)
    kept, chances = _top_chances(teacher, states.positions.hidden, temperature, top_k)
    row_of = {
        (tree, node): row
        for tree, node, row in zip(
            states.scored_tree.tolist(),
            states.scored_node.tolist(),
            states.scored_row.tolist(),
            strict=True,
        )
    }
    taught = []
    for number, tree in enumerate(trees):
        for path, tokens, start in zip(tree.paths, rows[number], starts[number], strict=True):
            places = [row_of[number, node] for node in path]
            weight = lessons[number].weight
            taught.append(TaughtRow(tokens, start, kept[places], chances[places], weight))
    return taught


def _encode(
    tokenizer: PreTrainedTokenizerBase, lesson: Lesson, context: str
) -> tuple[list[tuple[int, ...]], list[int]]:
    """Token ids of context + prompt + answer + line end, and where each answer starts."""
    sequences, starts = [], []
    for prompt, answer in zip(lesson.prompts, lesson.answers, strict=True):
        alone = tokenizer(context + prompt)["input_ids"]
        whole = tokenizer(f"{context}{prompt} {answer}\n")["input_ids"]
        sequences.append(tuple(whole))
        starts.append(shared_length(alone, whole))
    return sequences, starts


@torch.inference_mode()
def _top_chances(
    model: PreTrainedModel, hidden: Tensor, temperature: float, top_k: int
) -> tuple[np.ndarray, np.ndarray]:
    """(P, k) ids and log-probabilities of the likeliest tokens after each of P places."""
    kept, chances = [], []
    for part in hidden.split(PLACES_AT_ONCE):
        table = (output_logits(model, part) / temperature).log_softmax(-1)
        best = table.topk(top_k, dim=-1)
        kept.append(best.indices.to(torch.int32).numpy())
        chances.append(best.values.numpy())
    return np.concatenate(kept), np.concatenate(chances)


@dataclass(frozen=True)
class TaughtBatch:
    """Rows for the student. Shapes: B rows, T tokens, N answer places in all, k kept tokens.

    Attributes:
        texts: (B, T) tokens; weight 1 on answer tokens.
        kept: (N, k) teacher's token ids.
        chances: (N, k) teacher's log-probabilities.
        weights: (N,) share of the teacher's distribution in the loss.
    """

    texts: TokenBatch
    kept: Tensor
    chances: Tensor
    weights: Tensor


def collate_taught(rows: Sequence[TaughtRow], padding: int) -> TaughtBatch:
    """Pad rows to one length and join their answer places in order."""
    texts = collate_rows(
        [
            TokenRow(
                row.tokens, tuple(float(place >= row.answer_start) for place in range(len(row)))
            )
            for row in rows
        ],
        padding,
    )
    kept = torch.from_numpy(np.concatenate([row.kept for row in rows]).astype(np.int64))
    chances = torch.from_numpy(np.concatenate([row.chances for row in rows]))
    weights = torch.cat([torch.full((len(row.kept),), row.weight) for row in rows])
    return TaughtBatch(texts, kept, chances, weights)


def distillation_loss(model: PreTrainedModel, batch: TaughtBatch, temperature: float) -> Tensor:
    """τ² · KL(teacher ‖ student) on answer tokens, mixed with cross-entropy on the answers.

    loss = mean over answer tokens of  w · τ² · Σ_{b} t_b (log t_b − log s_b) − (1 − w) · log p(answer)
    over the k kept tokens and the tail bucket (Hinton et al. 2015; τ² keeps the gradients' scale).

    Args:
        model: the student.
        batch: the student's texts with the teacher's distributions and their weights w.
        temperature: τ, the one that the cache was made with.
    """
    place = batch.texts.weights[:, 1:] > 0
    logits = output_logits(model, hidden_states(model, batch.texts)[:, :-1][place])
    student = (logits / temperature).log_softmax(-1).gather(1, batch.kept)
    teacher = torch.cat([batch.chances, tail_log_mass(batch.chances)], dim=1)
    student = torch.cat([student, tail_log_mass(student)], dim=1)
    divergence = (teacher.exp() * (teacher - student)).sum(dim=1) * temperature**2
    answer = functional.cross_entropy(logits, batch.texts.tokens[:, 1:][place], reduction="none")
    return (batch.weights * divergence + (1 - batch.weights) * answer).mean()


def tail_log_mass(chances: Tensor) -> Tensor:
    """(N, 1) log of the probability that the (N, k) kept log-probabilities leave over."""
    kept = chances.exp().sum(dim=1, keepdim=True)
    return (1 - kept).clamp(min=1e-6).log()
