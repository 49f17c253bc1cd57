"""Texts with tokens in them that are predicted: what every model is taught on, masked or causal.

A causal model predicts a token at the place before it, a masked one at its own, where it reads a mask.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from .kept_bottom import BottomStates, KeptBottom
from .partial_passes import Places
from .token_batches import padded_tokens


@dataclass(frozen=True)
class WeightedText:
    """A text and where its loss lies.

    Attributes:
        text: the whole text.
        target: character offset from which tokens count in full.
        context_weight: loss weight of the tokens before it that lie in no mention.
        mentions: first character of each entity's name in it, and the one after its last.
    """

    text: str
    target: int
    context_weight: float
    mentions: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class PredictedText:
    """One text's token ids as a model reads them, and N tokens that it is to predict.

    Attributes:
        tokens: ids.
        places: (N,) at which they are predicted.
        targets: (N,) their ids.
        weights: (N,) of each in the loss, above 0.
    """

    tokens: tuple[int, ...]
    places: tuple[int, ...]
    targets: tuple[int, ...]
    weights: tuple[float, ...]

    def __len__(self) -> int:
        return len(self.tokens)


@dataclass(frozen=True)
class PredictedBatch:
    """Shapes: B texts, T tokens of the longest, N predicted tokens of all, text by text.

    Attributes:
        tokens: (B, T) ids, padded at the end.
        mask: (B, T) 1 for text, 0 for padding.
        at: where the N are predicted.
        targets: (N,) their ids.
        weights: (N,) of each in the loss.
        positions: (B, T) place of each token in its own text, where a row holds several; see
            `packed_texts`. None: a row is a text.
        bottom: what the frozen blocks give of the texts, where that is kept.
        part_of: the whole batch where this is a part of one.
    """

    tokens: Tensor
    mask: Tensor
    at: Places
    targets: Tensor
    weights: Tensor
    positions: Tensor | None = None
    bottom: KeptBottom | None = None
    part_of: PredictedBatch | None = None

    def __len__(self) -> int:
        """Rows."""
        return len(self.tokens)

    @property
    def size(self) -> int:
        """Tokens, padding left out."""
        return int(self.mask.sum())

    @property
    def whole(self) -> PredictedBatch:
        """What a loss is a mean over: parts' losses then add up to the whole's."""
        return self if self.part_of is None else self.part_of


def continued_text(tokens: Sequence[int], weights: Sequence[float]) -> PredictedText:
    """A text of a causal model: each token after the first is predicted before it, if it weighs more than 0."""
    places = [place for place in range(len(tokens) - 1) if weights[place + 1] > 0]
    return PredictedText(
        tuple(tokens),
        tuple(places),
        tuple(tokens[place + 1] for place in places),
        tuple(weights[place + 1] for place in places),
    )


def continued_texts(
    tokenizer: PreTrainedTokenizerBase, texts: Sequence[WeightedText], max_tokens: int
) -> list[PredictedText]:
    """Texts of a causal model; a token counts in full when it ends after the target offset or in a mention.

    Raises:
        ValueError: when a text is longer than `max_tokens`; nothing is cut silently.
    """
    if not texts:
        return []
    encoded = tokenizer([item.text for item in texts], return_offsets_mapping=True)
    rows = []
    for item, tokens, offsets in zip(
        texts, encoded["input_ids"], encoded["offset_mapping"], strict=True
    ):
        check_length(item.text, tokens, max_tokens)
        weights = [1.0 if _counts(item, end) else item.context_weight for _, end in offsets]
        rows.append(continued_text(tokens, weights))
    return rows


def _counts(text: WeightedText, end: int) -> bool:
    return end > text.target or any(first < end <= last for first, last in text.mentions)


def check_length(text: str, tokens: Sequence[int], most: int) -> None:
    """Raise `ValueError` for a text of too many tokens."""
    if len(tokens) > most:
        raise ValueError(f"a text of {len(tokens)} tokens is over {most}: {text[:60]}")


def collate_predicted(
    texts: Sequence[PredictedText], padding: int = 0, bottom: BottomStates | None = None
) -> PredictedBatch:
    """Texts padded to one length, with what is kept of the frozen blocks' states."""
    tokens, mask = padded_tokens([text.tokens for text in texts], padding)
    return batch_of(texts, [(row, 0) for row in range(len(texts))], tokens, mask, None, bottom)


def batch_of(
    texts: Sequence[PredictedText],
    starts: Sequence[tuple[int, int]],
    tokens: Tensor,
    mask: Tensor,
    positions: Tensor | None,
    bottom: BottomStates | None,
) -> PredictedBatch:
    """Texts as they were laid into the rows of a batch: the row and first place of each are given."""
    laid = list(zip(texts, starts, strict=True))
    rows = [row for text, (row, _) in laid for _ in text.places]
    places = [start + place for text, (_, start) in laid for place in text.places]
    shape = (tokens.shape[0], tokens.shape[1])
    return PredictedBatch(
        tokens,
        mask,
        Places(torch.tensor(rows, dtype=torch.long), torch.tensor(places, dtype=torch.long)),
        torch.tensor([token for text in texts for token in text.targets], dtype=torch.long),
        torch.tensor([weight for text in texts for weight in text.weights]),
        positions,
        bottom.laid([text.tokens for text in texts], starts, shape) if bottom else None,
    )


def predicted_part(batch: PredictedBatch, number: int, count: int) -> PredictedBatch | None:
    """Every `count`-th row from `number` on; None where there is none."""
    if number >= len(batch):
        return None
    mask = batch.mask[number::count]
    length = int(mask.sum(dim=1).max())
    kept = in_part(batch, number, count)
    return PredictedBatch(
        batch.tokens[number::count, :length],
        mask[:, :length],
        Places(batch.at.rows[kept] // count, batch.at.places[kept]),
        batch.targets[kept],
        batch.weights[kept],
        None if batch.positions is None else batch.positions[number::count, :length],
        None if batch.bottom is None else batch.bottom.part(number, count, (len(mask), length)),
        batch,
    )


def in_part(batch: PredictedBatch, number: int, count: int) -> Tensor:
    """(N,) whether a place is in that part of the batch."""
    return batch.at.rows % count == number
