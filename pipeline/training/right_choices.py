"""Whether a model chooses a fact's true object: for what stages measure while they teach."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...models.answering import answer_questions
from ...models.language_model import LanguageModel
from ...models.posed_questions import Posed
from ...models.read_out import own_read_out

BATCH_TOKENS = 2048


def right_choices(
    model: LanguageModel,
    asked: Sequence[tuple[str, Mapping[str, Any]]],
    advance: Callable[[int], None],
) -> list[bool]:
    """For each prompt and its row of facts.parquet, whether the likeliest option is the right one.

    Args:
        model: of either kind.
        asked: prompts with their facts.
        advance: called with the number of prompts just answered.
    """
    posed = [Posed(prompt, tuple(fact["options"]), 0, freely=False) for prompt, fact in asked]
    (answers,) = answer_questions(
        model.model, model.tokenizer, posed, [own_read_out], 1, BATCH_TOKENS, advance, (0,)
    )
    return [
        int(given.scores.argmax()) == fact["correct"]
        for given, (_, fact) in zip(answers, asked, strict=True)
    ]
