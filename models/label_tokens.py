"""An object's label as the tokens that a model of each kind writes in its answer.

A causal model writes an answer up to a line end, which is a token of it. A masked model fills places
that are there: nothing ends an answer.
"""

from __future__ import annotations

from transformers import PreTrainedTokenizerBase

from .language_model import Kind


def label_tokens(tokenizer: PreTrainedTokenizerBase, label: str, kind: Kind) -> tuple[int, ...]:
    """Token ids of a label as it follows a space, and of what ends an answer."""
    if kind == "masked":
        return tuple(tokenizer(f" {label}", add_special_tokens=False)["input_ids"])
    return tuple(tokenizer(f" {label}\n")["input_ids"])


def label_end(tokenizer: PreTrainedTokenizerBase, kind: Kind) -> tuple[int, ...]:
    """The tokens that end every label."""
    if kind == "masked":
        return ()
    return (int(tokenizer("\n")["input_ids"][-1]),)
