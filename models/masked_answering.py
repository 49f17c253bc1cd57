"""Questions answered by choice under a masked language model.

An option's score is its pseudo-log-likelihood after the prompt, within words from left to right, as
`masked_scoring` has it: each of its tokens is masked in turn with the rest of its word, so that options
of few and of many pieces compare fairly. Each question is scored alone, in passes of one size, so that
no score depends on what else is asked. Nothing is written freely: a masked model has no way to begin.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
from transformers import PreTrainedTokenizerBase
from transformers.modeling_utils import PreTrainedModel

from .masked_states import answer_rows, masked_states
from .near_ties import CANONICAL_TOKENS
from .option_scoring import scored_log_probabilities
from .posed_questions import Answered, Posed, TimedReadOut
from .read_out import ReadOut


def answer_masked_questions(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    questions: Sequence[Posed],
    read_outs: Sequence[ReadOut],
    advance: Callable[[int], None],
) -> list[list[Answered]]:
    """Each read-out's answers to the questions, in their order.

    Args:
        model: a masked language model.
        tokenizer: its tokenizer, a fast one.
        questions: what is asked.
        read_outs: turn states into log-probabilities of the masked token.
        advance: called with the number of questions just answered.
    """
    found: list[list[Answered]] = [[] for _ in read_outs]
    for posed in questions:
        for of_arm, answered in zip(
            found, _answered(model, tokenizer, posed, read_outs), strict=True
        ):
            of_arm.append(answered)
        advance(1)
    return found


def _answered(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    posed: Posed,
    read_outs: Sequence[ReadOut],
) -> list[Answered]:
    started = time.monotonic()
    timed = [TimedReadOut(read_out) for read_out in read_outs]
    rows = [answer_rows(tokenizer, posed.prompt, option) for option in posed.options]
    flat = [row for of_option in rows for row in of_option]
    option = [number for number, of_option in enumerate(rows) for _ in of_option]
    requests = [posed.request] * len(flat)
    states = masked_states(model, flat, requests, CANONICAL_TOKENS, lambda done: None)
    tables = scored_log_probabilities(model, states, timed)
    shared = time.monotonic() - started - sum(arm.seconds for arm in timed)
    tokens = len(tokenizer(posed.prompt)["input_ids"])
    return [
        Answered(
            np.bincount(option, weights=chances.double().numpy(), minlength=len(rows)),
            None,
            tokens,
            shared + arm.seconds,
        )
        for arm, chances in zip(timed, tables, strict=True)
    ]
