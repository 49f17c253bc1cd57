"""What the frozen blocks below give for texts that come again and again: run once and kept.

Training changes nothing below the first block that is taught, so that a text's states there are the same
in every epoch. They are made in batches of their own before training begins: a run that was cut off goes
on with the same numbers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor
from transformers.modeling_utils import PreTrainedModel

from .option_rows import batches_of_rows
from .partial_passes import BlockOutput, run_bottom
from .token_batches import padded_tokens
from .transformer_blocks import transformer_blocks

Tokens = tuple[int, ...]
WORTH_KEEPING = 0.75  # share of different texts among all that are run, up to which states are kept
MOST_BYTES = 2**30  # of all that is kept
BATCH_TOKENS = 1024


@dataclass(frozen=True)
class KeptBottom:
    """What a block gave of each text of a batch. Shapes: B rows, T places, D hidden width.

    Attributes:
        layer: the block's number.
        members: of the tuple that it gives; 0 where it gives a tensor.
        states: (tokens, D) of each text.
        starts: row and first place of each text.
        shape: (B, T) of the batch.
    """

    layer: int
    members: int
    states: tuple[Tensor, ...]
    starts: tuple[tuple[int, int], ...]
    shape: tuple[int, int]

    def output(self) -> BlockOutput:
        """As the block gives it: (B, T, D), 0 where there is no text."""
        first = self.states[0]
        hidden = first.new_zeros(*self.shape, first.shape[-1])
        for text, (row, start) in zip(self.states, self.starts, strict=True):
            hidden[row, start : start + len(text)] = text
        return BlockOutput(self.layer, hidden, self.members)

    def part(self, number: int, count: int, shape: tuple[int, int]) -> KeptBottom:
        """Of every `count`-th row from `number` on, which make a batch of this shape."""
        own = [text for text, (row, _) in enumerate(self.starts) if row % count == number]
        starts = tuple((self.starts[text][0] // count, self.starts[text][1]) for text in own)
        states = tuple(self.states[text] for text in own)
        return KeptBottom(self.layer, self.members, states, starts, shape)


@dataclass(frozen=True)
class BottomStates:
    """(tokens, D) of every text that is kept, by its token ids; see `KeptBottom`."""

    layer: int
    members: int
    of_text: Mapping[Tokens, Tensor]

    def laid(
        self, texts: Sequence[Tokens], starts: Sequence[tuple[int, int]], shape: tuple[int, int]
    ) -> KeptBottom | None:
        """Those of a batch's texts; None unless all are kept."""
        if any(text not in self.of_text for text in texts):
            return None
        states = tuple(self.of_text[text] for text in texts)
        return KeptBottom(self.layer, self.members, states, tuple(starts), shape)


def frozen_blocks(model: PreTrainedModel, taught: int) -> int:
    """How many blocks lie below the last `taught` ones."""
    return max(0, len(transformer_blocks(model)) - taught)


def repeated_bottom(
    model: PreTrainedModel, texts: Iterable[Tokens], blocks: int
) -> BottomStates | None:
    """What the lowest `blocks` give of texts, where enough of them come again.

    Args:
        model: as it will be trained, in evaluation mode.
        texts: token ids of every text of every epoch.
        blocks: that stay as they are.

    Returns:
        None where nothing is frozen, too few texts come again, or too much would be kept.
    """
    counts = Counter(texts)
    width = model.config.get_text_config().hidden_size
    kept_bytes = sum(map(len, counts)) * width * model.dtype.itemsize
    few = len(counts) > WORTH_KEEPING * counts.total()
    if not blocks or few or kept_bytes > MOST_BYTES:
        return None
    return bottom_states(model, list(counts), blocks)


def bottom_states(model: PreTrainedModel, texts: Sequence[Tokens], blocks: int) -> BottomStates:
    """What the lowest `blocks`, at least one, give of these texts, none of which is another."""
    of_text: dict[Tokens, Tensor] = {}
    members = 0
    for numbers in batches_of_rows([len(text) for text in texts], BATCH_TOKENS):
        chosen = [texts[number] for number in numbers]
        output = run_bottom(model, blocks - 1, *padded_tokens(chosen, 0))
        members = output.members
        for row, text in enumerate(chosen):
            of_text[text] = output.hidden[row, : len(text)].clone()
    return BottomStates(blocks - 1, members, of_text)
