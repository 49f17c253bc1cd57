"""How often each fact is shown, and in which of its sentences and questions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..settings.training import PretrainTable
from .screening import Screened
from .teaching_data import TaughtFact

PROFILE = -1  # in place of a text's number


@dataclass(frozen=True)
class TextsOfFact:
    """How many sentences and questions a fact has, and whether its entity has a profile."""

    sentences: int
    questions: int
    profiled: bool = False

    @classmethod
    def of(cls, fact: TaughtFact, profiled: bool = False) -> "TextsOfFact":
        """Those of a taught fact."""
        return cls(len(fact.sentences), len(fact.questions), profiled)


@dataclass(frozen=True)
class ExposureShares:
    """Share of a fact's exposures that are its entity's profile, and of the rest that are questions."""

    questions: float
    profiles: float = 0.0


def exposure_plan(
    texts: Sequence[TextsOfFact],
    phrasings: Sequence[int],
    shares: ExposureShares,
    epochs: int,
    seed: int,
) -> list[list[tuple[int, int]]]:
    """Which texts of each fact every epoch shows: (fact, text) pairs.

    Each fact goes round its own shuffled lists of sentences and of questions, so that it is told in as
    many phrasings as there are exposures before any comes again.

    Args:
        texts: of each fact; a question's number follows the sentences', a profile's is `PROFILE`.
        phrasings: of each fact, how many an epoch shows.
        shares: of the kinds of text.
        epochs: how many there are.
        seed: of the order.
    """
    orders = [
        [
            np.random.default_rng([seed, stream, fact]).permutation(count)
            for stream, count in ((7, of.sentences), (97, of.questions))
        ]
        for fact, of in enumerate(texts)
    ]

    def shown(fact: int, turn: int) -> int:
        sentences, questions = orders[fact]
        if texts[fact].profiled:
            before, profiles = int(turn * shares.profiles), int((turn + 1) * shares.profiles)
            if profiles > before:
                return PROFILE
            turn -= before
        share = shares.questions if len(questions) else 0.0
        asked = int((turn + 1) * share)
        if asked > int(turn * share):
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
