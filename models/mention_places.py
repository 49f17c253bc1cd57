"""From characters to tokens: where a mention has ended, so that its facts may be read."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase


def mention_places(
    tokenizer: PreTrainedTokenizerBase, text: str, ends: Sequence[int]
) -> tuple[int, ...]:
    """For each mention, the place of the token that ends its last character.

    Args:
        tokenizer: a fast one, which knows each token's characters.
        text: as the model reads it from its first token on.
        ends: the character after each mention.

    Raises:
        ValueError: a mention ends beyond the text.
    """
    offsets = tokenizer(text, return_offsets_mapping=True)["offset_mapping"]
    # Special tokens around a text have no characters; a character of several bytes may be several tokens.
    places = [place for place, (start, end) in enumerate(offsets) if end > start]
    last = 0
    reached = [last := max(last, offsets[place][1]) for place in places]
    if any(end > last for end in ends):
        raise ValueError(f"a mention ends beyond the text's {len(text)} characters")
    holding = (reached[bisect_left(reached, end)] for end in ends)
    return tuple(places[bisect_right(reached, at) - 1] for at in holding)


def padded_places(places: Sequence[Sequence[int]], facts: int) -> Tensor:
    """(R, facts) places from which facts are read, 0 in padding, as `FactVectors` has them."""
    padded = torch.zeros(len(places), facts, dtype=torch.long)
    for row, own in enumerate(places):
        padded[row, : len(own)] = torch.tensor(own, dtype=torch.long)
    return padded
