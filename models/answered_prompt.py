"""A prompt with its answer as tokens, and the tokens of chosen stretches of the prompt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from transformers import PreTrainedTokenizerBase

from .option_tree import shared_length

Stretch = tuple[int, int]  # first character, and the one after the last


@dataclass(frozen=True)
class AnsweredPrompt:
    """Token ids of a prompt and the answer that follows it.

    Attributes:
        tokens: of both, tokenised together.
        first: place of the answer's first token.
        spans: for each stretch of the prompt, the places of its tokens, ascending.
    """

    tokens: tuple[int, ...]
    first: int
    spans: tuple[tuple[int, ...], ...]

    @property
    def answering(self) -> int:
        """The first place that predicts a token of the answer."""
        return self.first - 1

    @property
    def targets(self) -> tuple[int, ...]:
        """The answer's tokens, each predicted at the place before it."""
        return self.tokens[self.first :]


def answered_prompt(
    tokenizer: PreTrainedTokenizerBase, prompt: str, answer: str, stretches: Sequence[Stretch]
) -> AnsweredPrompt:
    """Tokenise `prompt` + " " + `answer` and find each stretch's tokens.

    A token belongs to the stretch that holds its last character, so that one that begins with the
    space before a word is the word's.

    Args:
        tokenizer: a fast one, which knows each token's characters.
        prompt: what the model completes.
        answer: one character at least.
        stretches: of the prompt; they may overlap.

    Raises:
        ValueError: the answer has no token of its own, or the prompt has none.
    """
    alone = tokenizer(prompt)["input_ids"]
    encoded = tokenizer(f"{prompt} {answer}", return_offsets_mapping=True)
    tokens = encoded["input_ids"]
    first = shared_length(alone, tokens)
    if not 0 < first < len(tokens):
        raise ValueError("a prompt and an answer need a token each")
    last = [end - 1 for _, end in encoded["offset_mapping"]]
    spans = tuple(
        tuple(place for place, at in enumerate(last[:first]) if start <= at < end)
        for start, end in stretches
    )
    return AnsweredPrompt(tuple(tokens), first, spans)
