"""The prompt stage: a soft prompt learned from practice facts."""

import numpy as np
import torch

from ...errors import UserError
from ...kg.questions.pools import PRACTICE
from ...models.base_model import load_causal_model, load_tokenizer, resolve_precision
from ...models.soft_prompt import add_soft_prompt, soft_prompt_loss
from ...models.token_batches import (
    TokenBatch,
    WeightedText,
    collate_rows,
    shuffled_batches,
    tokenize_weighted,
)
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
    model = load_causal_model(folder, resolve_precision(context.project.model.precision))
    tokenizer = load_tokenizer(folder)
    rows = tokenize_weighted(tokenizer, practice_texts(context), LONGEST)

    def epoch(number: int) -> list[TokenBatch]:
        random = np.random.default_rng([context.seed, 41, number])
        groups = shuffled_batches([len(row) for row in rows], settings.batch_size, random)
        return [collate_rows([rows[place] for place in group], padding=0) for group in groups]

    wrapped = add_soft_prompt(model, settings.tokens, context.seed)
    teach(
        context,
        wrapped,
        wrapped,
        Curriculum(epoch, lambda batch: int(batch.mask.sum())),
        soft_prompt_loss,
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
