"""One text answered by several arms of a model: freely, or by choice among options."""

from collections.abc import Mapping, Sequence

import numpy as np
from transformers import PreTrainedTokenizerBase
from transformers.modeling_utils import PreTrainedModel

from ..models.answering import answer_questions
from ..models.generation import generate_greedy
from ..models.posed_questions import Posed
from .arms import FusedArm, read_together

BATCH_TOKENS = 2048


def free_answers(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    text: str,
    arms: Mapping[str, FusedArm],
    most: int,
) -> dict[str, str]:
    """What each arm writes after `text`, in at most so many tokens; request 0 is its own."""
    said: dict[str, str] = {}
    for names in read_together(arms):
        read_outs = [arms[name].read_out for name in names]
        first = arms[names[0]]
        with first.asked():
            read = first.text(text).text
            found = generate_greedy(
                model, tokenizer, [read], [0], read_outs, most, 1, lambda done: None
            )
        said |= {name: answers[0] for name, answers in zip(names, found, strict=True)}
    return said


def chosen_shares(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    text: str,
    arms: Mapping[str, FusedArm],
    options: Sequence[str],
) -> dict[str, list[float]]:
    """For each arm, what share of their common probability each option has after `text`.

    Args:
        model: of either kind.
        tokenizer: its tokenizer.
        text: what an option completes after one space.
        arms: of this model; request 0 is the text's own.
        options: to choose from, two at least.
    """
    found: dict[str, list[float]] = {}
    for names in read_together(arms):
        read_outs = [arms[name].read_out for name in names]
        first = arms[names[0]]
        posed = [Posed(first.text(text).text, tuple(options), 0, freely=False)]
        with first.asked():
            answers = answer_questions(
                model, tokenizer, posed, read_outs, 1, BATCH_TOKENS, lambda done: None
            )
        for name, (answered,) in zip(names, answers, strict=True):
            chances = np.exp(answered.scores - answered.scores.max())
            found[name] = (chances / chances.sum()).tolist()
    return found
