"""The facts in an arm's memory and the layers that read them, as the JSON of an explanation has them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...models.memory_knock_out import FactWeights, MemoryReading
from ..measures.effects import mean_effects
from ..words import clean_text
from .written_effects import DIGITS, written

Json = dict[str, Any]


@dataclass(frozen=True)
class TracedFact:
    """A fact that an arm is given, in words, and where each triple behind it comes from."""

    text: str
    cited: tuple[str, ...]


def memory_part(facts: Sequence[TracedFact], found: Sequence[MemoryReading | None]) -> Json | None:
    """What an arm read in its memory, over V variants of a prompt; None where it has no memory.

    Args:
        facts: in the memory, in its order.
        found: what was read at each variant.

    Returns:
        {"facts": [{"text", "attention", "by_reading_layer", "effect", "low", "high", "shown",
        "cited"}], "all_facts": {"effect", "low", "high", "shown"}, "base_weight", "reading_layers": [{"layer", "on_facts", "base_weight", "effect",
        "low", "high", "shown"}]}; a layer's effect is that of its reading nothing, and weights are
        null where the arm reads without attending.
    """
    memories = [memory for memory in found if memory is not None]
    if not memories:
        return None
    null, weights = _means([memory.weights for memory in memories])
    layers = range(len(memories[0].layers))
    by_layer = [_means([memory.layers[at].weights for memory in memories]) for at in layers]
    effects = mean_effects(
        np.stack([(memory.without - memory.score).numpy() for memory in memories])
    )
    (all_facts,) = mean_effects(
        np.array([[memory.without_all - memory.score] for memory in memories])
    )
    return {
        "facts": [
            {
                "text": clean_text(fact.text),
                "attention": _of(weights, at),
                "by_reading_layer": [_of(each, at) for _, each in by_layer],
                **written(effect),
                "cited": [clean_text(line) for line in fact.cited],
            }
            for at, (fact, effect) in enumerate(zip(facts, effects, strict=True))
        ],
        "all_facts": written(all_facts),
        "base_weight": null,
        "reading_layers": _layers(memories, [null for null, _ in by_layer]),
    }


def _layers(memories: Sequence[MemoryReading], nulls: Sequence[float | None]) -> list[Json]:
    if not nulls:
        return []
    effects = mean_effects(
        np.array([[layer.without - each.score for layer in each.layers] for each in memories])
    )
    return [
        {
            "layer": layer.layer + 1,
            "on_facts": None if null is None else round(1 - null, DIGITS),
            "base_weight": null,
            **written(effect),
        }
        for layer, null, effect in zip(memories[0].layers, nulls, effects, strict=True)
    ]


def _means(found: Sequence[FactWeights | None]) -> tuple[float | None, np.ndarray | None]:
    """Mean weight of the null slot, and (F,) of each fact; None where nothing attends."""
    there = [weights for weights in found if weights is not None]
    if not there:
        return None, None
    null = float(np.mean([weights.null for weights in there]))
    return round(null, DIGITS), np.mean([weights.facts.numpy() for weights in there], axis=0)


def _of(weights: np.ndarray | None, at: int) -> float | None:
    return None if weights is None else round(float(weights[at]), DIGITS)
