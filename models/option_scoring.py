"""Log-probabilities of answer options, with each prompt's computation shared among its options."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from transformers.modeling_utils import PreTrainedModel

from .option_tree import OptionTree, TreeBatch, collate_trees
from .read_out import Positions, ReadOut, next_token_log_probabilities

# Places whose full-vocabulary logits are held at once: 256 × 49,152 × 4 bytes = 50 MB.
PLACES_AT_ONCE = 256


@dataclass(frozen=True)
class TreeStates:
    """Hidden states of trees at just the places that predict a scored token.

    Shapes: P predicting places, N scored tokens.

    Attributes:
        positions: the P places; `request` is the tree's number.
        scored_row: (N,) predicting place of each scored token.
        scored_token: (N,) its token id.
        scored_tree: (N,) its tree.
        scored_node: (N,) its node in that tree.
    """

    positions: Positions
    scored_row: Tensor
    scored_token: Tensor
    scored_tree: Tensor
    scored_node: Tensor


def batches_by_length(trees: Sequence[OptionTree], batch_tokens: int) -> list[list[int]]:
    """Tree numbers in batches of similar length, each at most `batch_tokens` with padding."""
    order = sorted(range(len(trees)), key=lambda number: (-len(trees[number]), number))
    batches: list[list[int]] = []
    for number in order:
        widest = len(trees[batches[-1][0]]) if batches else 0
        if not batches or widest * (len(batches[-1]) + 1) > batch_tokens:
            batches.append([])
        batches[-1].append(number)
    return batches


@torch.no_grad()  # not inference mode: fusion trains on these states
def tree_states(
    model: PreTrainedModel,
    trees: Sequence[OptionTree],
    batch_tokens: int,
    advance: Callable[[int], None],
) -> TreeStates:
    """Run the model once over all `trees`; `advance` counts trees.

    Args:
        model: an unmodified causal language model.
        trees: prompts with their options.
        batch_tokens: padded tokens of one forward pass.
        advance: called with the number of trees just done.
    """
    parts: list[TreeStates] = []
    rows = 0
    for numbers in batches_by_length(trees, batch_tokens):
        batch = collate_trees([trees[number] for number in numbers], padding=0)
        hidden = _final_hidden_states(model, batch)
        part = _predicting_states(batch, hidden, torch.tensor(numbers), rows)
        rows += len(part.positions)
        parts.append(part)
        advance(len(numbers))
    return _concatenate(parts)


def option_scores(
    model: PreTrainedModel,
    states: TreeStates,
    trees: Sequence[OptionTree],
    read_outs: Sequence[ReadOut],
) -> list[list[np.ndarray]]:
    """For each read-out and tree, the (options,) log-probabilities of the options, in nats.

    The model's own distribution at a place is computed once for all read-outs.
    """
    scores = []
    for token_scores in scored_log_probabilities(model, states, read_outs):
        by_node = [np.zeros(len(tree)) for tree in trees]
        for tree, node, score in zip(
            states.scored_tree.tolist(),
            states.scored_node.tolist(),
            token_scores.tolist(),
            strict=True,
        ):
            by_node[tree][node] = score
        scores.append(
            [
                np.array([nodes[list(path)].sum() for path in tree.paths])
                for tree, nodes in zip(trees, by_node, strict=True)
            ]
        )
    return scores


@torch.inference_mode()
def scored_log_probabilities(
    model: PreTrainedModel, states: TreeStates, read_outs: Sequence[ReadOut]
) -> list[Tensor]:
    """For each read-out, the (N,) log-probability of each scored token given its path."""
    scores = [torch.empty(len(states.scored_row)) for _ in read_outs]
    for start in range(0, len(states.positions), PLACES_AT_ONCE):
        stop = min(start + PLACES_AT_ONCE, len(states.positions))
        chosen = ((states.scored_row >= start) & (states.scored_row < stop)).nonzero().squeeze(1)
        places = states.positions.select(slice(start, stop))
        own = next_token_log_probabilities(model, places.hidden)
        for result, read_out in zip(scores, read_outs, strict=True):
            table = read_out(places, own)
            result[chosen] = table[states.scored_row[chosen] - start, states.scored_token[chosen]]
    return scores


def _final_hidden_states(model: PreTrainedModel, batch: TreeBatch) -> Tensor:
    """(B, T, D) hidden states after the last norm."""
    minimum = torch.finfo(model.dtype).min
    mask = torch.zeros(batch.mask.shape, dtype=model.dtype).masked_fill(~batch.mask, minimum)
    output = model.base_model(
        input_ids=batch.tokens, attention_mask=mask, position_ids=batch.positions, use_cache=False
    )
    return output.last_hidden_state


def _predicting_states(
    batch: TreeBatch, hidden: Tensor, numbers: Tensor, first_row: int
) -> TreeStates:
    """Keep the states at distinct (tree, parent) places of `hidden`."""
    length = batch.tokens.shape[1]
    places, inverse = torch.unique(
        batch.scored_tree * length + batch.scored_parent, return_inverse=True
    )
    tree, node = places // length, places % length
    # The token before `node` on its path is the deepest other node that it attends to.
    seen = batch.mask[tree, 0, node].clone()
    seen[torch.arange(len(node)), node] = False
    depth = torch.where(seen, batch.positions[tree], -1)
    before = depth.argmax(dim=1)
    previous = torch.where(depth.amax(dim=1) >= 0, batch.tokens[tree, before], -1)
    positions = Positions(
        hidden[tree, node].clone(), batch.tokens[tree, node], previous, numbers[tree]
    )
    return TreeStates(
        positions,
        inverse + first_row,
        batch.scored_token,
        numbers[batch.scored_tree],
        batch.scored_node,
    )


def _concatenate(parts: Sequence[TreeStates]) -> TreeStates:
    """All parts as one; rows are already numbered through."""
    positions = Positions(
        torch.cat([part.positions.hidden for part in parts]),
        torch.cat([part.positions.current for part in parts]),
        torch.cat([part.positions.previous for part in parts]),
        torch.cat([part.positions.request for part in parts]),
    )
    return TreeStates(
        positions,
        torch.cat([part.scored_row for part in parts]),
        torch.cat([part.scored_token for part in parts]),
        torch.cat([part.scored_tree for part in parts]),
        torch.cat([part.scored_node for part in parts]),
    )
