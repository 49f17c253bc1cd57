"""Several texts in one row, of which none sees another: no time goes to padding.

    row 1   t t t t t t | t t t | t t          position   0 1 2 3 4 5 | 0 1 2 | 0 1
    row 2   t t t t t | t t t t t t                       0 1 2 3 4 | 0 1 2 3 4 5

A causal model of transformers that is told places without a mask takes each place 0 for the beginning of
another text and blocks attention across it. Not all families do, and no masked one, so that a model is
asked by trying it (`reads_packed`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor
from transformers.modeling_utils import PreTrainedModel

from .kept_bottom import BottomStates, repeated_bottom
from .language_model import kind_of
from .language_model_loss import predicted_logits
from .predicted_texts import (
    PredictedBatch,
    PredictedText,
    batch_of,
    collate_predicted,
    continued_text,
)

Collate = Callable[[Sequence[PredictedText]], PredictedBatch]
# Of a row at most, unless a text is longer: longer rows attend to more that is blocked. A step of 16 texts
# of 17 to 32 tokens takes SmolLM2 3.86 s padded, 3.69 s in rows of 64 and 3.96 s in rows of 128.
ROW_TOKENS = 64
CLOSE = 1e-3  # logits of the same text in other rows; where texts leak, they differ by far more


def collate_for(
    model: PreTrainedModel, texts: Sequence[PredictedText], frozen_blocks: int
) -> Collate:
    """How batches of these texts, all that will be trained on, are laid out for a model.

    They are packed where it reads packed texts, and have what the frozen blocks give where they come
    again often enough.

    Args:
        model: as it will be trained, in evaluation mode.
        texts: of every epoch.
        frozen_blocks: the lowest blocks, which stay as they are.
    """
    bottom = repeated_bottom(model, (text.tokens for text in texts), frozen_blocks)
    lay: Callable[..., PredictedBatch] = (
        pack_predicted if reads_packed(model) else collate_predicted
    )
    return partial(lay, bottom=bottom)


def pack_predicted(
    texts: Sequence[PredictedText], padding: int = 0, bottom: BottomStates | None = None
) -> PredictedBatch:
    """Texts in as many rows as leave least padding."""
    starts, shape = _laid([len(text) for text in texts])
    tokens, mask = torch.full(shape, padding), torch.zeros(shape, dtype=torch.long)
    positions = torch.zeros(shape, dtype=torch.long)  # each place of padding is a text of its own
    for text, (row, start) in zip(texts, starts, strict=True):
        part = slice(start, start + len(text))
        tokens[row, part] = torch.tensor(text.tokens)
        mask[row, part] = 1
        positions[row, part] = torch.arange(len(text))
    return batch_of(texts, starts, tokens, mask, positions, bottom)


Starts = list[tuple[int, int]]  # row and first place of each text


def _laid(lengths: Sequence[int]) -> tuple[Starts, tuple[int, int]]:
    """Where texts lie in the rows, and the batch's shape: of the numbers of rows the one of least places."""
    width = max(ROW_TOKENS, *lengths)
    fewest = -(-sum(lengths) // width)
    tried = [_laid_in(lengths, rows) for rows in range(fewest, len(lengths) + 1)]
    return min(tried, key=lambda laid: (laid[1][0] * laid[1][1], laid[1][0]))


def _laid_in(lengths: Sequence[int], rows: int) -> tuple[Starts, tuple[int, int]]:
    """Each text, the longest first, in the row that is the shortest yet."""
    filled = [0] * rows
    starts = [(0, 0)] * len(lengths)
    for number in sorted(range(len(lengths)), key=lambda number: -lengths[number]):
        row = min(range(rows), key=filled.__getitem__)
        starts[number] = (row, filled[row])
        filled[row] += lengths[number]
    return starts, (rows, max(filled))


@torch.no_grad()
def reads_packed(model: PreTrainedModel) -> bool:
    """Whether a model gives a packed text what it gives the text alone: tried on four."""
    if kind_of(model) == "masked":
        return False
    rows = [tuple(range(1, 2 + length)) for length in (5, 3, 7, 4)]
    texts = [continued_text(row, (1.0,) * len(row)) for row in rows]
    alone: Tensor = predicted_logits(model, collate_predicted(texts))
    try:
        packed = predicted_logits(model, pack_predicted(texts))
    except (TypeError, ValueError, RuntimeError):
        return False  # a family without places to be told
    spread = float(alone.std())
    return bool((packed - alone).abs().max() <= CLOSE * max(spread, 1e-6))
