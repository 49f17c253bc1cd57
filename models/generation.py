"""Greedy free generation in batches, through any read-outs, with a key-value cache."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase
from transformers.modeling_utils import PreTrainedModel

from .prompt_reading import ReadPrompts, last_states, read_prompts
from .read_out import Positions, ReadOut, next_token_log_probabilities


@dataclass
class _Live:
    """The texts still being written. Shapes: R texts, T cached places, D hidden width.

    Attributes:
        text: (R,) number of the text; a prompt's texts, one a read-out, follow each other.
        mask: (R, T) attention mask of what is cached.
        current, previous: (R,) the last two token ids; -1 before the start.
        hidden: (R, D) final hidden state at the last place.
    """

    text: Tensor
    mask: Tensor
    current: Tensor
    previous: Tensor
    hidden: Tensor


@torch.inference_mode()
def generate_greedy(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[str],
    requests: Sequence[int],
    read_outs: Sequence[ReadOut],
    max_new_tokens: int,
    batch_size: int,
    advance: Callable[[int], None],
) -> list[list[str]]:
    """Each read-out's most likely continuation of each prompt, up to the first line end.

    A prompt is read once for all read-outs, and their answers are written in one batch.

    Args:
        model: an unmodified causal language model.
        tokenizer: its tokenizer.
        prompts: texts to complete.
        requests: for each prompt, the number by which the read-outs know it.
        read_outs: turn hidden states into next-token log-probabilities.
        max_new_tokens: tokens at which an answer is cut.
        batch_size: prompts in one pass.
        advance: called with the number of prompts just answered.

    Returns:
        For each read-out, the answer to each prompt.
    """
    answers = [[""] * len(prompts) for _ in read_outs]
    encoded = tokenizer(list(prompts))["input_ids"] if prompts else []
    order = sorted(range(len(prompts)), key=lambda number: len(encoded[number]))
    for start in range(0, len(order), batch_size):
        numbers = order[start : start + batch_size]
        read = read_prompts(model, [encoded[n] for n in numbers], tokenizer.pad_token_id or 0)
        asked = torch.tensor([requests[number] for number in numbers])
        found = complete_prompts(model, tokenizer, read, asked, read_outs, max_new_tokens)
        for arm, texts in enumerate(found):
            for number, text in zip(numbers, texts, strict=True):
                answers[arm][number] = text
        advance(len(numbers))
    return answers


@torch.inference_mode()
def complete_prompts(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    read: ReadPrompts,
    requests: Tensor,
    read_outs: Sequence[ReadOut],
    max_new_tokens: int,
) -> list[list[str]]:
    """For each read-out, its answer to each of B prompts that were read; uses up their cache.

    Args:
        model: an unmodified causal language model.
        tokenizer: its tokenizer.
        read: the prompts.
        requests: (B,) number by which read-outs know each.
        read_outs: turn hidden states into next-token log-probabilities.
        max_new_tokens: tokens at which an answer is cut.
    """
    arms = len(read_outs)
    produced: list[list[int]] = [[] for _ in range(len(requests) * arms)]
    cache = read.cache
    cache.batch_repeat_interleave(arms)
    parts = (read.mask, read.current, read.previous, read.hidden)
    live = _Live(torch.arange(len(produced)), *(part.repeat_interleave(arms, 0) for part in parts))
    for step in range(max_new_tokens):
        chosen = _choose(model, live, requests, read_outs)
        going = _record(chosen, live.text, produced, tokenizer)
        if not going.any() or step == max_new_tokens - 1:
            break
        if not going.all():
            cache.batch_select_indices(going.nonzero().squeeze(1))
        mask = nn.functional.pad(live.mask[going], (0, 1), value=1)
        tokens = chosen[going]
        hidden = last_states(model, tokens[:, None], mask, cache)
        live = _Live(live.text[going], mask, tokens, live.current[going], hidden)
    texts = [_answer(tokenizer, tokens) for tokens in produced]
    return [texts[arm::arms] for arm in range(arms)]


def _answer(tokenizer: PreTrainedTokenizerBase, tokens: list[int]) -> str:
    """The first line that isn't empty."""
    text = str(tokenizer.decode(tokens, skip_special_tokens=True))
    return text.lstrip().split("\n")[0].strip()


def _choose(
    model: PreTrainedModel, live: _Live, requests: Tensor, read_outs: Sequence[ReadOut]
) -> Tensor:
    """(R,) likeliest next token of each text by its read-out."""
    own = next_token_log_probabilities(model, live.hidden)
    request = requests[live.text // len(read_outs)]
    places = Positions(live.hidden, live.current, live.previous, request)
    chosen = torch.empty_like(live.current)
    for arm, read_out in enumerate(read_outs):
        rows = (live.text % len(read_outs) == arm).nonzero().squeeze(1)
        if len(rows):
            chosen[rows] = read_out(places.select(rows), own[rows]).argmax(dim=-1)
    return chosen


def _record(
    chosen: Tensor, live: Tensor, produced: list[list[int]], tokenizer: PreTrainedTokenizerBase
) -> Tensor:
    """Append each chosen token to its text; returns which texts go on (bool, one a live text)."""
    going = torch.ones(len(chosen), dtype=torch.bool)
    for row, (text, token) in enumerate(zip(live.tolist(), chosen.tolist(), strict=True)):
        ended = token == tokenizer.eos_token_id
        if not ended:
            produced[text].append(token)
            # A line end before any word is layout, not the end of the answer.
            answer = str(tokenizer.decode(produced[text])).lstrip()
            ended = "\n" in answer
        going[row] = not ended
    return going
