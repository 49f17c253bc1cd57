"""Pseudo-log-likelihood of statements under a masked language model, within words left to right.

Each token of a statement is masked in turn, together with the rest of its word, so that a word's
later pieces don't give its earlier ones away (Kauf & Ivanova 2023; Salazar et al. 2020 before it):

    score(x) = Σ_t log p(x_t | x without x_t and the later tokens of its word)

Attention looks both ways, so nothing before the options can be computed once for all. What can: rows
that are the same once a word is masked, which is every option of one word and as many pieces; rows of
one length, which need no padding; and the places that no score is read from (see `masked_places`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase
from transformers.modeling_utils import PreTrainedModel

from .masked_places import logits_at
from .near_ties import CANONICAL_TOKENS, settle_near_ties
from .option_rows import batches_of_rows

BLOT = "\N{FULL BLOCK}"  # of no word


@dataclass(frozen=True)
class MaskedRow:
    """One scored token: `tokens` with it and the rest of its word masked; it stood at `place`."""

    tokens: tuple[int, ...]
    place: int
    target: int


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


def visible_text(tokenizer: PreTrainedTokenizerBase, text: str, row: MaskedRow) -> str:
    """The text of a row with every masked character blotted out, the others in their places.

    What a model may be told beside a masked text is what the rest of it calls for: a mention that a
    mask overlaps is no longer one.
    """
    seen = list(text)
    offsets = tokenizer(text, return_offsets_mapping=True)["offset_mapping"]
    for token, (start, end) in zip(row.tokens, offsets, strict=True):
        if token == tokenizer.mask_token_id:
            seen[start:end] = BLOT * (end - start)
    return "".join(seen)


def pseudo_log_likelihoods(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    statements: Sequence[Sequence[str]],
    contexts: Sequence[str],
    batch_tokens: int,
) -> list[np.ndarray]:
    """For each group of statements, the (statements,) pseudo-log-likelihoods in nats.

    Which statement scores highest doesn't depend on how groups are batched; see `near_ties`.

    Args:
        model: a masked language model.
        tokenizer: its tokenizer, a fast one: words and offsets are needed.
        statements: groups of whole texts, a group for each question.
        contexts: for each group, what the model reads before it; may be empty.
        batch_tokens: padded tokens of one forward pass.
    """
    groups = [
        [masked_rows(tokenizer, text, context) for text in texts]
        for texts, context in zip(statements, contexts, strict=True)
    ]
    padding = tokenizer.pad_token_id or 0

    def alone(number: int) -> np.ndarray:
        return _scores(model, [groups[number]], padding, CANONICAL_TOKENS)[0]

    found = _scores(model, groups, padding, batch_tokens)
    return settle_near_ties(found, alone, model.dtype)


def _scores(
    model: PreTrainedModel,
    groups: Sequence[Sequence[Sequence[MaskedRow]]],
    padding: int,
    batch_tokens: int,
) -> list[np.ndarray]:
    """Summed over each statement's rows; rows that differ in their target alone are run once."""
    owners: dict[tuple[tuple[int, ...], int], list[tuple[int, int, int]]] = {}
    for group, texts in enumerate(groups):
        for number, rows in enumerate(texts):
            for row in rows:
                owners.setdefault((row.tokens, row.place), []).append((group, number, row.target))
    distinct = list(owners)
    scores = [np.zeros(len(texts)) for texts in groups]
    for batch in batches_of_rows([len(tokens) for tokens, _ in distinct], batch_tokens):
        asked = [distinct[row] for row in batch]
        targets = [(place, *owner) for place, key in enumerate(asked) for owner in owners[key]]
        places, of_group, of_text, tokens = zip(*targets, strict=True)
        table = _log_probabilities(model, asked, padding)
        chances = table[torch.tensor(places), torch.tensor(tokens)].tolist()
        for group, number, chance in zip(of_group, of_text, chances, strict=True):
            scores[group][number] += chance
    return scores


def _log_probabilities(
    model: PreTrainedModel, rows: Sequence[tuple[tuple[int, ...], int]], padding: int
) -> Tensor:
    """(B, V) log-probabilities at each row's place."""
    lengths = [len(tokens) for tokens, _ in rows]
    tokens = np.full((len(rows), max(lengths)), padding, dtype=np.int64)
    for number, (own, _) in enumerate(rows):
        tokens[number, : len(own)] = own
    mask = np.arange(tokens.shape[1]) < np.array(lengths)[:, None]
    places = torch.tensor([place for _, place in rows])
    whole = torch.from_numpy(mask.astype(np.int64)) if min(lengths) < max(lengths) else None
    return logits_at(model, torch.from_numpy(tokens), places, whole).float().log_softmax(-1)
