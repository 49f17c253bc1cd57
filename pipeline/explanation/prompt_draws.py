"""The same prompt in neutral variants, so that what is measured on one isn't an accident of its form."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...kg.questions.fact_prompt import FactLine, augmented_prompt
from ...kg.questions.templates import question_prompt
from ...models.answer_explanation import PromptParts
from ...models.answered_prompt import Stretch

# What stands before everything else. None says anything about the question.
LEAD_INS = (
    "",
    "\n",
    "Please go on.\n",
    "Here is some text.\n\n",
    "Hello.\n",
    "###\n",
)
WORD = re.compile(r"\s*\S+")  # some tokenizers make a token of the space


@dataclass(frozen=True)
class PromptDraw:
    """One variant; word i and fact i are the same ones in every variant."""

    text: str
    parts: PromptParts


def prompt_draws(
    prompt: str,
    words: Sequence[Stretch],
    lines: Sequence[FactLine],
    seed: int,
    count: int = len(LEAD_INS),
) -> list[PromptDraw]:
    """`count` variants: each lead-in with the facts in an order of its own.

    The first is the prompt as it is asked, its facts in their own order.

    Args:
        prompt: what is asked.
        words: those of `asked_words` that are knocked out one by one.
        lines: the facts written before it.
        seed: of the orders.
        count: at most as many as there are lead-ins.
    """
    random = np.random.default_rng(seed)
    orders = [list(range(len(lines)))]
    orders += [random.permutation(len(lines)).tolist() for _ in LEAD_INS[1:]]
    return [
        _draw(lead_in, prompt, words, [lines[number] for number in order], order)
        for lead_in, order in zip(LEAD_INS[:count], orders, strict=False)
    ]


def asked_words(prompt: str) -> list[Stretch]:
    """Where the words of what is asked stand in `prompt`, each with the space before it.

    The last word of a prompt that isn't a question is left out: the answer is predicted at it, and
    a place can't be kept from itself.
    """
    start, end = asked_part(prompt)
    found = [(start + m.start(), start + m.end()) for m in WORD.finditer(prompt[start:end])]
    return [word for word in found if word[1] < len(prompt)]


def asked_part(prompt: str) -> Stretch:
    """Where the question stands in a question's prompt; the whole of any other.

    >>> asked_part("Question: Who?\\nAnswer:")
    (10, 14)
    """
    before, after = question_prompt("\0").split("\0")
    if prompt.startswith(before) and prompt.endswith(after):
        return len(before), len(prompt) - len(after)
    return 0, len(prompt)


def _draw(
    lead_in: str,
    prompt: str,
    words: Sequence[Stretch],
    ordered: Sequence[FactLine],
    order: Sequence[int],
) -> PromptDraw:
    # They are known to fit: the arm's own prompt told just these.
    told, _ = augmented_prompt(ordered, prompt, 0, lambda text: 0)
    text = lead_in + told
    asked = len(text) - len(prompt)
    starts = _line_starts(text, ordered)
    ends = [*starts[1:], asked]
    facts: list[Stretch] = [(0, 0)] * len(ordered)
    for number, start, end in zip(order, starts, ends, strict=False):
        facts[number] = (start, end)
    start, end = asked_part(prompt)
    moved = tuple((asked + first, asked + after) for first, after in words)
    return PromptDraw(text, PromptParts((asked + start, asked + end), moved, tuple(facts)))


def _line_starts(text: str, lines: Sequence[FactLine]) -> list[int]:
    """Where each fact's line begins, its number in brackets included."""
    starts, at = [], 0
    for line in lines:
        told = f"] {line.text}."  # the text alone could be found within a number: “1” in “[1]”
        at = text.index(told, at)
        starts.append(text.rindex("\n", 0, at) + 1)
        at += len(told)
    return starts
