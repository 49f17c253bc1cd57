"""What a fused model practises on: questions with their answers, and the facts that it may read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from transformers import PreTrainedTokenizerBase

from .answered_prompt import answered_prompt
from .fact_memory import TokenFact
from .language_model import Kind
from .masked_states import answer_rows
from .mention_places import mention_places
from .partial_passes import Places
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
        read_from: for each fact, the place of its mention's last token.
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


@dataclass(frozen=True)
class PracticeDraw:
    """What one step practises: numbers of texts, and of each the facts that stay in its memory."""

    texts: tuple[int, ...]
    kept: tuple[tuple[int, ...], ...]


def practice_text(
    tokenizer: PreTrainedTokenizerBase,
    prompt: str,
    answer: str,
    facts: Sequence[TokenFact],
    ends: Sequence[int],
    relation: int,
) -> PracticeText:
    """A prompt of a causal model with its answer and a line end.

    Args:
        tokenizer: a fast one.
        prompt: what the model completes.
        answer: to it.
        facts: that the model may read.
        ends: for each, the character after its mention in the prompt.
        relation: the asked one's row among the keys.
    """
    whole = answered_prompt(tokenizer, prompt, f"{answer}\n", ())
    return PracticeText(
        whole.tokens,
        tuple(range(whole.answering, len(whole.tokens) - 1)),
        whole.targets,
        tuple(facts),
        mention_places(tokenizer, prompt, ends),
        relation,
    )


def masked_practice_texts(
    tokenizer: PreTrainedTokenizerBase,
    prompt: str,
    answer: str,
    facts: Sequence[TokenFact],
    ends: Sequence[int],
    relation: int,
) -> list[PracticeText]:
    """A masked model's prompt with its answer, once for each token of it, masked as it is when asked.

    Args: see `practice_text`.
    """
    read_from = mention_places(tokenizer, prompt, ends)
    return [
        PracticeText(row.tokens, (row.place,), (row.target,), tuple(facts), read_from, relation)
        for row in answer_rows(tokenizer, prompt, answer)
    ]


def question_texts(
    kind: Kind,
    tokenizer: PreTrainedTokenizerBase,
    prompt: str,
    answer: str,
    facts: Sequence[TokenFact],
    ends: Sequence[int],
    relation: int,
) -> list[PracticeText]:
    """All texts that one answered prompt makes for a model of this kind; see `practice_text`."""
    if kind == "masked":
        return masked_practice_texts(tokenizer, prompt, answer, facts, ends, relation)
    return [practice_text(tokenizer, prompt, answer, facts, ends, relation)]


def epoch_of_texts(
    texts: Sequence[PracticeText],
    lengths: Sequence[int],
    batch_size: int,
    dropout: float,
    seed: int,
    epoch: int,
) -> list[PracticeDraw]:
    """Random batches of texts of which as many tokens are run, by `PracticeStates.lengths`.

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
