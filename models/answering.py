"""Questions answered in both ways, by choice and freely, from one reading of each prompt.

Neither answer depends on which questions are read together: near ties are decided by a question
alone (see `near_ties`).
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from transformers import PreTrainedTokenizerBase
from transformers.modeling_utils import PreTrainedModel

from .fusion_session import rows_of
from .generation import complete_prompts
from .language_model import kind_of
from .masked_answering import answer_masked_questions
from .near_ties import settle_near_ties
from .option_scoring import option_scores, states_after, tree_states
from .option_tree import OptionTree, beyond_prompt, build_option_tree
from .posed_questions import Answered, Posed, TimedReadOut
from .prompt_reading import WORTH_SHARING, ReadPrompts, keep_prompts, read_prompts
from .read_out import ReadOut

ALIKE = 8  # prompts that begin alike are read together from this many on


@dataclass(frozen=True)
class _Tokenised:
    posed: Posed
    prompt: tuple[int, ...]
    tree: OptionTree


def answer_questions(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    questions: Sequence[Posed],
    read_outs: Sequence[ReadOut],
    max_new_tokens: int,
    batch_tokens: int,
    advance: Callable[[int], None],
    silent: Collection[int] = (),
) -> list[list[Answered]]:
    """For each read-out, its answer to each question.

    A masked model answers by choice alone, each question by itself; see `masked_answering`.

    Args:
        model: an unmodified language model.
        tokenizer: its tokenizer.
        questions: what is asked.
        read_outs: turn hidden states into next-token log-probabilities.
        max_new_tokens: tokens at which a free answer is cut.
        batch_tokens: padded tokens of prompts and options in one pass.
        advance: called with the number of questions just answered.
        silent: places of read-outs that choose among options and write nothing.
    """
    if kind_of(model) == "masked":
        return answer_masked_questions(model, tokenizer, questions, read_outs, advance)
    writers = [arm for arm in range(len(read_outs)) if arm not in silent]
    tokenised = [_tokenise(tokenizer, posed) for posed in questions]
    found: list[list[Answered | None]] = [[None] * len(questions) for _ in read_outs]
    canonical: dict[int, list[np.ndarray]] = {}
    for numbers in _batches(tokenised, batch_tokens):
        batch = [tokenised[number] for number in numbers]
        answers = _answer_batch(model, tokenizer, batch, read_outs, writers, max_new_tokens)
        for arm, of_arm in enumerate(answers):
            for number, answered in zip(numbers, of_arm, strict=True):
                found[arm][number] = answered
        if len(numbers) == 1:
            canonical[numbers[0]] = [of_arm[0].scores for of_arm in answers]
        advance(len(numbers))
    whole = [[answered for answered in of_arm if answered is not None] for of_arm in found]
    return _settled(model, tokenizer, tokenised, read_outs, whole, canonical)


def _settled(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    tokenised: Sequence[_Tokenised],
    read_outs: Sequence[ReadOut],
    answers: Sequence[Sequence[Answered]],
    canonical: dict[int, list[np.ndarray]],
) -> list[list[Answered]]:
    """The answers, with the canonical scores of questions whose two best options nearly tie.

    `canonical` holds each read-out's scores of questions that were alone in their batch already.
    """
    questions = len(tokenised)

    def alone(place: int) -> np.ndarray:
        arm, number = divmod(place, questions)
        if number not in canonical:
            item = tokenised[number]
            read = _read(model, tokenizer, [item])
            canonical[number] = [own[0] for own in _choices(model, [item], read, read_outs)]
        return canonical[number][arm]

    scores = [answered.scores for of_arm in answers for answered in of_arm]
    settled = iter(settle_near_ties(scores, alone, model.dtype))
    return [[replace(answered, scores=next(settled)) for answered in of_arm] for of_arm in answers]


def _tokenise(tokenizer: PreTrainedTokenizerBase, posed: Posed) -> _Tokenised:
    prompt = tuple(tokenizer(posed.prompt)["input_ids"])
    return _Tokenised(posed, prompt, build_option_tree(tokenizer, posed.prompt, posed.options))


def _batches(tokenised: Sequence[_Tokenised], batch_tokens: int) -> Iterator[list[int]]:
    """Question numbers, those whose prompts begin alike together, else by length."""
    beginnings = Counter(item.prompt[:WORTH_SHARING] for item in tokenised)

    def key(number: int) -> tuple[tuple[int, ...], int, int]:
        item = tokenised[number]
        beginning = item.prompt[:WORTH_SHARING]
        alike = beginnings[beginning] >= ALIKE and len(beginning) == WORTH_SHARING
        return (beginning if alike else (), -len(item.tree), number)

    batch: list[int] = []
    for number in sorted(range(len(tokenised)), key=key):
        full = batch and len(tokenised[batch[0]].tree) * (len(batch) + 1) > batch_tokens
        if batch and (full or key(batch[0])[0] != key(number)[0]):
            yield batch
            batch = []
        batch.append(number)
    if batch:
        yield batch


def _answer_batch(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    batch: Sequence[_Tokenised],
    read_outs: Sequence[ReadOut],
    writers: Sequence[int],
    max_new_tokens: int,
) -> list[list[Answered]]:
    started = time.monotonic()
    timed = [TimedReadOut(read_out) for read_out in read_outs]
    read = _read(model, tokenizer, batch)
    scores = _choices(model, batch, read, timed)
    shared = time.monotonic() - started - sum(arm.seconds for arm in timed)
    texts: list[list[str | None]] = [[None] * len(batch) for _ in read_outs]
    free = [place for place, item in enumerate(batch) if item.posed.freely]
    if free and writers:
        requests = torch.tensor([batch[place].posed.request for place in free])
        kept = keep_prompts(read, free)
        pens = [read_outs[arm] for arm in writers]
        said = complete_prompts(model, tokenizer, kept, requests, pens, max_new_tokens)
        for arm, written in zip(writers, said, strict=True):
            for place, text in zip(free, written, strict=True):
                texts[arm][place] = text
    return [
        [
            Answered(score, text, len(item.prompt), (shared + arm.seconds) / len(batch))
            for score, text, item in zip(arm_scores, arm_texts, batch, strict=True)
        ]
        for arm, arm_scores, arm_texts in zip(timed, scores, texts, strict=True)
    ]


def _read(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, batch: Sequence[_Tokenised]
) -> ReadPrompts:
    with rows_of(torch.tensor([item.posed.request for item in batch])):
        return read_prompts(model, [item.prompt for item in batch], tokenizer.pad_token_id or 0)


def _choices(
    model: PreTrainedModel,
    batch: Sequence[_Tokenised],
    read: ReadPrompts,
    read_outs: Sequence[ReadOut],
) -> list[list[np.ndarray]]:
    """For each read-out and question, its options' scores."""
    requests = torch.tensor([item.posed.request for item in batch])
    after = [beyond_prompt(item.tree, item.prompt) for item in batch]
    trees = [tree for tree in after if tree is not None]
    if len(trees) == len(batch):
        states = states_after(model, read, trees, requests)
        return option_scores(model, states, trees, read_outs)
    # A tokenizer that joins prompt and option leaves no prompt to go on from.
    whole = [item.tree for item in batch]
    states = tree_states(model, whole, sum(map(len, whole)), lambda done: None, requests)
    return option_scores(model, states, whole, read_outs)
