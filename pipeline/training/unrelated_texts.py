"""Texts that nothing in the memory answers, on which a fused model is to stay as its base is.

In a document a mention is followed by much that its facts don't bear on. Questions alone don't show it:
there the asked fact is nearly always in the memory. Here sentences of general prose are read with the
facts of a practice question, as though it had been mentioned in them.
"""

from collections.abc import Sequence

import numpy as np

from ..general_prose import general_prose
from .fusion_practice import PracticeQuestion, UnrelatedText

PREDICTED_WORDS = 6  # at a text's end: an answer of the graph has as many tokens


def unrelated_texts(
    questions: Sequence[PracticeQuestion], count: int, seed: int
) -> list[UnrelatedText]:
    """So many paragraphs of general prose, none twice before all have come, each with a question's facts.

    Args:
        questions: whose facts may be read.
        count: of texts.
        seed: of the draw.
    """
    random = np.random.default_rng([seed, 67])
    paragraphs = general_prose()
    chosen = np.resize(random.permutation(len(paragraphs)), count)
    return [_text(paragraphs[number], questions, random) for number in chosen]


def _text(
    paragraph: str, questions: Sequence[PracticeQuestion], random: np.random.Generator
) -> UnrelatedText:
    words = paragraph.split()
    beginning, end = words[:-PREDICTED_WORDS], words[-PREDICTED_WORDS:]
    mentioned = " ".join(beginning[: random.integers(1, len(beginning) + 1)])
    reads = questions[int(random.integers(len(questions)))]
    return UnrelatedText(" ".join(beginning), " ".join(end), reads, len(mentioned))
