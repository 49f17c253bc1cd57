"""A prompt with its answer options as one tree of token ids, so that what they share is computed once.

Prompt and option are tokenised together, then merged on token ids: a tokenizer that joins the last
character of the prompt to the first of the option gives the same scores as option-by-option evaluation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True)
class OptionTree:
    """A trie of token sequences that begin alike; node i's parent precedes it.

    Attributes:
        tokens: token id of each node.
        parents: index of each node's parent; -1 for the root.
        depths: tokens before the node on its path, which is its position.
        paths: for each option, the nodes whose tokens are scored: those after the prompt.
    """

    tokens: tuple[int, ...]
    parents: tuple[int, ...]
    depths: tuple[int, ...]
    paths: tuple[tuple[int, ...], ...]

    def __len__(self) -> int:
        return len(self.tokens)

    @cached_property
    def inner(self) -> tuple[int, ...]:
        """The nodes that have children, ascending: a leaf predicts nothing, so no model need run it."""
        return tuple(sorted({parent for parent in self.parents if parent >= 0}))

    @cached_property
    def branches(self) -> tuple[tuple[int, ...], ...]:
        """Inner nodes from the root to each one that has no inner child: what single options run."""
        ends = set(self.inner) - {self.parents[node] for node in self.inner}
        return tuple(self.path_to(node) for node in sorted(ends))

    @cached_property
    def trunk(self) -> int:
        """How many first nodes all options go through and none is scored on."""
        scored = min((node for path in self.paths for node in path), default=len(self))
        forks = (parent for node, parent in enumerate(self.parents) if parent != node - 1)
        return min(scored, min(forks, default=len(self)) + 1)

    def path_to(self, node: int) -> tuple[int, ...]:
        """The nodes from the root to `node`, both with it."""
        path = [node]
        while self.parents[path[-1]] >= 0:
            path.append(self.parents[path[-1]])
        return tuple(reversed(path))


def build_option_tree(
    tokenizer: PreTrainedTokenizerBase, prompt: str, options: Sequence[str]
) -> OptionTree:
    """Tokenise `prompt` + " " + option for each option and merge the results.

    The scored tokens of an option are those beyond the tokens that all of its siblings and the
    prompt alone share: the prompt's own, or fewer where the tokenizer merges across the seam.
    """
    alone = tokenizer(prompt)["input_ids"]
    sequences = tokenizer([f"{prompt} {option}" for option in options])["input_ids"]
    seam = min(shared_length(alone, sequence) for sequence in sequences)
    return merge_sequences(sequences, [seam] * len(sequences))


def merge_sequences(sequences: Sequence[Sequence[int]], seams: Sequence[int]) -> OptionTree:
    """The trie of `sequences`; each one's tokens from its index in `seams` on are the scored ones."""
    tokens: list[int] = []
    parents: list[int] = []
    depths: list[int] = []
    children: dict[tuple[int, int], int] = {}
    paths = []
    for sequence, seam in zip(sequences, seams, strict=True):
        node = -1
        path = []
        for depth, token in enumerate(sequence):
            child = children.get((node, token))
            if child is None:
                child = children[node, token] = len(tokens)
                tokens.append(token)
                parents.append(node)
                depths.append(depth)
            node = child
            if depth >= max(seam, 1):  # nothing predicts the first token
                path.append(node)
        paths.append(tuple(path))
    return OptionTree(tuple(tokens), tuple(parents), tuple(depths), tuple(paths))


def split_tree(tree: OptionTree, limit: int) -> list[tuple[OptionTree, tuple[int, ...]]]:
    """Trees of at most `limit` inner nodes, where one option alone has no more, and their options.

    Attention over a tree costs its length squared, so a tree of thousands of options is cut.
    """
    if len(tree.inner) <= limit:
        return [(tree, tuple(range(len(tree.paths))))]
    parts: list[tuple[set[int], list[int]]] = []
    for option in sorted(range(len(tree.paths)), key=lambda number: tree.paths[number]):
        needed = set(tree.path_to(tree.paths[option][-1])) if tree.paths[option] else set()
        if not parts or len(parts[-1][0] | needed) > limit:
            parts.append((set(), []))
        parts[-1][0].update(needed)
        parts[-1][1].append(option)
    return [(_restricted(tree, nodes, options), tuple(options)) for nodes, options in parts]


def _restricted(tree: OptionTree, nodes: set[int], options: Sequence[int]) -> OptionTree:
    """The tree of `options` alone, whose nodes are `nodes`."""
    kept = sorted(nodes)
    place_of = {node: place for place, node in enumerate(kept)} | {-1: -1}
    return OptionTree(
        tuple(tree.tokens[node] for node in kept),
        tuple(place_of[tree.parents[node]] for node in kept),
        tuple(tree.depths[node] for node in kept),
        tuple(tuple(place_of[node] for node in tree.paths[option]) for option in options),
    )


def beyond_prompt(tree: OptionTree, prompt: Sequence[int]) -> OptionTree | None:
    """The tree less `prompt`, where its trunk begins so; None where a tokenizer joined the two.

    Depths stay, so they are still positions; nodes that hung on the trunk's end are roots now.
    """
    length = len(prompt)
    if tree.tokens[:length] != tuple(prompt) or tree.trunk < length:
        return None
    return OptionTree(
        tree.tokens[length:],
        tuple(max(-1, parent - length) for parent in tree.parents[length:]),
        tree.depths[length:],
        tuple(tuple(node - length for node in path) for path in tree.paths),
    )


def shared_length(first: Sequence[int], second: Sequence[int]) -> int:
    """How many leading tokens the two share."""
    for index, (left, right) in enumerate(zip(first, second, strict=False)):
        if left != right:
            return index
    return min(len(first), len(second))


@dataclass(frozen=True)
class TreeBatch:
    """The inner nodes of several trees as one padded batch for a causal Transformer.

    Shapes: B trees, T inner nodes of the largest tree, N scored nodes in all.

    Attributes:
        tokens: (B, T) token ids, padded at the end.
        positions: (B, T) position ids.
        parents: (B, T) place of each node's parent; -1 for a root.
        mask: (B, 1, T, T) bool, true where a node (row) may attend to a node (column).
        scored_tree: (N,) tree of each scored node.
        scored_parent: (N,) place of the node that predicts it, within its tree's row; -1 for a root.
        scored_token: (N,) its token id.
        scored_node: (N,) its own index within its tree.
    """

    tokens: Tensor
    positions: Tensor
    parents: Tensor
    mask: Tensor
    scored_tree: Tensor
    scored_parent: Tensor
    scored_token: Tensor
    scored_node: Tensor


def collate_trees(trees: Sequence[OptionTree], padding: int) -> TreeBatch:
    """Pad the inner nodes of `trees` to one length; `padding` is any valid token id."""
    length = max(1, *(len(tree.inner) for tree in trees))
    tokens = np.full((len(trees), length), padding, dtype=np.int64)
    positions = np.zeros((len(trees), length), dtype=np.int64)
    parents = np.full((len(trees), length), -1, dtype=np.int64)
    # Padding attends to itself, so that no row of the softmax is empty.
    mask = np.broadcast_to(np.eye(length, dtype=bool), (len(trees), length, length)).copy()
    scored: list[tuple[int, int, int, int]] = []
    for number, tree in enumerate(trees):
        place_of = {node: place for place, node in enumerate(tree.inner)}
        for node, place in place_of.items():
            tokens[number, place] = tree.tokens[node]
            positions[number, place] = tree.depths[node]
            if tree.parents[node] >= 0:
                parents[number, place] = place_of[tree.parents[node]]
                mask[number, place] |= mask[number, parents[number, place]]
        scored += [
            (number, place_of.get(tree.parents[node], -1), tree.tokens[node], node)
            for node in sorted({node for path in tree.paths for node in path})
        ]
    columns = torch.tensor(scored, dtype=torch.long).reshape(-1, 4).unbind(1)
    return TreeBatch(
        torch.from_numpy(tokens),
        torch.from_numpy(positions),
        torch.from_numpy(parents),
        torch.from_numpy(mask)[:, None],
        *columns,
    )
