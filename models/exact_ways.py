"""Which ways of scoring give a model's own numbers: asked of the model itself, once."""

from __future__ import annotations

from collections.abc import Sequence
from inspect import signature
from weakref import WeakKeyDictionary

import numpy as np
import torch
from transformers.modeling_utils import PreTrainedModel

from ..errors import UserError
from .near_ties import relative_error, tolerance_of
from .option_scoring import option_scores
from .option_tree import OptionTree, merge_sequences
from .read_out import own_read_out
from .scoring_ways import PlannedBatch, Way, planned_states

# A tree is laid out in another order than its texts are read, so a window over places cuts wrongly.
WINDOWS = ("sliding_window", "attention_chunk_size", "window_size", "attention_window")
NEEDED = {"attention_mask", "position_ids", "past_key_values"}
CHECKED: tuple[Way, ...] = ("one by one", "tree", "shared")

_known: WeakKeyDictionary[PreTrainedModel, frozenset[Way]] = WeakKeyDictionary()


def exact_ways(model: PreTrainedModel) -> frozenset[Way]:
    """The ways whose scores of a few random options are those of the model's own logits.

    Raises:
        UserError: not even options run one by one are, so the model does more after its last hidden
            state than this package knows of.
    """
    if model not in _known:
        takes = set(signature(model.base_model.forward).parameters) >= NEEDED
        trees = _random_trees(model.config.get_text_config().vocab_size)
        own = [_own_scores(model, tree) for tree in trees]
        ways = CHECKED if takes else CHECKED[:1]
        _known[model] = frozenset(way for way in ways if _agrees(model, trees, own, way))
    if "one by one" not in _known[model]:
        problem = f"A {model.config.model_type} model's scores aren't those of its hidden states."
        raise UserError(problem, str(model.name_or_path), "Give a model of another architecture.")
    return _known[model]


def longest_tree(model: PreTrainedModel) -> int | None:
    """Inner nodes from which on a tree would outgrow the model's attention window; None without one."""
    config = model.config.get_text_config()
    widths = [getattr(config, name, None) for name in WINDOWS]
    return min((width for width in widths if isinstance(width, int)), default=None)


def _random_trees(vocabulary: int) -> list[OptionTree]:
    """Two trees that begin alike; their options branch within what is run."""
    drawn = np.random.default_rng(0).integers(vocabulary // 2, vocabulary, 20).tolist()
    begin, rest = drawn[:4], iter(drawn[4:])
    trees = []
    for _ in range(2):
        prompt = [*begin, next(rest)]
        options = [[next(rest) for _ in range(length)] for length in (1, 2, 3)]
        trees.append(merge_sequences([prompt + option for option in options], [5] * 3))
    return trees


@torch.inference_mode()
def _own_scores(model: PreTrainedModel, tree: OptionTree) -> np.ndarray:
    """The options' log-probabilities by the model's own logits, each text alone."""
    scores = []
    for path in tree.paths:
        nodes = tree.path_to(path[-1])
        tokens = [tree.tokens[node] for node in nodes]
        table = model(torch.tensor([tokens])).logits[0].float().log_softmax(-1)
        scores.append(sum(table[tree.depths[n] - 1, tree.tokens[n]].item() for n in path))
    return np.array(scores)


def _agrees(
    model: PreTrainedModel, trees: Sequence[OptionTree], own: Sequence[np.ndarray], way: Way
) -> bool:
    plan = [PlannedBatch(tuple(range(len(trees))), way, 0.0)]
    try:
        states = planned_states(model, trees, plan, 1024, lambda done: None)
    except (IndexError, NotImplementedError, RuntimeError, TypeError, ValueError):
        return False  # what a model does with a mask that it wasn't written for is its own affair
    found = option_scores(model, states, trees, [own_read_out])[0]
    worst = max(relative_error(left, right) for left, right in zip(found, own, strict=True))
    return worst <= tolerance_of(model.dtype)
