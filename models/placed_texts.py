"""Texts as a fused model reads them: where facts may be read, or where they have places of their own.

    … mention ⟨place⟩ … ⟨place⟩ ⟨place⟩ is caused by …
              fact 1      fact 2  the end

What stands at such a place is a special token of the tokenizer, which early fusion replaces by what it
lays there (`early_fusion`). Behind each mention there is room for all of its facts and one place more,
which ends what is told. Texts are changed as characters, so that whatever tokenises them next sees the
places too: prompts with options, texts to be masked, an answer's explanation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from transformers import PreTrainedTokenizerBase

from ..errors import UserError
from .fact_memory import TokenFact
from .mention_places import mention_places

ROLES = ("bos_token", "eos_token", "pad_token", "unk_token", "cls_token", "sep_token", "mask_token")


@dataclass(frozen=True)
class PlacedText:
    """A text and the facts that belong to it.

    Attributes:
        text: as the model reads it.
        read_from: for each fact, the place of the token from which on it may be read; of one with places
            of its own, the token before them.
        inserted: characters of the text without places, ascending, and how many were put in at each.
    """

    text: str
    read_from: tuple[int, ...]
    inserted: tuple[tuple[int, int], ...]

    def moved(self, stretch: tuple[int, int]) -> tuple[int, int]:
        """Where a stretch of the text without places is now; places behind its end aren't in it."""
        start, end = stretch
        return (
            start + sum(length for at, length in self.inserted if at <= start),
            end + sum(length for at, length in self.inserted if at < end),
        )


def mentioned_text(
    tokenizer: PreTrainedTokenizerBase, text: str, facts: Sequence[TokenFact], ends: Sequence[int]
) -> PlacedText:
    """The text as it is; its facts may be read from their mentions' last tokens on.

    Args: see `placed_text`.
    """
    return PlacedText(text, mention_places(tokenizer, text, ends) if facts else (), ())


def places_of_fact(fact: TokenFact) -> int:
    """How many places a fact takes: one for what it tells, and its label's."""
    return 1 + len(fact.label)


def place_token(tokenizer: PreTrainedTokenizerBase) -> str:
    """A special token that texts hold nowhere: one without a role if there is one, else an end.

    Raises:
        UserError: the tokenizer has no special token that it also reads in a text.
    """
    roles = {getattr(tokenizer, role, None) for role in ROLES}
    template = str(tokenizer.chat_template or "")
    special = [
        token.content
        for _, token in sorted(tokenizer.added_tokens_decoder.items())
        if token.special and token.content not in roles and token.content not in template
    ]
    for token in (*special, tokenizer.sep_token, tokenizer.eos_token, tokenizer.unk_token):
        if token and _read_in_text(tokenizer, token):
            return str(token)
    raise UserError(
        "the tokenizer has no special token that can keep a fact's place in a text",
        type(tokenizer).__name__,
        "Take another fusion strategy than early, or add a special token to the tokenizer.",
    )


def place_id(tokenizer: PreTrainedTokenizerBase) -> int:
    """The id of `place_token`."""
    found: Any = tokenizer.convert_tokens_to_ids(place_token(tokenizer))
    return int(found)


def _read_in_text(tokenizer: PreTrainedTokenizerBase, token: str) -> bool:
    number = tokenizer.convert_tokens_to_ids(token)
    read = tokenizer(f"a{token}{token} b", add_special_tokens=False)["input_ids"]
    return list(read).count(number) == 2


def placed_text(
    tokenizer: PreTrainedTokenizerBase, text: str, facts: Sequence[TokenFact], ends: Sequence[int]
) -> PlacedText:
    """A text with room for its facts; as it was where it has none.

    Args:
        tokenizer: a fast one.
        text: as the model would read it.
        facts: that it may read.
        ends: for each, the character after its mention in the text.

    Raises:
        UserError: see `place_token`.
        ValueError: a mention ends beyond the text.
    """
    if not facts:
        return PlacedText(text, (), ())
    token = place_token(tokenizer)
    offsets = tokenizer(text, return_offsets_mapping=True)["offset_mapping"]
    # No token is cut in two: what a mention ends in is read whole before its facts.
    behind = [offsets[place][1] for place in mention_places(tokenizer, text, ends)]
    pieces, inserted, told_before = list[str](), list[tuple[int, int]](), dict[int, int]()
    done = 0
    for at in sorted(set(behind)):
        own = [fact for fact, own_end in zip(facts, behind, strict=True) if own_end == at]
        room = sum(places_of_fact(fact) for fact in own) + 1
        pieces += [text[done:at], token * room]
        inserted.append((at, len(token) * room))
        done = at
    placed = "".join([*pieces, text[done:]])
    moved = PlacedText(placed, (), tuple(inserted))
    mentions = mention_places(tokenizer, placed, [moved.moved((0, at))[1] for at in behind])
    read_from = []
    for fact, at, mention in zip(facts, behind, mentions, strict=True):
        read_from.append(mention + told_before.get(at, 0))
        told_before[at] = told_before.get(at, 0) + places_of_fact(fact)
    return PlacedText(placed, tuple(read_from), tuple(inserted))
