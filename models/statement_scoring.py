"""Log-likelihoods of whole statements under a causal language model, what they share computed once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from transformers import PreTrainedTokenizerBase
from transformers.modeling_utils import PreTrainedModel

from .option_scoring import option_scores, tree_states
from .option_tree import OptionTree, merge_sequences, shared_length
from .read_out import own_read_out


def statement_tree(
    tokenizer: PreTrainedTokenizerBase, statements: Sequence[str], context: str
) -> OptionTree:
    """The statements, each after `context`, merged on their token ids.

    Scored from the first token in which they differ.

    Where the tokenizer has a token for the beginning, each statement begins with it, so that a
    statement that begins with the answer has a score for its first token too.
    """
    sequences = [
        list(row) for row in tokenizer([context + text for text in statements])["input_ids"]
    ]
    begin = tokenizer.bos_token_id
    if begin is not None:
        sequences = [row if row[:1] == [begin] else [begin, *row] for row in sequences]
    shared = min(shared_length(sequences[0], row) for row in sequences)
    return merge_sequences(sequences, [shared] * len(sequences))


def statement_log_likelihoods(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    statements: Sequence[Sequence[str]],
    contexts: Sequence[str],
    batch_tokens: int,
) -> list[np.ndarray]:
    """For each group, the (statements,) log-likelihoods in nats, less what all of the group share.

    The tokens before the first difference add the same to each statement of a group; leaving them out
    changes no comparison within it.

    Args:
        model: an unmodified causal language model.
        tokenizer: its tokenizer.
        statements: groups of whole texts, a group for each question.
        contexts: for each group, what the model reads before it; may be empty.
        batch_tokens: padded tokens of one forward pass.
    """
    trees = [
        statement_tree(tokenizer, texts, context)
        for texts, context in zip(statements, contexts, strict=True)
    ]
    states = tree_states(model, trees, batch_tokens, lambda done: None)
    return option_scores(model, states, trees, [own_read_out])[0]
