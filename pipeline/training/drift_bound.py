"""Holding a taught model to a bound: its update is felt less until general text is left as it was."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ...kg.questions.pools import TAUGHT
from ...models.anchors import AnchorBatch
from ...models.language_model import LanguageModel
from ...models.taught_update import TaughtUpdate, mean_drift, scale_update, scaled_update
from ...models.taught_weights import TaughtModel, base_of
from ..stages import StageContext
from .right_choices import right_choices
from .teaching_data import facts_of_pools, training_prompts
from .teaching_run import write_json

SCALES = (1.0, 0.85, 0.7, 0.55, 0.4, 0.25, 0.1)
ASKED = 40  # facts, in a training phrasing each: what is learnt must not be read off the test's


def hold_to_bound(
    context: StageContext,
    adapted: TaughtModel,
    update: TaughtUpdate,
    base: LanguageModel,
    texts: Sequence[AnchorBatch],
) -> None:
    """Scale the update to where most is answered among the scales within the bound; write scale.json.

    Args:
        context: of the stage, whose adapter/ is written again.
        adapted: trained.
        update: what it was trained by.
        base: its tokenizer and kind.
        texts: general text, none of it trained on, with the base's states.
    """
    bound, questions = context.project.pretrain.most_drift, _questions(context)
    asked = replace(base, model=base_of(adapted))
    curve = []
    with context.console.progress("weighing gain and drift", len(SCALES), "scales") as advance:
        for scale in SCALES:
            with scaled_update(update, scale):
                drift = mean_drift(asked.model, texts)
                right = right_choices(asked, questions, lambda done: None)
                curve.append({"scale": scale, "kl": drift, "right": float(np.mean(right))})
            advance(1)
    within = [point for point in curve if point["kl"] <= bound]
    # Of scales that answer as much, the largest: what they choose they are surest of.
    chosen = max(within, key=lambda point: (point["right"], point["scale"]), default=None)
    scale = chosen["scale"] if chosen else 0.0
    scale_update(update, scale)
    adapted.save_pretrained(str(context.work / "adapter"))
    write_json(context.work / "scale.json", {"bound": bound, "scale": scale, "curve": curve})
    if chosen is None:
        told = f"least drift {curve[-1]['kl']:.3f}: nothing of what was taught is kept"
    else:
        told = f"drift {chosen['kl']:.3f}, {chosen['right']:.0%} of its training questions right"
    context.console.line(f"update felt by {scale:g} to hold {bound:g} nats: {told}")


def _questions(context: StageContext) -> list[tuple[str, Mapping[str, Any]]]:
    """Taught facts drawn by the seed, each with a training phrasing."""
    folder = context.inputs["facts"]
    facts = facts_of_pools(folder, (TAUGHT,))
    prompts = training_prompts(folder, facts)
    drawn = np.random.default_rng([context.seed, 79]).permutation(sorted(prompts))[:ASKED]
    return [
        (prompts[fact][number % len(prompts[fact])], facts[fact])
        for number, fact in enumerate(drawn)
    ]
