"""What a masked model's output embedding reads at masked tokens, as read-outs and fusion take it.

The place of a masked token predicts it. What has been written before it is the token to its left, which
is never masked with it (see `masked_scoring`): so a label is gone on with in order, in training and when
it is asked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase
from transformers.modeling_utils import PreTrainedModel

from .fusion_session import rows_of
from .masked_scoring import MaskedRow, masked_rows
from .option_rows import batches_of_rows
from .option_scoring import TreeStates
from .partial_passes import Places, states_at
from .read_out import Positions
from .token_batches import padded_tokens

PADDED = 0  # any token: it is masked
RowKey = tuple[tuple[int, ...], int, int]  # tokens, place and request


def answer_rows(tokenizer: PreTrainedTokenizerBase, prompt: str, answer: str) -> list[MaskedRow]:
    """A row for each token of the answer, which follows the prompt after a space."""
    return masked_rows(tokenizer, answer, f"{prompt} ")


@torch.no_grad()  # not inference mode: fusion trains on these states
def masked_states(
    model: PreTrainedModel,
    rows: Sequence[MaskedRow],
    requests: Sequence[int],
    batch_tokens: int,
    advance: Callable[[int], None],
) -> TreeStates:
    """Run the model over N rows; scored token n is what stood at the place of row n.

    Rows of one request that differ in that alone are run once.

    Args:
        model: a masked language model.
        rows: texts with masked tokens.
        requests: for each, the number by which read-outs and sessions know it.
        batch_tokens: padded tokens of one forward pass.
        advance: called with the number of requests just done.
    """
    numbers: dict[RowKey, int] = {}
    row_of = [
        numbers.setdefault((row.tokens, row.place, request), len(numbers))
        for row, request in zip(rows, requests, strict=True)
    ]
    keys = list(numbers)
    order: list[int] = []
    parts: list[Tensor] = []
    waiting = Counter(request for _, _, request in keys)
    for batch in batches_of_rows([len(tokens) for tokens, _, _ in keys], batch_tokens):
        parts.append(_states(model, [keys[number] for number in batch]))
        order += batch
        done = Counter(keys[number][2] for number in batch)
        waiting -= done
        advance(sum(request not in waiting for request in done))
    hidden = torch.cat(parts)[torch.tensor(order).argsort()]
    owners = torch.tensor(requests)
    return TreeStates(
        Positions(hidden, *torch.tensor([_written(key) for key in keys]).unbind(1)),
        torch.tensor(row_of),
        torch.tensor([row.target for row in rows]),
        owners,
        torch.zeros_like(owners),
    )


def _states(model: PreTrainedModel, keys: Sequence[RowKey]) -> Tensor:
    """(B, D) of some rows, in one pass."""
    tokens, mask = padded_tokens([own for own, _, _ in keys], PADDED)
    at = Places(torch.arange(len(keys)), torch.tensor([place for _, place, _ in keys]))
    with rows_of(torch.tensor([request for _, _, request in keys])):
        return states_at(model, tokens, mask, at)


def _written(key: RowKey) -> tuple[int, int, int]:
    """The two tokens before the masked one, -1 for none, and the request."""
    tokens, place, request = key
    current, previous = (tokens[place - back] if place >= back else -1 for back in (1, 2))
    return current, previous, request
