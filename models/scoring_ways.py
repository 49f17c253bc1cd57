"""Which way a batch of option trees is scored: as trees, after a shared beginning, or one by one.

  tree        each tree is a row, a mask keeps its branches apart: fewest tokens, but attention costs
              the row's length squared
  shared      what the batch's trees begin alike is read once into a key-value cache, the rest comes
              after it as trees: for questions with one context or one template
  one by one  each option is a row: for long options, which share little

A batch goes the way that is fastest by `PassCosts`. Trees need a model that heeds a mask over pairs
and positions over tokens; whether a model does is checked once, on random tokens against its own
logits, so a recurrent or windowed model isn't scored wrongly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from transformers.modeling_utils import PreTrainedModel

from .option_rows import batches_of_rows, option_row_states
from .option_scoring import (
    TreeStates,
    batches_by_length,
    concatenate_states,
    states_after_beginning,
    whole_tree_states,
)
from .option_tree import OptionTree, shared_length
from .pass_costs import PassCosts

Way = Literal["tree", "shared", "one by one"]
WAYS: frozenset[Way] = frozenset({"tree", "shared", "one by one"})
# What leaving the trees must save: costs are measured, and measures waver. Less than the 5 % that a
# choice may lose against options run one by one.
WORTH_LEAVING = 0.97


@dataclass(frozen=True)
class PlannedBatch:
    """Trees that go together, by number, the way they go, and what that costs by prediction."""

    trees: tuple[int, ...]
    way: Way
    seconds: float


@dataclass(frozen=True)
class Planner:
    """Prices batches of trees.

    Attributes:
        trees: what is scored.
        costs: of a pass.
        batch_tokens: padded tokens of one forward pass.
        ways: those that are exact for the model.
    """

    trees: Sequence[OptionTree]
    costs: PassCosts
    batch_tokens: int
    ways: frozenset[Way]

    def plan(self) -> list[PlannedBatch]:
        """The cheaper of two orders, by length and by beginning, each batch in its cheapest way."""
        orders = [batches_by_length(self.trees, self.batch_tokens)]
        if "shared" in self.ways:
            orders.append(list(self._by_beginning()))
        plans = [[self._planned(numbers) for numbers in order] for order in orders]
        return min(plans, key=lambda plan: sum(batch.seconds for batch in plan))

    def _planned(self, numbers: Sequence[int]) -> PlannedBatch:
        prices = {
            "tree": self.tree_seconds,
            "shared": self.shared_seconds,
            "one by one": self.one_by_one_seconds,
        }
        offers = [
            PlannedBatch(tuple(numbers), way, price(numbers))
            for way, price in prices.items()
            if way in self.ways
        ]
        best = min(offers, key=lambda offer: offer.seconds)
        stays = offers[0].seconds * WORTH_LEAVING <= best.seconds
        return offers[0] if stays else best

    def tree_seconds(self, numbers: Sequence[int]) -> float:
        return self._rows_seconds(len(numbers), self._widest(numbers), 0)

    def shared_seconds(self, numbers: Sequence[int]) -> float:
        shared = shared_beginning_of([self.trees[number] for number in numbers])
        if shared == 0 or len(numbers) == 1:
            return self.tree_seconds(numbers)
        begin = self._rows_seconds(1, shared, 0)
        return begin + self._rows_seconds(len(numbers), self._widest(numbers) - shared, shared)

    def one_by_one_seconds(self, numbers: Sequence[int]) -> float:
        lengths = [len(path) for number in numbers for path in self.trees[number].branches]
        batches = batches_of_rows(lengths, self.batch_tokens)
        return sum(self._rows_seconds(len(batch), lengths[batch[0]], 0) for batch in batches)

    def _rows_seconds(self, rows: int, length: int, before: int) -> float:
        """Of a pass over rows of `length` tokens that attend to `before` cached ones as well."""
        tokens = rows * length
        return self.costs.seconds(min(1, tokens), tokens, tokens * (before + length))

    def _widest(self, numbers: Sequence[int]) -> int:
        return max(len(self.trees[number].inner) for number in numbers)

    def _by_beginning(self) -> Iterator[list[int]]:
        """Trees that begin alike together, as long as that is cheaper than apart."""
        batch: list[int] = []
        for number in sorted(range(len(self.trees)), key=self._beginning):
            joined = [*batch, number]
            full = len(joined) * self._widest(joined) > self.batch_tokens
            apart = self.shared_seconds(batch) + self.tree_seconds([number]) if batch else 0.0
            if batch and (full or self.shared_seconds(joined) > apart):
                yield batch
                joined = [number]
            batch = joined
        if batch:
            yield batch

    def _beginning(self, number: int) -> tuple[tuple[int, ...], int]:
        tree = self.trees[number]
        return tree.tokens[: tree.trunk], number


def shared_beginning_of(trees: Sequence[OptionTree]) -> int:
    """How many first tokens all trees' trunks share."""
    first = trees[0]
    return min(min(tree.trunk, shared_length(first.tokens, tree.tokens)) for tree in trees)


def planned_states(
    model: PreTrainedModel,
    trees: Sequence[OptionTree],
    plan: Sequence[PlannedBatch],
    batch_tokens: int,
    advance: Callable[[int], None],
) -> TreeStates:
    """The states of all `trees`, each batch run its way; `advance` counts trees."""
    parts: list[TreeStates] = []
    rows = 0
    for batch in plan:
        own = [trees[number] for number in batch.trees]
        if batch.way == "tree":
            part = whole_tree_states(model, own)
        elif batch.way == "shared":
            part = states_after_beginning(model, own, shared_beginning_of(own))
        else:
            part = option_row_states(model, own, batch_tokens)
        parts.append(part.as_part(batch.trees, rows))
        rows += len(part.positions)
        advance(len(own))
    return concatenate_states(parts)
