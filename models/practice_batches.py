"""Practice texts as batches that train a fused model, with what the frozen base gives for them.

What no fact changes is run once: the blocks below the first one that facts are read behind, or, where
they are read before any block, the tokens before the first one that reads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import DynamicCache
from transformers.modeling_utils import PreTrainedModel

from .fact_memory import FactMemory, build_fact_memory
from .mention_places import padded_places
from .option_rows import batches_of_rows
from .partial_passes import BlockOutput, Places, head_at, run_once, states_at
from .practice_texts import PracticeDraw, PracticeText, places_of
from .text_beginnings import BeginningKeeper, Beginnings, KeptBeginnings, goes_on
from .token_batches import padded_tokens

PADDED = 0  # any token: it is masked


@dataclass(frozen=True)
class PracticeBatch:
    """Texts of one step. Shapes: B texts, T tokens that are run, N predicted places, F facts.

    Attributes:
        tokens, mask: (B, T) ids, padded at the end, and 0 in padding.
        at: the N places, among those that are run.
        targets: (N,) token that each predicts.
        taught: (N,) whether the target is to be predicted; else what the base predicts.
        base: (N, D) what the base's head reads there.
        prompted: (N, D) the same where the facts stand in the prompt; None where that isn't known.
        memory: facts of the B texts.
        read_from: (B, F) see `FactVectors`.
        bottom: what the base gives below the first block that facts are read behind; None where
            they are read before any block.
        begun: what stands before the tokens; None where they are the whole texts.
        places: predicted in the step: N, or more where this is a part of its batch.
    """

    tokens: Tensor
    mask: Tensor
    at: Places
    targets: Tensor
    taught: Tensor
    base: Tensor
    prompted: Tensor | None
    memory: FactMemory
    read_from: Tensor
    bottom: BlockOutput | None
    begun: Beginnings | None
    places: int


@dataclass(frozen=True)
class PracticeStates:
    """What the frozen base gives for each text, computed once.

    Attributes:
        bottom: for each text, the (T, D) output of the block; none where none is kept.
        layer, members: see `BlockOutput`.
        base: for each text, the (places, D) states that its head reads.
        begun: for each text, what its first tokens gave; None where texts are run whole.
        prompted: what `base` is where the facts stand in the prompt; none where that isn't asked.
    """

    bottom: Sequence[Tensor]
    layer: int
    members: int
    base: Sequence[Tensor]
    begun: KeptBeginnings | None
    prompted: Sequence[Tensor] = ()

    def run(self, number: int, text: PracticeText) -> tuple[int, int]:
        """The first token that a step runs of a text, and the one after the last.

        The text may have places of its own for facts where the one that was kept had none: both
        begin alike, and no token follows the last prediction for its sake.
        """
        if self.begun is None:
            return 0, len(text)
        return self.begun.lengths[number], text.places[-1] + 1

    def run_lengths(self, texts: Sequence[PracticeText]) -> list[int]:
        """For each text, the tokens that a step runs."""
        runs = (self.run(number, text) for number, text in enumerate(texts))
        return [after - first for first, after in runs]


def practice_states(
    model: PreTrainedModel,
    texts: Sequence[PracticeText],
    layer: int,
    batch_tokens: int,
    advance: Callable[[int], None],
    beginnings: Sequence[int] | None = None,
) -> PracticeStates:
    """Run the base once over all texts, and keep what it gives that no fact changes.

    Args:
        model: frozen, in evaluation mode.
        texts: what is practised.
        layer: the block whose output is kept; -1 for none, and the texts' beginnings instead.
        batch_tokens: padded tokens of one pass.
        advance: called with the number of texts just done.
        beginnings: for each text, the tokens that are run once where no block's output is kept; None:
            those before any fact is read.
    """
    if layer < 0 and goes_on(model):
        known = beginnings or [text.beginning for text in texts]
        return _states_with_beginnings(model, texts, known, batch_tokens, advance)
    bottom: dict[int, Tensor] = {}
    base: dict[int, Tensor] = {}
    members = 0
    for numbers in batches_of_rows([len(text) for text in texts], batch_tokens):
        chosen = [texts[number] for number in numbers]
        tokens, mask = padded_tokens([text.tokens for text in chosen], PADDED)
        output, read = run_once(model, max(layer, 0), tokens, mask, places_of(chosen))
        members = output.members
        if layer >= 0:
            for row, number in enumerate(numbers):
                bottom[number] = output.hidden[row, : len(texts[number])].clone()
        base |= _by_text(read, texts, numbers)
        advance(len(numbers))
    every = range(len(texts))
    return PracticeStates(
        [bottom[number] for number in every] if layer >= 0 else [],
        layer,
        members,
        [base[number] for number in every],
        None,
    )


def answer_states(
    model: PreTrainedModel,
    texts: Sequence[PracticeText],
    batch_tokens: int,
    advance: Callable[[int], None],
) -> list[Tensor]:
    """For each text, the (places, D) states that the base's head reads; nothing else is kept.

    Args: see `practice_states`.
    """
    read: dict[int, Tensor] = {}
    for numbers in batches_of_rows([len(text) for text in texts], batch_tokens):
        chosen = [texts[number] for number in numbers]
        tokens, mask = padded_tokens([text.tokens for text in chosen], PADDED)
        read |= _by_text(states_at(model, tokens, mask, places_of(chosen)), texts, numbers)
        advance(len(numbers))
    return [read[number] for number in range(len(texts))]


@torch.no_grad()
def _states_with_beginnings(
    model: PreTrainedModel,
    texts: Sequence[PracticeText],
    beginnings: Sequence[int],
    batch_tokens: int,
    advance: Callable[[int], None],
) -> PracticeStates:
    """Those of a model that goes on from keys and values; what follows the last prediction rests too."""
    keeper = BeginningKeeper(beginnings)
    base: dict[int, Tensor] = {}
    for numbers in batches_of_rows([len(text) for text in texts], batch_tokens):
        chosen = [texts[number] for number in numbers]
        tokens, mask = padded_tokens([text.tokens for text in chosen], PADDED)
        cache = DynamicCache()
        with head_at(model, places_of(chosen)) as read:
            model(input_ids=tokens, attention_mask=mask, past_key_values=cache, use_cache=True)
        keeper.keep(numbers, cache)
        base |= _by_text(read[-1][0], texts, numbers)
        advance(len(numbers))
    return PracticeStates([], -1, 0, [base[number] for number in range(len(texts))], keeper.kept())


def _by_text(
    read: Tensor, texts: Sequence[PracticeText], numbers: Sequence[int]
) -> dict[int, Tensor]:
    """(N, D) states at the places of the texts `numbers`, by text."""
    parts = read.split([len(texts[number].places) for number in numbers])
    return {number: part.clone() for number, part in zip(numbers, parts, strict=True)}


def drawn_batch(
    texts: Sequence[PracticeText], states: PracticeStates, draw: PracticeDraw
) -> PracticeBatch:
    """The texts of a draw with what the base gives for them.

    A text whose memory lacks the asked relation is to be answered as the base answers it.
    """
    chosen = [texts[number] for number in draw.texts]
    told = [
        [text.facts[number] for number in own] for text, own in zip(chosen, draw.kept, strict=True)
    ]
    places = [
        [text.read_from[number] for number in own]
        for text, own in zip(chosen, draw.kept, strict=True)
    ]
    taught = [
        any(fact.relation == text.relation for fact in own)
        for text, own in zip(chosen, told, strict=True)
    ]
    memory = build_fact_memory(told)
    numbered = zip(draw.texts, chosen, strict=True)
    stretches = [states.run(number, text) for number, text in numbered]
    run = [text.tokens[slice(*stretch)] for text, stretch in zip(chosen, stretches, strict=True)]
    at = places_of(chosen)
    first = torch.tensor([first for first, _ in stretches])
    return PracticeBatch(
        *padded_tokens(run, PADDED),
        Places(at.rows, at.places - first[at.rows]),
        torch.tensor([token for text in chosen for token in text.targets]),
        torch.tensor(taught)[at.rows],
        torch.cat([states.base[number] for number in draw.texts]),
        torch.cat([states.prompted[number] for number in draw.texts]) if states.prompted else None,
        memory,
        padded_places(places, memory.relation.shape[1]),
        _bottom(states, draw.texts),
        None if states.begun is None else states.begun.of(draw.texts),
        sum(len(texts[number].places) for number in draw.whole.texts),
    )


def _bottom(states: PracticeStates, numbers: Sequence[int]) -> BlockOutput | None:
    if states.layer < 0:
        return None
    hidden = [states.bottom[number] for number in numbers]
    return BlockOutput(
        states.layer, torch.nn.utils.rnn.pad_sequence(hidden, batch_first=True), states.members
    )
