"""The prompt stage: a soft prompt learned from practice facts."""

from functools import partial

import numpy as np
import torch

from ...errors import UserError
from ...kg.questions.pools import PRACTICE
from ...models.base_model import resolve_precision
from ...models.language_model import load_language_model
from ...models.masked_texts import answered_texts
from ...models.predicted_texts import (
    PredictedBatch,
    WeightedText,
    collate_predicted,
    continued_texts,
    predicted_part,
)
from ...models.soft_prompt import add_soft_prompt, soft_prompt_loss, special_beginning
from ...models.token_batches import shuffled_batches
from ...models.training import Curriculum, TrainingSettings
from ..stages import StageContext
from .teaching_data import facts_of_pools, training_prompts
from .teaching_run import teach

LONGEST = 512  # tokens of a question with its answer


def run(context: StageContext) -> None:
    """Learn the prompt on the base model; write adapter/ and training.json.

    Raises:
        UserError: there are no practice facts.
    """
    settings, folder = context.project.prompt, context.inputs["base"]
    torch.manual_seed(context.seed)
    loaded = load_language_model(folder, None, resolve_precision(context.project.model.precision))
    read = answered_texts if loaded.kind == "masked" else continued_texts
    rows = read(loaded.tokenizer, practice_texts(context), LONGEST)

    def epoch(number: int) -> list[PredictedBatch]:
        random = np.random.default_rng([context.seed, 41, number])
        groups = shuffled_batches([len(row) for row in rows], settings.batch_size, random)
        return [collate_predicted([rows[place] for place in group]) for group in groups]

    wrapped = add_soft_prompt(loaded.model, settings.tokens, context.seed)
    teach(
        context,
        "prompt",
        wrapped,
        wrapped,
        Curriculum(epoch, lambda batch: batch.size, predicted_part),
        partial(soft_prompt_loss, beginning=special_beginning(loaded.tokenizer)),
        TrainingSettings(settings.learning_rate, settings.epochs),
    )


def practice_texts(context: StageContext) -> list[WeightedText]:
    """A training question of each of the practice facts with its answer, on which the loss lies."""
    folder = context.inputs["facts"]
    facts = facts_of_pools(folder, (PRACTICE,))
    prompts = training_prompts(folder, facts)
    if not prompts:
        raise UserError(
            "there are no practice facts to learn a soft prompt from",
            f"{context.project.file.name}:facts.practice",
            "Raise it above 0, or name predicates with more facts.",
        )
    random = np.random.default_rng([context.seed, 43])
    order = random.permutation(sorted(prompts))[: context.project.prompt.facts]
    chosen = [(fact, prompts[fact][int(random.integers(len(prompts[fact])))]) for fact in order]
    return [
        WeightedText(f"{prompt} {facts[fact]['answer']}\n", len(prompt), 0.0)
        for fact, prompt in chosen
    ]
