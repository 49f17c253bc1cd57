"""Greedy free generation in batches, through any read-out, with a key-value cache."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from transformers import DynamicCache, PreTrainedTokenizerBase
from transformers.modeling_utils import PreTrainedModel

from .read_out import Positions, ReadOut, next_token_log_probabilities


@torch.inference_mode()
def generate_greedy(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[str],
    requests: Sequence[int],
    read_out: ReadOut,
    max_new_tokens: int,
    batch_size: int,
    advance: Callable[[int], None],
) -> list[str]:
    """The most likely continuation of each prompt, up to the first line end.

    Args:
        model: an unmodified causal language model.
        tokenizer: its tokenizer.
        prompts: texts to complete.
        requests: for each prompt, the number by which the read-out knows it.
        read_out: turns hidden states into next-token log-probabilities.
        max_new_tokens: tokens at which an answer is cut.
        batch_size: prompts in one pass.
        advance: called with the number of prompts just answered.
    """
    if not prompts:
        return []
    answers = [""] * len(prompts)
    encoded = tokenizer(list(prompts))["input_ids"]
    order = sorted(range(len(prompts)), key=lambda number: len(encoded[number]))
    for start in range(0, len(order), batch_size):
        numbers = order[start : start + batch_size]
        produced = _complete(
            model,
            tokenizer,
            [encoded[number] for number in numbers],
            [requests[number] for number in numbers],
            read_out,
            max_new_tokens,
        )
        for number, tokens in zip(numbers, produced, strict=True):
            text = str(tokenizer.decode(tokens, skip_special_tokens=True))
            answers[number] = text.lstrip().split("\n")[0].strip()
        advance(len(numbers))
    return answers


def _complete(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    encoded: Sequence[Sequence[int]],
    requests: Sequence[int],
    read_out: ReadOut,
    max_new_tokens: int,
) -> list[list[int]]:
    """New token ids for each encoded prompt; finished texts leave the batch."""
    produced: list[list[int]] = [[] for _ in encoded]
    tokens, mask = _left_padded(encoded, tokenizer.pad_token_id or 0)
    alive = torch.arange(len(encoded))
    request = torch.tensor(requests)
    previous = torch.tensor([row[-2] if len(row) > 1 else -1 for row in encoded])
    cache = DynamicCache(config=model.config)
    inputs = tokens
    for _ in range(max_new_tokens):
        positions = (mask.cumsum(1) - 1).clamp(min=0)[:, -inputs.shape[1] :]
        output = model.base_model(
            input_ids=inputs,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
        )
        current = inputs[:, -1]
        places = Positions(output.last_hidden_state[:, -1], current, previous, request[alive])
        own = next_token_log_probabilities(model, places.hidden)
        chosen = read_out(places, own).argmax(dim=-1)
        going = _record(chosen, alive, produced, tokenizer)
        if not going.any():
            break
        if not going.all():
            cache.batch_select_indices(going.nonzero().squeeze(1))
        alive, previous = alive[going], current[going]
        inputs = chosen[going][:, None]
        mask = torch.cat([mask[going], torch.ones(len(alive), 1, dtype=mask.dtype)], dim=1)
    return produced


def _record(
    chosen: Tensor, alive: Tensor, produced: list[list[int]], tokenizer: PreTrainedTokenizerBase
) -> Tensor:
    """Append each chosen token to its text; returns which texts go on (bool, one a live text)."""
    going = torch.ones(len(chosen), dtype=torch.bool)
    for row, (text, token) in enumerate(zip(alive.tolist(), chosen.tolist(), strict=True)):
        ended = token == tokenizer.eos_token_id
        if not ended:
            produced[text].append(token)
            # A line end before any word is layout, not the end of the answer.
            answer = str(tokenizer.decode(produced[text])).lstrip()
            ended = "\n" in answer
        going[row] = not ended
    return going


def _left_padded(encoded: Sequence[Sequence[int]], padding: int) -> tuple[Tensor, Tensor]:
    """(B, T) tokens padded at the left, and their (B, T) attention mask."""
    length = max(len(row) for row in encoded)
    tokens = torch.full((len(encoded), length), padding)
    mask = torch.zeros(len(encoded), length, dtype=torch.long)
    for index, row in enumerate(encoded):
        tokens[index, length - len(row) :] = torch.tensor(row)
        mask[index, length - len(row) :] = 1
    return tokens, mask
