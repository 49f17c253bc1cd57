"""Log-probabilities of answer options, with each prompt's computation shared among its options."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from transformers.modeling_utils import PreTrainedModel

from .fusion_session import rows_of
from .option_tree import OptionTree, TreeBatch, beyond_prompt, collate_trees
from .prompt_reading import ReadPrompts, read_for_all
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

    def asked_as(self, requests: Tensor) -> TreeStates:
        """The same, each tree's number replaced by (B,) `requests` where read-outs see it."""
        places = replace(self.positions, request=requests[self.positions.request])
        return replace(self, positions=places)

    def as_part(self, numbers: Sequence[int], first_row: int) -> TreeStates:
        """The same as a part of more: its trees are `numbers`, its rows begin at `first_row`."""
        own = torch.tensor(numbers)
        return replace(
            self.asked_as(own),
            scored_row=self.scored_row + first_row,
            scored_tree=own[self.scored_tree],
        )


def batches_by_length(trees: Sequence[OptionTree], batch_tokens: int) -> list[list[int]]:
    """Tree numbers in batches of similar length, each at most `batch_tokens` with padding."""
    order = sorted(range(len(trees)), key=lambda number: (-len(trees[number].inner), number))
    batches: list[list[int]] = []
    for number in order:
        widest = len(trees[batches[-1][0]].inner) if batches else 0
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
    requests: Tensor | None = None,
) -> TreeStates:
    """Run the model once over all `trees`; `advance` counts trees.

    Args:
        model: an unmodified causal language model.
        trees: prompts with their options.
        batch_tokens: padded tokens of one forward pass.
        advance: called with the number of trees just done.
        requests: (trees,) number by which read-outs and sessions know each; None: its own.
    """
    known = torch.arange(len(trees)) if requests is None else requests
    parts: list[TreeStates] = []
    rows = 0
    for numbers in batches_by_length(trees, batch_tokens):
        with rows_of(known[numbers]):
            part = whole_tree_states(model, [trees[number] for number in numbers])
        parts.append(part.as_part(numbers, rows))
        rows += len(part.positions)
        advance(len(numbers))
    return concatenate_states(parts).asked_as(known)


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


@torch.no_grad()
def whole_tree_states(model: PreTrainedModel, trees: Sequence[OptionTree]) -> TreeStates:
    """Run trees that hold their whole texts, in one pass."""
    batch = collate_trees(trees, padding=0)
    output = model.base_model(
        input_ids=batch.tokens,
        attention_mask=_additive(batch.mask, model.dtype),
        position_ids=batch.positions,
        use_cache=False,
    )
    previous = _previous(batch, torch.tensor(-1))
    return _predicting_states(batch, _Row(output.last_hidden_state, batch.tokens, previous, 0))


@dataclass(frozen=True)
class _Row:
    """What stands at the places of trees. Shapes: B trees, T places, D hidden width.

    Attributes:
        hidden: (B, T, D) final hidden states, after the last norm.
        tokens, previous: (B, T) token id at each place, and before it; -1 for none.
        first: place of the first inner node; the prompt's end stands before it, if at all.
    """

    hidden: Tensor
    tokens: Tensor
    previous: Tensor
    first: int


@torch.inference_mode()
def states_after(
    model: PreTrainedModel, read: ReadPrompts, trees: Sequence[OptionTree], requests: Tensor
) -> TreeStates:
    """Run what `beyond_prompt` left of B trees after their B prompts, whose cache stays as it was.

    Args:
        model: an unmodified causal language model.
        read: the prompts.
        trees: in their order.
        requests: (B,) number by which read-outs know each.
    """
    batch = collate_trees(trees, padding=0)
    hidden, tokens = read.hidden[:, None], read.current[:, None]
    previous = read.previous[:, None]
    if any(tree.inner for tree in trees):
        prompt = read.mask.bool()[:, None, None].expand(-1, -1, batch.tokens.shape[1], -1)
        with rows_of(requests):
            output = model.base_model(
                input_ids=batch.tokens,
                attention_mask=_additive(torch.cat([prompt, batch.mask], dim=-1), model.dtype),
                position_ids=batch.positions,
                past_key_values=read.cache,
                use_cache=True,
            )
        read.cache.crop(-batch.tokens.shape[1])
        hidden = torch.cat([hidden, output.last_hidden_state], dim=1)
        previous = torch.cat([previous, _previous(batch, tokens)], dim=1)
        tokens = torch.cat([tokens, batch.tokens], dim=1)
    states = _predicting_states(batch, _Row(hidden, tokens, previous, 1))
    return states.asked_as(requests)


def states_after_beginning(
    model: PreTrainedModel, trees: Sequence[OptionTree], shared: int
) -> TreeStates:
    """Run `trees`, whose trunks share their first `shared` tokens, those once for all."""
    begin = trees[0].tokens[:shared]
    rests = [beyond_prompt(tree, begin) for tree in trees]
    read = read_for_all(model, begin, len(trees))
    after = [rest for rest in rests if rest is not None]
    states = states_after(model, read, after, torch.arange(len(trees)))
    return replace(states, scored_node=states.scored_node + shared)


def _additive(mask: Tensor, dtype: torch.dtype) -> Tensor:
    return torch.zeros(mask.shape, dtype=dtype).masked_fill(~mask, torch.finfo(dtype).min)


def _previous(batch: TreeBatch, before: Tensor) -> Tensor:
    """(B, T) token id before each node; (B, 1) `before` for roots."""
    own = batch.tokens.gather(1, batch.parents.clamp(min=0))
    return torch.where(batch.parents >= 0, own, before)


def _predicting_states(batch: TreeBatch, row: _Row) -> TreeStates:
    """Keep the states at distinct (tree, parent) places of `row`."""
    length = row.tokens.shape[1]
    places, inverse = torch.unique(
        batch.scored_tree * length + batch.scored_parent + row.first, return_inverse=True
    )
    tree, place = places // length, places % length
    positions = Positions(
        row.hidden[tree, place].clone(), row.tokens[tree, place], row.previous[tree, place], tree
    )
    return TreeStates(positions, inverse, batch.scored_token, batch.scored_tree, batch.scored_node)


def concatenate_states(parts: Sequence[TreeStates]) -> TreeStates:
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
