"""What a fused model practises on: questions with their answers, and the facts that it may read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase
from transformers.modeling_utils import PreTrainedModel

from .answered_prompt import answered_prompt
from .fact_memory import FactMemory, TokenFact, build_fact_memory
from .language_model import Kind
from .masked_states import answer_rows
from .mention_places import mention_places, padded_places
from .option_rows import batches_of_rows
from .partial_passes import BlockOutput, Places, run_once
from .token_batches import padded_tokens, shuffled_batches

PADDED = 0  # any token: it is masked
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


@dataclass(frozen=True)
class PracticeDraw:
    """What one step practises: numbers of texts, and of each the facts that stay in its memory."""

    texts: tuple[int, ...]
    kept: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class PracticeBatch:
    """Texts of one step. Shapes: B texts, T tokens, N predicted places, F facts.

    Attributes:
        tokens, mask: (B, T) ids, padded at the end, and 0 in padding.
        at: the N places.
        targets: (N,) token that each predicts.
        taught: (N,) whether the target is to be predicted; else what the base predicts.
        base: (N, D) what the base's head reads there.
        memory: facts of the B texts.
        read_from: (B, F) see `FactVectors`.
        bottom: what the base gives below the first block that facts are read behind; None where
            they are read before any block.
    """

    tokens: Tensor
    mask: Tensor
    at: Places
    targets: Tensor
    taught: Tensor
    base: Tensor
    memory: FactMemory
    read_from: Tensor
    bottom: BlockOutput | None


@dataclass(frozen=True)
class PracticeStates:
    """What the frozen base gives for each text, computed once.

    Attributes:
        bottom: for each text, the (T, D) output of the block; none where none is kept.
        layer, members: see `BlockOutput`.
        base: for each text, the (places, D) states that its head reads.
    """

    bottom: Sequence[Tensor]
    layer: int
    members: int
    base: Sequence[Tensor]


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


def practice_states(
    model: PreTrainedModel,
    texts: Sequence[PracticeText],
    layer: int,
    batch_tokens: int,
    advance: Callable[[int], None],
) -> PracticeStates:
    """Run the base once over all texts, and keep what it gives above and below.

    Args:
        model: frozen, in evaluation mode.
        texts: what is practised.
        layer: the block whose output is kept; -1 for none.
        batch_tokens: padded tokens of one pass.
        advance: called with the number of texts just done.
    """
    bottom: dict[int, Tensor] = {}
    base: dict[int, Tensor] = {}
    members = 0
    for numbers in batches_of_rows([len(text) for text in texts], batch_tokens):
        chosen = [texts[number] for number in numbers]
        tokens, mask = padded_tokens([text.tokens for text in chosen], PADDED)
        output, read = run_once(model, max(layer, 0), tokens, mask, places_of(chosen))
        members = output.members
        parts = read.split([len(text.places) for text in chosen])
        for row, (number, part) in enumerate(zip(numbers, parts, strict=True)):
            if layer >= 0:
                bottom[number] = output.hidden[row, : len(texts[number])].clone()
            base[number] = part.clone()
        advance(len(numbers))
    every = range(len(texts))
    kept = [bottom[number] for number in every] if layer >= 0 else []
    return PracticeStates(kept, layer, members, [base[number] for number in every])


def epoch_of_texts(
    texts: Sequence[PracticeText], batch_size: int, dropout: float, seed: int, epoch: int
) -> list[PracticeDraw]:
    """Random batches; a share of the facts is hidden, and of some texts all that answers them."""
    random = np.random.default_rng([seed, 41, epoch])
    draws = []
    for numbers in shuffled_batches([len(text) for text in texts], batch_size, random):
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
    at = places_of(chosen)
    return PracticeBatch(
        *padded_tokens([text.tokens for text in chosen], PADDED),
        at,
        torch.tensor([token for text in chosen for token in text.targets]),
        torch.tensor(taught)[at.rows],
        torch.cat([states.base[number] for number in draw.texts]),
        memory,
        padded_places(places, memory.relation.shape[1]),
        _bottom(states, draw.texts),
    )


def _bottom(states: PracticeStates, numbers: Sequence[int]) -> BlockOutput | None:
    if states.layer < 0:
        return None
    hidden = [states.bottom[number] for number in numbers]
    return BlockOutput(
        states.layer, torch.nn.utils.rnn.pad_sequence(hidden, batch_first=True), states.members
    )


def places_of(texts: Sequence[PracticeText]) -> Places:
    """Where the texts' answers are predicted, text by text."""
    rows = [row for row, text in enumerate(texts) for _ in text.places]
    return Places(
        torch.tensor(rows), torch.tensor([place for text in texts for place in text.places])
    )
