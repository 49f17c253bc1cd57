"""What the base knows of the facts before it is taught them (Gekhman et al. 2024).

Each fact is asked in training phrasings, which the evaluation never uses: among options, and of a causal
model also by one answer sampled at temperature 1.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ...kg.questions.answer_matching import outcome
from ...kg.questions.pools import TAUGHT
from ...models.anchors import sample_texts
from ...models.language_model import LanguageModel
from ..console import Console
from ..stages import StageContext
from .right_choices import right_choices
from .teaching_data import facts_of_pools, training_prompts
from .teaching_run import write_json

SAMPLED_TOKENS = 12  # of an answer: the longest of the demo's taught facts has 10
Knowledge = Literal["known", "maybe", "unknown"]


@dataclass(frozen=True)
class Screened:
    """One fact: how often it was asked, chosen among options, and said freely."""

    asked: int
    chosen: int
    said: int

    @property
    def knowledge(self) -> Knowledge:
        """Known where every choice or every word is right, unknown where none is."""
        if self.asked in (self.chosen, self.said):
            return "known"
        return "maybe" if self.chosen or self.said else "unknown"


def screened_facts(context: StageContext, base: LanguageModel) -> dict[str, Screened]:
    """What the base knows of the taught facts, by fact; none where the project has none asked.

    It is written into the stage's folder.
    """
    count, folder = context.project.pretrain.screened, context.inputs["facts"]
    screened: dict[str, Screened] = {}
    if count:
        taught = facts_of_pools(folder, (TAUGHT,))
        questions = training_prompts(folder, taught)
        facts = [fact for name, fact in taught.items() if name in questions]
        found = screen_facts(base, facts, questions, count, context.seed, context.console)
        screened = {fact["fact"]: each for fact, each in zip(facts, found, strict=True)}
        told = Counter(each.knowledge for each in found)
        context.console.line(
            f"of {len(found)} facts the base knows {told['known']}, "
            f"{told['maybe']} perhaps and {told['unknown']} not"
        )
    write_screening(context.work, screened)
    return screened


def screen_facts(
    base: LanguageModel,
    facts: Sequence[Mapping[str, Any]],
    questions: Mapping[str, Sequence[str]],
    phrasings: int,
    seed: int,
    console: Console,
) -> list[Screened]:
    """Ask the base each fact.

    Args:
        base: before anything is taught.
        facts: rows of facts.parquet.
        questions: by fact, its training phrasings.
        phrasings: in how many of them each is asked, drawn by the seed.
        seed: of the draw and of the samples.
        console: told how far it is.
    """
    drawn = [
        _drawn(questions[str(fact["fact"])], phrasings, seed, number)
        for number, fact in enumerate(facts)
    ]
    asked = [(number, prompt) for number, prompts in enumerate(drawn) for prompt in prompts]
    with console.progress("asking what is known", len(asked), "questions") as advance:
        right = right_choices(base, [(prompt, facts[at]) for at, prompt in asked], advance)
    said = _sampled(base, [prompt for _, prompt in asked], seed, console)
    counts = np.zeros((len(facts), 2), dtype=int)
    for (at, _), chosen, text in zip(asked, right, said, strict=True):
        counts[at, 0] += chosen
        counts[at, 1] += text is not None and outcome(text, facts[at]["aliases"]) == "right"
    return [
        Screened(len(prompts), int(chosen), int(named))
        for prompts, (chosen, named) in zip(drawn, counts, strict=True)
    ]


def write_screening(folder: Path, screened: Mapping[str, Screened]) -> None:
    """Into a stage's folder: by fact, its counts and what they come to."""
    document = {
        fact: {**asdict(found), "knowledge": found.knowledge} for fact, found in screened.items()
    }
    write_json(folder / "screening.json", document)


def _drawn(prompts: Sequence[str], count: int, seed: int, fact: int) -> list[str]:
    order = np.random.default_rng([seed, 73, fact]).permutation(len(prompts))
    return [prompts[number] for number in order[:count]]


def _sampled(
    base: LanguageModel, prompts: Sequence[str], seed: int, console: Console
) -> list[str | None]:
    """What a causal model says after each prompt, up to the line's end; a masked one says nothing."""
    if base.kind == "masked" or not prompts:
        return [None] * len(prompts)
    total = len(prompts) * SAMPLED_TOKENS
    with console.progress("sampling what it says", total, "tokens") as advance:
        texts = sample_texts(base.model, base.tokenizer, prompts, SAMPLED_TOKENS, seed, advance)
    said = [str(base.tokenizer.decode(list(text[-SAMPLED_TOKENS:]))) for text in texts]
    return [text.strip().partition("\n")[0] for text in said]
