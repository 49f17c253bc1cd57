"""What the teacher would answer, computed once: its top-k next-token chances on the answer tokens.

Context distillation (Askell et al. 2021; Snell et al. 2022): the teacher reads the graph's facts
before the question, the student doesn't. Beyond the k likeliest tokens one bucket keeps the rest of
the mass, so the distributions stay whole and a place costs 2·k+1 numbers instead of the vocabulary.

A causal model is taught an answer in one text with the line end after it. A masked one is taught it in a
text for each of its tokens, masked as when it is asked (`masked_scoring`).
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

from .language_model import kind_of
from .language_model_loss import predicted_logits
from .masked_states import answer_rows, masked_states
from .masked_texts import answer_texts
from .option_scoring import PLACES_AT_ONCE, tree_states
from .option_tree import merge_sequences, shared_length
from .packed_texts import Collate
from .predicted_texts import (
    PredictedBatch,
    PredictedText,
    continued_text,
    in_part,
    predicted_part,
)
from .read_out import next_token_log_probabilities


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
class TaughtText:
    """A text for the student. Shapes: A answer tokens that it predicts, k kept tokens.

    Attributes:
        text: the student's prompt and answer.
        kept: (A, k) token ids of the teacher's k likeliest at each.
        chances: (A, k) their natural-log probabilities at the distillation temperature.
        weight: the lesson's.
    """

    text: PredictedText
    kept: np.ndarray
    chances: np.ndarray
    weight: float

    def __len__(self) -> int:
        return len(self.text)


def cache_teacher(
    teacher: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    lessons: Sequence[Lesson],
    temperature: float,
    top_k: int,
    batch_tokens: int,
    advance: Callable[[int], None],
) -> list[TaughtText]:
    """The teacher's distributions on every lesson, and what the student reads instead.

    Args:
        teacher: reads context, question and answer (teacher forcing).
        tokenizer: shared by teacher and student.
        lessons: contexts with questions and answers.
        temperature: softens the teacher's distribution; the loss must use the same.
        top_k: tokens kept at each place.
        batch_tokens: padded tokens of one forward pass.
        advance: called with the number of lessons just done.
    """
    read = _masked if kind_of(teacher) == "masked" else _continued
    texts, states = read(teacher, tokenizer, lessons, batch_tokens, advance)
    kept, chances = _top_chances(teacher, states, temperature, top_k)
    taught = []
    start = 0
    for lesson, text in texts:
        part = slice(start, start + len(text.places))
        taught.append(TaughtText(text, kept[part], chances[part], lessons[lesson].weight))
        start = part.stop
    return taught


Read = tuple[list[tuple[int, PredictedText]], Tensor]  # each text's lesson; states of all places


def _continued(
    teacher: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    lessons: Sequence[Lesson],
    batch_tokens: int,
    advance: Callable[[int], None],
) -> Read:
    """Of a causal model; a context is read once for all its questions."""
    texts: list[tuple[int, PredictedText]] = []
    trees = []
    for number, lesson in enumerate(lessons):
        trees.append(merge_sequences(*_encode(tokenizer, lesson, lesson.context)))
        for tokens, start in zip(*_encode(tokenizer, lesson, ""), strict=True):
            weights = [float(place >= start) for place in range(len(tokens))]
            texts.append((number, continued_text(tokens, weights)))
    states = tree_states(teacher, trees, batch_tokens, advance)
    row_of = {
        (tree, node): row
        for tree, node, row in zip(
            states.scored_tree.tolist(),
            states.scored_node.tolist(),
            states.scored_row.tolist(),
            strict=True,
        )
    }
    paths = [(number, path) for number, tree in enumerate(trees) for path in tree.paths]
    if [len(path) for _, path in paths] != [len(text.places) for _, text in texts]:
        raise ValueError("an answer is other tokens after the context than without it")
    rows = [row_of[number, node] for number, path in paths for node in path]
    return texts, states.positions.hidden[torch.tensor(rows)]


def _masked(
    teacher: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    lessons: Sequence[Lesson],
    batch_tokens: int,
    advance: Callable[[int], None],
) -> Read:
    """Of a masked model, which looks both ways, so that nothing is read once for all."""
    texts: list[tuple[int, PredictedText]] = []
    told, owners = [], []
    for number, lesson in enumerate(lessons):
        for prompt, answer in zip(lesson.prompts, lesson.answers, strict=True):
            rows = answer_rows(tokenizer, lesson.context + prompt, answer)
            told += rows
            owners += [number] * len(rows)
            texts += [(number, text) for text in answer_texts(tokenizer, prompt, answer)]
    states = masked_states(teacher, told, owners, batch_tokens, advance)
    return texts, states.positions.hidden[states.scored_row]


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
        table = (next_token_log_probabilities(model, part) / temperature).log_softmax(-1)
        best = table.topk(top_k, dim=-1)
        kept.append(best.indices.to(torch.int32).numpy())
        chances.append(best.values.numpy())
    return np.concatenate(kept), np.concatenate(chances)


@dataclass(frozen=True)
class TaughtBatch:
    """Texts for the student. Shapes: N answer tokens in all, k kept tokens.

    Attributes:
        texts: with the answers' tokens to predict.
        kept: (N, k) teacher's token ids.
        chances: (N, k) teacher's log-probabilities.
        weights: (N,) share of the teacher's distribution in the loss.
    """

    texts: PredictedBatch
    kept: Tensor
    chances: Tensor
    weights: Tensor

    def __len__(self) -> int:
        """Rows."""
        return len(self.texts)


def taught_part(batch: TaughtBatch, number: int, count: int) -> TaughtBatch | None:
    """Every `count`-th row from `number` on; None where there is none."""
    texts = predicted_part(batch.texts, number, count)
    if texts is None:
        return None
    kept = in_part(batch.texts, number, count)
    return TaughtBatch(texts, batch.kept[kept], batch.chances[kept], batch.weights[kept])


def collate_taught(taught: Sequence[TaughtText], collate: Collate) -> TaughtBatch:
    """Texts as `collate` lays them out, their answer tokens joined in order."""
    kept = torch.from_numpy(np.concatenate([each.kept for each in taught]).astype(np.int64))
    chances = torch.from_numpy(np.concatenate([each.chances for each in taught]))
    weights = torch.cat([torch.full((len(each.kept),), each.weight) for each in taught])
    return TaughtBatch(collate([each.text for each in taught]), kept, chances, weights)


def distillation_loss(model: PreTrainedModel, batch: TaughtBatch, temperature: float) -> Tensor:
    """τ² · KL(teacher ‖ student) on answer tokens, mixed with cross-entropy on the answers.

    loss = mean over the whole batch's answer tokens of  w · τ² · Σ_{b} t_b (log t_b − log s_b) − (1 − w) · log p(answer)
    over the k kept tokens and the tail bucket (Hinton et al. 2015; τ² keeps the gradients' scale).

    Args:
        model: the student.
        batch: the student's texts with the teacher's distributions and their weights w.
        temperature: τ, the one that the cache was made with.
    """
    texts = batch.texts
    logits = predicted_logits(model, texts)
    student = (logits / temperature).log_softmax(-1).gather(1, batch.kept)
    teacher = torch.cat([batch.chances, tail_log_mass(batch.chances)], dim=1)
    student = torch.cat([student, tail_log_mass(student)], dim=1)
    divergence = (teacher.exp() * (teacher - student)).sum(dim=1) * temperature**2
    answer = functional.cross_entropy(logits, texts.targets, reduction="none")
    mixed = batch.weights * divergence + (1 - batch.weights) * answer
    return mixed.sum() / len(texts.whole.targets)


def tail_log_mass(chances: Tensor) -> Tensor:
    """(N, 1) log of the probability that the (N, k) kept log-probabilities leave over."""
    kept = chances.exp().sum(dim=1, keepdim=True)
    return (1 - kept).clamp(min=1e-6).log()
