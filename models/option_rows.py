"""Options run one by one, each a row of its own: what a tree of options is compared with.

Causal attention doesn't look ahead, so padding at a row's end changes nothing before it, and no mask
is needed: this way works on every causal architecture, recurrent ones as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor
from transformers.modeling_utils import PreTrainedModel

from .option_scoring import TreeStates
from .option_tree import OptionTree
from .pass_costs import TOKENS_A_PASS
from .read_out import Positions

Node = tuple[int, int]  # tree, node
Branch = tuple[int, tuple[int, ...]]  # tree, nodes from its root


def option_row_states(
    model: PreTrainedModel, trees: Sequence[OptionTree], batch_tokens: int
) -> TreeStates:
    """The states of `trees`, their options run in rows; see `tree_states`.

    A place that several options share is run with each of them and kept once.
    """
    branches = [(number, path) for number, tree in enumerate(trees) for path in tree.branches]
    scored = [
        (number, node)
        for number, tree in enumerate(trees)
        for node in sorted({node for path in tree.paths for node in path})
    ]
    wanted = {(number, trees[number].parents[node]) for number, node in scored}
    row_of: dict[Node, int] = {}
    hidden: list[Tensor] = []
    for batch in batches_of_rows([len(path) for _, path in branches], batch_tokens):
        rows = [branches[row] for row in batch]
        places = _new_places(rows, wanted, row_of)
        if places:
            row, place = torch.tensor(places).unbind(1)
            hidden.append(_run_rows(model, trees, rows)[row, place])
    return TreeStates(
        _positions(trees, list(row_of), torch.cat(hidden)),
        torch.tensor([row_of[number, trees[number].parents[node]] for number, node in scored]),
        torch.tensor([trees[number].tokens[node] for number, node in scored]),
        torch.tensor([number for number, _ in scored]),
        torch.tensor([node for _, node in scored]),
    )


def batches_of_rows(lengths: Sequence[int], batch_tokens: int) -> Iterator[list[int]]:
    """Row numbers, longest first, each batch at most `batch_tokens` with padding.

    A batch also ends where its padding costs more than another pass would.
    """
    batch: list[int] = []
    padding = 0
    for row in sorted(range(len(lengths)), key=lambda row: (-lengths[row], row)):
        padding += lengths[batch[0]] - lengths[row] if batch else 0
        full = batch and lengths[batch[0]] * (len(batch) + 1) > batch_tokens
        if full or padding > TOKENS_A_PASS:
            yield batch
            batch, padding = [], 0
        batch.append(row)
    if batch:
        yield batch


def _new_places(
    rows: Sequence[Branch], wanted: set[Node], row_of: dict[Node, int]
) -> list[tuple[int, int]]:
    """(row, place) of each wanted node that no earlier row held; `row_of` numbers them on."""
    places = []
    for row, (number, path) in enumerate(rows):
        for place, node in enumerate(path):
            if (number, node) in wanted and (number, node) not in row_of:
                row_of[number, node] = len(row_of)
                places.append((row, place))
    return places


@torch.no_grad()
def _run_rows(
    model: PreTrainedModel, trees: Sequence[OptionTree], rows: Sequence[Branch]
) -> Tensor:
    """(B, T, D) final hidden states of B rows."""
    tokens = np.zeros((len(rows), max(len(path) for _, path in rows)), dtype=np.int64)
    for row, (number, path) in enumerate(rows):
        tokens[row, : len(path)] = [trees[number].tokens[node] for node in path]
    return model.base_model(torch.from_numpy(tokens), use_cache=False).last_hidden_state


def _positions(trees: Sequence[OptionTree], nodes: Sequence[Node], hidden: Tensor) -> Positions:
    def before(number: int, node: int) -> int:
        parent = trees[number].parents[node]
        return trees[number].tokens[parent] if parent >= 0 else -1

    return Positions(
        hidden,
        torch.tensor([trees[number].tokens[node] for number, node in nodes]),
        torch.tensor([before(number, node) for number, node in nodes]),
        torch.tensor([number for number, _ in nodes]),
    )
