"""How often each fact is shown, and in which of its sentences."""

from collections.abc import Sequence

import numpy as np

from ..settings.training import PretrainTable
from .screening import Screened


def exposure_plan(
    sentences: Sequence[int], phrasings: Sequence[int], epochs: int, seed: int
) -> list[list[tuple[int, int]]]:
    """Which sentences of each fact every epoch shows: (fact, sentence) pairs.

    Each fact goes round its own shuffled list of sentences, so that it is told in as many
    phrasings as there are exposures before any comes again.

    Args:
        sentences: of each fact, how many there are.
        phrasings: of each fact, how many an epoch shows.
        epochs: how many there are.
        seed: of the order.
    """
    orders = [
        np.random.default_rng([seed, 7, fact]).permutation(count)
        for fact, count in enumerate(sentences)
    ]
    return [
        [
            (fact, int(order[turn % len(order)]))
            for fact, (order, count) in enumerate(zip(orders, phrasings, strict=True))
            for turn in range(epoch * count, (epoch + 1) * count)
        ]
        for epoch in range(epochs)
    ]


def phrasings_of(settings: PretrainTable, screened: Screened | None) -> int:
    """How many phrasings of a fact an epoch shows: teaching goes where it is needed."""
    if screened is None or screened.knowledge != "known":
        return settings.phrasings
    return max(1, round(settings.phrasings * settings.known_exposures))
