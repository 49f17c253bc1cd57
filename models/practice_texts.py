"""What a fused model practises on: questions with their answers, and the facts that it may read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

import numpy as np
import torch
from transformers import PreTrainedTokenizerBase

from .answered_prompt import answered_prompt
from .fact_memory import TokenFact
from .language_model import Kind
from .masked_states import answer_rows
from .partial_passes import Places
from .placed_texts import PlacedText
from .token_batches import shuffled_batches

WITHOUT_ANSWER = 0.1  # share of the texts whose memory lacks the asked relation


@dataclass(frozen=True)
class PracticeText:
    """One text with an answer in it.

    Attributes:
        tokens: of the whole text.
        places: that predict the answer's tokens, or one of them.
        targets: the token that each predicts.
        facts: what the model may read.
        read_from: for each fact, see `PlacedText`.
        relation: row of the asked relation among the keys; -1 for a text that asks nothing.
    """

    tokens: tuple[int, ...]
    places: tuple[int, ...]
    targets: tuple[int, ...]
    facts: tuple[TokenFact, ...]
    read_from: tuple[int, ...]
    relation: int

    def __len__(self) -> int:
        return len(self.tokens)

    @property
    def beginning(self) -> int:
        """How many tokens come before any fact is read or anything predicted."""
        return min((*self.read_from, *self.places))


def shared_beginning(plain: PracticeText, *others: PracticeText) -> int:
    """How many tokens come before any fact is read or anything predicted, in all of them alike."""
    beginnings = (text.tokens[: text.beginning] for text in (plain, *others))
    columns = zip(*beginnings, strict=False)
    return len(list(takewhile(lambda column: len(set(column)) == 1, columns)))


@dataclass(frozen=True)
class PracticeDraw:
    """What one step practises.

    Attributes:
        texts: their numbers.
        kept: of each, the facts that stay in its memory.
        part_of: the whole draw where this is a part of one.
    """

    texts: tuple[int, ...]
    kept: tuple[tuple[int, ...], ...]
    part_of: PracticeDraw | None = None

    @property
    def whole(self) -> PracticeDraw:
        """What a loss is a mean over: parts' losses then add up to the whole's."""
        return self if self.part_of is None else self.part_of


def draw_part(draw: PracticeDraw, number: int, count: int) -> PracticeDraw | None:
    """Every `count`-th text from `number` on; None where there is none."""
    if number >= len(draw.texts):
        return None
    return PracticeDraw(draw.texts[number::count], draw.kept[number::count], draw)


def practice_texts(
    kind: Kind,
    tokenizer: PreTrainedTokenizerBase,
    prompt: PlacedText,
    answer: str,
    facts: Sequence[TokenFact],
    relation: int,
) -> list[PracticeText]:
    """A prompt with its answer: of a causal model one text, which ends with a line end.

    A masked model's prompt makes a text for each token of the answer, masked as it is when asked.

    Args:
        kind: of the model.
        tokenizer: a fast one.
        prompt: what the model completes.
        answer: to it.
        facts: that the model may read.
        relation: the asked one's row among the keys.
    """
    predicted: list[tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]]
    if kind == "masked":
        rows = answer_rows(tokenizer, prompt.text, answer)
        predicted = [(row.tokens, (row.place,), (row.target,)) for row in rows]
    else:
        whole = answered_prompt(tokenizer, prompt.text, f"{answer}\n", ())
        places = tuple(range(whole.answering, len(whole.tokens) - 1))
        predicted = [(whole.tokens, places, whole.targets)]
    return [PracticeText(*each, tuple(facts), prompt.read_from, relation) for each in predicted]


def epoch_of_texts(
    texts: Sequence[PracticeText],
    lengths: Sequence[int],
    batch_size: int,
    dropout: float,
    seed: int,
    epoch: int,
) -> list[PracticeDraw]:
    """Random batches of texts of which as many tokens are run, by `PracticeStates.run_lengths`.

    A share of the facts is hidden, and of some texts all that answers them.
    """
    random = np.random.default_rng([seed, 41, epoch])
    draws = []
    for numbers in shuffled_batches(lengths, batch_size, random):
        kept = [kept_facts(texts[number], dropout, random) for number in numbers]
        draws.append(PracticeDraw(tuple(numbers), tuple(kept)))
    return draws


def kept_facts(text: PracticeText, dropout: float, random: np.random.Generator) -> tuple[int, ...]:
    """Numbers of the text's facts that stay; now and then none of the asked relation does."""
    drawn = random.random(len(text.facts) + 1)
    kept = [number for number, chance in enumerate(drawn[1:]) if chance >= dropout]
    if drawn[0] < WITHOUT_ANSWER:
        kept = [number for number in kept if text.facts[number].relation != text.relation]
    return tuple(kept)


def places_of(texts: Sequence[PracticeText]) -> Places:
    """Where the texts' answers are predicted, text by text."""
    rows = [row for row, text in enumerate(texts) for _ in text.places]
    return Places(
        torch.tensor(rows), torch.tensor([place for text in texts for place in text.places])
    )
