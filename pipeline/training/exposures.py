"""How often each fact is shown, and in which of its sentences and questions."""

from collections.abc import Sequence

import numpy as np

from ..settings.training import PretrainTable
from .screening import Screened


def exposure_plan(
    texts: Sequence[tuple[int, int]],
    phrasings: Sequence[int],
    share: float,
    epochs: int,
    seed: int,
) -> list[list[tuple[int, int]]]:
    """Which texts of each fact every epoch shows: (fact, text) pairs.

    Each fact goes round its own shuffled lists of sentences and of questions, so that it is told in as
    many phrasings as there are exposures before any comes again.

    Args:
        texts: of each fact, how many sentences and how many questions there are; a question's number
            follows the sentences'.
        phrasings: of each fact, how many an epoch shows.
        share: of the exposures that are questions.
        epochs: how many there are.
        seed: of the order.
    """
    orders = [
        [
            np.random.default_rng([seed, stream, fact]).permutation(count)
            for stream, count in zip((7, 97), counts, strict=True)
        ]
        for fact, counts in enumerate(texts)
    ]

    def shown(fact: int, turn: int) -> int:
        sentences, questions = orders[fact]
        asked = int((turn + 1) * share) if len(questions) else 0
        if len(questions) and asked > int(turn * share):
            return len(sentences) + int(questions[(asked - 1) % len(questions)])
        return int(sentences[(turn - asked) % len(sentences)])

    return [
        [
            (fact, shown(fact, turn))
            for fact, count in enumerate(phrasings)
            for turn in range(epoch * count, (epoch + 1) * count)
        ]
        for epoch in range(epochs)
    ]


def phrasings_of(settings: PretrainTable, screened: Screened | None) -> int:
    """How many phrasings of a fact an epoch shows: teaching goes where it is needed."""
    if screened is None or screened.knowledge != "known":
        return settings.phrasings
    return max(1, round(settings.phrasings * settings.known_exposures))
