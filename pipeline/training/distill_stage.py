"""The distill stage: context distillation. The teacher reads the graph's facts, the student doesn't."""

from functools import partial

import numpy as np
import torch

from ...kg.questions.pools import TAUGHT
from ...models.anchors import AnchorBatch, AnchoredBatch, anchored_loss, anchored_part
from ...models.kept_bottom import frozen_blocks
from ...models.language_model import load_language_model
from ...models.packed_texts import Collate, collate_for
from ...models.taught_weights import base_of, load_for_more_training
from ...models.teacher_cache import (
    Lesson,
    TaughtBatch,
    TaughtText,
    cache_teacher,
    collate_taught,
    distillation_loss,
    taught_part,
)
from ...models.token_batches import shuffled_batches
from ...models.training import Curriculum, TrainingSettings
from ..graph_reader import GraphReader
from ..settings.training import DistillTable
from ..stages import StageContext
from .teacher import TEACHER_BATCH_TOKENS, right_answers, teacher_contexts
from .teaching_data import facts_of_pools, make_anchors, training_prompts, turn_of
from .teaching_run import taught_precision, teach, write_json


def run(context: StageContext) -> None:
    """Write adapter/, training.json and gate.json."""
    settings, base_folder = context.project.distill, context.inputs["base"]
    torch.manual_seed(context.seed)
    precision = taught_precision(context)
    base = load_language_model(base_folder, None, precision)
    taught = facts_of_pools(context.inputs["facts"], (TAUGHT,))
    facts = list(taught.values())
    reader = GraphReader.open(context.inputs["ingest"], context.inputs["facts"])
    contexts = teacher_contexts(reader, base.tokenizer, facts, settings, context.seed)
    questions = training_prompts(context.inputs["facts"], taught)
    right = right_answers(base, facts, contexts, questions, context.console)
    write_json(context.work / "gate.json", {"accuracy": float(np.mean(right)), "facts": len(right)})
    context.console.line(
        f"the teacher is right on {sum(right)} of {len(right)} facts that it reads; "
        "the others are taught by their answers alone"
    )
    lessons = _lessons(facts, contexts, right, questions, settings, context.seed)
    with context.console.progress("asking the teacher", len(lessons), "facts") as advance:
        rows = cache_teacher(
            base.model,
            base.tokenizer,
            lessons,
            settings.temperature,
            settings.top_k,
            TEACHER_BATCH_TOKENS,
            advance,
        )
    count = context.project.pretrain.anchor_texts if settings.anchor_weight else 0
    anchors = make_anchors(context, base, count, 1)
    frozen = frozen_blocks(base.model, context.project.pretrain.layers)
    collate = collate_for(base.model, [row.text for row in rows] * settings.epochs, frozen)
    epochs = [
        _epoch(rows, anchors, settings, collate, np.random.default_rng([context.seed, 19, number]))
        for number in range(settings.epochs)
    ]
    del base
    loss = partial(distillation_loss, temperature=settings.temperature)
    adapter = context.inputs["pretrain"] / "adapter"
    adapted = load_for_more_training(base_folder, adapter, precision)
    teach(
        context,
        "distill",
        adapted,
        base_of(adapted),
        Curriculum(
            epochs.__getitem__, lambda batch: batch.taught.texts.size, anchored_part(taught_part)
        ),
        anchored_loss(loss, settings.anchor_weight),
        TrainingSettings(settings.learning_rate, settings.epochs),
    )


def _lessons(
    facts: list[dict],
    contexts: list[str],
    right: list[bool],
    questions: dict[str, list[str]],
    settings: DistillTable,
    seed: int,
) -> list[Lesson]:
    """`phrasings` questions on each fact; one that the teacher gets wrong is taught by its answer."""
    lessons = []
    for number, (fact, text, trusted) in enumerate(zip(facts, contexts, right, strict=True)):
        prompts = questions[fact["fact"]]
        order = np.random.default_rng([seed, 29, number]).permutation(len(prompts))
        chosen = tuple(prompts[index] for index in order[: settings.phrasings])
        answers = (fact["answer"],) * len(chosen)
        weight = 1 - settings.cross_entropy_weight if trusted else 0.0
        lessons.append(Lesson(text if trusted else "", chosen, answers, weight))
    return lessons


def _epoch(
    rows: list[TaughtText],
    anchors: list[AnchorBatch],
    settings: DistillTable,
    collate: Collate,
    random: np.random.Generator,
) -> list[AnchoredBatch[TaughtBatch]]:
    groups = shuffled_batches([len(row) for row in rows], settings.batch_size, random)
    turns = turn_of(anchors, len(groups), random)
    return [
        AnchoredBatch(collate_taught([rows[index] for index in group], collate), anchor)
        for group, anchor in zip(groups, turns, strict=True)
    ]
