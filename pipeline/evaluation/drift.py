"""What each arm does to general text: perplexity, its ratio to the base's, and KL to the base."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import Tensor
from transformers import PreTrainedTokenizerBase
from transformers.modeling_utils import PreTrainedModel

from ...models.option_scoring import TreeStates, tree_states
from ...models.option_tree import merge_sequences
from ...models.read_out import ReadOut, own_read_out
from ...models.text_drift import text_drift

Drift = dict[str, dict[str, float]]


def general_texts(path: Path) -> list[str]:
    """The passages of general text, one a line."""
    return [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def text_states(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[str],
    batch_tokens: int,
) -> TreeStates:
    """States at every place of every text."""
    trees = [merge_sequences([tokens], [1]) for tokens in tokenizer(list(texts))["input_ids"]]
    return tree_states(model, trees, batch_tokens, lambda done: None)


def drift_of(
    model: PreTrainedModel,
    states: TreeStates,
    base_hidden: Tensor,
    read_outs: Mapping[str, ReadOut],
) -> Drift:
    """Each arm's perplexity and divergence on texts that were run through its model.

    Args:
        model: of all these arms.
        states: its states on the texts.
        base_hidden: (P, D) the base's final hidden states at the same places.
        read_outs: each arm's.
    """
    drift = {}
    for arm, read_out in read_outs.items():
        found = text_drift(model, states, base_hidden, read_out)
        drift[arm] = {
            "perplexity": found.perplexity,
            "kl": found.divergence,
            "tokens": found.tokens,
        }
    return drift


def adapted_drift(
    model: PreTrainedModel, states: TreeStates, base_hidden: Tensor, arm: str
) -> Drift:
    """The same for a model with weights of its own."""
    return drift_of(model, states, base_hidden, {arm: own_read_out})


def with_ratios(drift: Drift) -> Drift:
    """Each arm's perplexity over the base's beside it."""
    base = drift["base"]["perplexity"]
    return {arm: {**found, "ratio": found["perplexity"] / base} for arm, found in drift.items()}
