"""Pseudo-log-likelihood of statements under a masked language model, within words left to right.

Each token of a statement is masked in turn, together with the rest of its word, so that a word's
later pieces don't give its earlier ones away (Kauf & Ivanova 2023; Salazar et al. 2020 before it):

    score(x) = Σ_t log p(x_t | x without x_t and the later tokens of its word)

Only the masked place's logits are computed: the output head, more than half of a small encoder's
work, sees one place of a row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase
from transformers.modeling_utils import PreTrainedModel


@dataclass(frozen=True)
class MaskedRow:
    """One scored token: `tokens` with it and the rest of its word masked; it stood at `place`."""

    tokens: tuple[int, ...]
    place: int
    target: int

    def __len__(self) -> int:
        return len(self.tokens)


def masked_rows(
    tokenizer: PreTrainedTokenizerBase, statement: str, context: str = ""
) -> list[MaskedRow]:
    """A row for each token of `statement` that isn't special; `context` before it is read, not scored."""
    encoded = tokenizer(
        context + statement, return_special_tokens_mask=True, return_offsets_mapping=True
    )
    tokens, words = list(encoded["input_ids"]), encoded.word_ids()
    scored = [
        place
        for place, (special, (_, end)) in enumerate(
            zip(encoded["special_tokens_mask"], encoded["offset_mapping"], strict=True)
        )
        if not special and end > len(context)
    ]
    rows = []
    for place in scored:
        hidden = {later for later in scored if later >= place and words[later] == words[place]}
        masked = [
            int(tokenizer.mask_token_id) if spot in hidden else token
            for spot, token in enumerate(tokens)
        ]
        rows.append(MaskedRow(tuple(masked), place, tokens[place]))
    return rows


def pseudo_log_likelihoods(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    statements: Sequence[Sequence[str]],
    contexts: Sequence[str],
    batch_tokens: int,
) -> list[np.ndarray]:
    """For each group of statements, the (statements,) pseudo-log-likelihoods in nats.

    Args:
        model: a masked language model.
        tokenizer: its tokenizer, a fast one: words and offsets are needed.
        statements: groups of whole texts, a group for each question.
        contexts: for each group, what the model reads before it; may be empty.
        batch_tokens: padded tokens of one forward pass.
    """
    rows: list[MaskedRow] = []
    owners: list[tuple[int, int]] = []
    for group, (texts, context) in enumerate(zip(statements, contexts, strict=True)):
        for number, text in enumerate(texts):
            found = masked_rows(tokenizer, text, context)
            rows += found
            owners += [(group, number)] * len(found)
    scores = [np.zeros(len(texts)) for texts in statements]
    order = sorted(range(len(rows)), key=lambda row: len(rows[row]))
    for numbers in _batches(rows, order, batch_tokens):
        chances = _masked_log_probabilities(model, tokenizer, [rows[number] for number in numbers])
        for number, score in zip(numbers, chances.tolist(), strict=True):
            group, own = owners[number]
            scores[group][own] += score
    return scores


def _batches(
    rows: Sequence[MaskedRow], order: Sequence[int], batch_tokens: int
) -> Iterator[list[int]]:
    """Numbers in `order` (shortest first), each batch at most `batch_tokens` with padding."""
    batch: list[int] = []
    for number in order:
        if batch and len(rows[number]) * (len(batch) + 1) > batch_tokens:
            yield batch
            batch = []
        batch.append(number)
    if batch:
        yield batch


@torch.inference_mode()
def _masked_log_probabilities(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, rows: Sequence[MaskedRow]
) -> Tensor:
    """(B,) log-probability of each row's target at its place."""
    length = max(len(row) for row in rows)
    tokens = torch.full((len(rows), length), tokenizer.pad_token_id or 0)
    mask = torch.zeros(len(rows), length, dtype=torch.long)
    for number, row in enumerate(rows):
        tokens[number, : len(row)] = torch.tensor(row.tokens)
        mask[number, : len(row)] = 1
    places = torch.tensor([row.place for row in rows])
    targets = torch.tensor([row.target for row in rows])
    with _head_sees(model, places):
        logits = model(input_ids=tokens, attention_mask=mask).logits[:, 0]
    return logits.float().log_softmax(-1).gather(1, targets[:, None]).squeeze(1)


@contextmanager
def _head_sees(model: PreTrainedModel, places: Tensor) -> Iterator[None]:
    """Within, the model's head reads one place of each row: (B, T, D) hidden states become (B, 1, D)."""

    def keep(module: nn.Module, given: object, output: Any) -> Any:  # a tuple or a ModelOutput
        hidden = output[0]
        kept = hidden[torch.arange(len(hidden)), places][:, None]
        if isinstance(output, tuple):
            return (kept, *output[1:])
        output["last_hidden_state"] = kept
        return output

    handle = model.base_model.register_forward_hook(keep)
    try:
        yield
    finally:
        handle.remove()
