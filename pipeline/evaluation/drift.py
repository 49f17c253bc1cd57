"""What each arm does to general text: perplexity, its ratio to the base's, and KL to the base.

A masked model's is the pseudo-perplexity of `masked_scoring`'s likelihood: each token predicted from
all others but the later ones of its word.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase
from transformers.modeling_utils import PreTrainedModel

from ...models.language_model import Kind
from ...models.masked_scoring import MaskedRow, masked_rows, visible_text
from ...models.masked_states import masked_states
from ...models.option_scoring import TreeStates, tree_states
from ...models.option_tree import merge_sequences
from ...models.placed_texts import PlacedText, place_id
from ...models.read_out import ReadOut, own_read_out
from ...models.text_drift import text_drift

Drift = dict[str, dict[str, float]]


@dataclass(frozen=True)
class ReadTexts:
    """Texts of R requests: a text each of a causal model, a masked token of one each of a masked model.

    Attributes:
        texts: what is read.
        visible: what of it may be linked: all, or all but what is masked.
        rows: masked ones; none of a causal model.
        place: id of the token that keeps facts' places in the texts, which nobody is to predict.
    """

    texts: Sequence[str]
    visible: Sequence[str]
    rows: Sequence[MaskedRow]
    place: int | None = None

    def with_places(
        self, tokenizer: PreTrainedTokenizerBase, placed: Sequence[PlacedText]
    ) -> "ReadTexts":
        """The same texts as a model reads them in which facts have places."""
        place, texts = place_id(tokenizer), [each.text for each in placed]
        rows = [
            self._row(tokenizer, number, each, place)
            for number, each in zip(range(len(self.rows)), placed, strict=False)
        ]
        return ReadTexts(texts, self.visible, rows, place)

    def _row(
        self, tokenizer: PreTrainedTokenizerBase, number: int, placed: PlacedText, place: int
    ) -> MaskedRow:
        """Row `number` of a text with places: the same token is masked."""
        row, text = self.rows[number], self.texts[number]
        if placed.text == text:
            return row
        at = masked_rows(tokenizer, text).index(row)
        own = [each for each in masked_rows(tokenizer, placed.text) if each.target != place]
        return own[at]


def read_texts(kind: Kind, tokenizer: PreTrainedTokenizerBase, texts: Sequence[str]) -> ReadTexts:
    """General texts as a model of this kind reads them to predict each of their tokens."""
    if kind == "causal":
        return ReadTexts(texts, texts, ())
    pairs = [(text, row) for text in texts for row in masked_rows(tokenizer, text)]
    visible = [visible_text(tokenizer, text, row) for text, row in pairs]
    return ReadTexts([text for text, _ in pairs], visible, [row for _, row in pairs])


def text_states(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    read: ReadTexts,
    batch_tokens: int,
) -> TreeStates:
    """States at every place of every text that predicts a token."""
    if read.rows:
        requests = range(len(read.rows))
        return masked_states(model, read.rows, requests, batch_tokens, lambda done: None)
    tokens = tokenizer(list(read.texts))["input_ids"]
    trees = [merge_sequences([own], [1]) for own in tokens]
    return _in_order(tree_states(model, trees, batch_tokens, lambda done: None), read.place)


def _in_order(states: TreeStates, place: int | None) -> TreeStates:
    """Text by text and token by token, however they were batched, without what keeps a place."""
    order = np.lexsort((states.scored_node.numpy(), states.scored_tree.numpy()))
    kept = torch.tensor([at for at in order.tolist() if int(states.scored_token[at]) != place])
    return TreeStates(
        states.positions.select(states.scored_row[kept]),
        torch.arange(len(kept)),
        states.scored_token[kept],
        states.scored_tree[kept],
        states.scored_node[kept],
    )


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
