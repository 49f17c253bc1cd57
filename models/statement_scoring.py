"""Log-likelihoods of whole statements under a causal language model, what they share computed once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from transformers import PreTrainedTokenizerBase
from transformers.modeling_utils import PreTrainedModel

from .exact_ways import exact_ways, longest_tree
from .near_ties import CANONICAL_TOKENS, settle_near_ties
from .option_scoring import option_scores
from .option_tree import OptionTree, merge_sequences, shared_length, split_tree
from .pass_costs import PassCosts, estimated_costs
from .read_out import own_read_out
from .scoring_ways import Planner, Way, planned_states


def statement_tree(
    tokenizer: PreTrainedTokenizerBase, statements: Sequence[str], context: str
) -> OptionTree:
    """The statements, each after `context`, merged on their token ids.

    Scored from the first token in which they differ.

    Where the tokenizer has a token for the beginning, each statement begins with it, so that a
    statement that begins with the answer has a score for its first token too. Where it has none, the
    token for the end does the same for statements whose first words differ, as in lm-evaluation-harness.
    """
    texts = [context + text for text in statements]
    sequences = [list(row) for row in tokenizer(texts)["input_ids"]]
    begin = tokenizer.bos_token_id
    if begin is None and len({tuple(text.split(maxsplit=1)[:1]) for text in texts}) > 1:
        begin = tokenizer.eos_token_id
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
    costs: PassCosts | None = None,
) -> list[np.ndarray]:
    """For each group, the (statements,) log-likelihoods in nats, less what all of the group share.

    The tokens before the first difference add the same to each statement of a group; leaving them out
    changes no comparison within it. Which statement scores highest doesn't depend on how groups are
    batched; see `near_ties`.

    Args:
        model: an unmodified causal language model.
        tokenizer: its tokenizer.
        statements: groups of whole texts, a group for each question.
        contexts: for each group, what the model reads before it; may be empty.
        batch_tokens: padded tokens of one forward pass.
        costs: of a pass, by which each batch's way is chosen; None to estimate them.

    Raises:
        UserError: the model's architecture can't be scored.
    """
    trees = [
        statement_tree(tokenizer, texts, context)
        for texts, context in zip(statements, contexts, strict=True)
    ]
    return tree_log_likelihoods(model, trees, batch_tokens, costs or estimated_costs(model))


def tree_log_likelihoods(
    model: PreTrainedModel, trees: Sequence[OptionTree], batch_tokens: int, costs: PassCosts
) -> list[np.ndarray]:
    """For each tree, its options' log-probabilities; see `statement_log_likelihoods`."""
    ways = exact_ways(model)
    own_way: Way = "tree" if "tree" in ways else "one by one"

    def alone(number: int) -> np.ndarray:
        question = [trees[number]]
        return _scores(model, question, CANONICAL_TOKENS, costs, frozenset({own_way}))[0]

    found = _scores(model, trees, batch_tokens, costs, ways)
    return settle_near_ties(found, alone, model.dtype)


def _scores(
    model: PreTrainedModel,
    trees: Sequence[OptionTree],
    batch_tokens: int,
    costs: PassCosts,
    ways: frozenset[Way],
) -> list[np.ndarray]:
    """As computed in batches; options that are one token sequence have nothing to score: zeros."""
    window = longest_tree(model) or batch_tokens
    parts = [
        (number, part, options)
        for number, tree in enumerate(trees)
        for part, options in split_tree(tree, min(batch_tokens, window))
        if any(part.paths)
    ]
    small = [part for _, part, _ in parts]
    if longest_tree(model) and any(len(part.inner) > window for part in small):
        ways = frozenset({"one by one"})
    scores = [np.zeros(len(tree.paths)) for tree in trees]
    if small:
        plan = Planner(small, costs, batch_tokens, ways).plan()
        states = planned_states(model, small, plan, batch_tokens, lambda done: None)
        found = option_scores(model, states, small, [own_read_out])[0]
        for (number, _, options), own in zip(parts, found, strict=True):
            scores[number][list(options)] = own
    return scores
