"""Strategies that change the model's own states, and their controls, trained on the frozen base."""

import time
from collections.abc import Sequence
from functools import partial

import torch

from ...errors import UserError
from ...models.base_model import choose_training_attention
from ...models.early_fusion import EarlyFusion
from ...models.fused_model import FusedModel
from ...models.fused_text_loss import practice_loss
from ...models.fusion_adapter import STRATEGIES, AdapterFits, base_digest, save_adapter
from ...models.fusion_strategy import FusionSizes
from ...models.low_rank import trained_parameters
from ...models.practice_texts import (
    PracticeStates,
    PracticeText,
    drawn_batch,
    epoch_of_texts,
    practice_states,
    practice_text,
)
from ...models.training import Curriculum, TrainingSettings, train
from ...models.transformer_blocks import top_layers, transformer_blocks
from ..fusion_memory import (
    VARIANTS,
    file_name,
    variant_facts,
    variant_vectors,
)
from ..stages import StageContext
from .fusion_practice import FusionPractice, TrainedVariants

CACHE_BATCH_TOKENS = 4096


def train_variants(context: StageContext, practice: FusionPractice) -> TrainedVariants:
    """Train each variant's adapter and write one folder for each."""
    texts_of_variants = _texts(context, practice)
    layers = _layers(context, practice)
    started = time.monotonic()
    # The states of the base are those of its texts, whatever may be read beside them.
    plain = texts_of_variants[0]
    with context.console.progress("caching states", len(plain), "questions") as advance:
        lowest = layers[0] if layers else -1
        states = practice_states(practice.base, plain, lowest, CACHE_BATCH_TOKENS, advance)
    cached = time.monotonic() - started
    choose_training_attention(practice.base)
    record: dict[str, object] = {
        "questions": len(plain),
        "places": sum(len(text.places) for text in plain),
        "tokens": sum(len(text) for text in plain),
    }
    seconds = {}
    for variant, texts in zip(VARIANTS, texts_of_variants, strict=True):
        started = time.monotonic()
        record[variant] = _train_variant(context, practice, variant, layers, texts, states)
        seconds[variant] = round(cached + time.monotonic() - started, 2)
    return TrainedVariants(record, seconds)


def _layers(context: StageContext, practice: FusionPractice) -> tuple[int, ...]:
    """The blocks behind which facts are read.

    Raises:
        UserError: the project names some that aren't there, or not in their order.
    """
    named = context.project.fuse.layers
    if context.project.fuse.strategy == EarlyFusion.name:
        if named:
            raise UserError(
                "early fusion reads at the input, and behind no block",
                f"{context.project.file.name}:fuse.layers",
                "Leave it out.",
            )
        return ()
    count = len(transformer_blocks(practice.base))
    if list(named) != sorted(set(named)) or (named and named[-1] >= count):
        raise UserError(
            f"{list(named)} aren't blocks of the base in their order",
            f"{context.project.file.name}:fuse.layers",
            f"Name some of 0 to {count - 1}, ascending, or leave it out.",
        )
    return named or top_layers(practice.base)


def _texts(context: StageContext, practice: FusionPractice) -> list[list[PracticeText]]:
    """For each variant, the questions with its facts."""
    found = practice.facts(context.console)
    told = [each.facts for each in found]
    return [
        [
            practice_text(
                practice.tokenizer, asked.prompt, asked.answer, facts, each.ends, asked.relation
            )
            for asked, facts, each in zip(
                practice.questions,
                variant_facts(variant, told, practice.writer, context.seed),
                found,
                strict=True,
            )
        ]
        for variant in VARIANTS
    ]


def _train_variant(
    context: StageContext,
    practice: FusionPractice,
    variant: str,
    layers: tuple[int, ...],
    texts: Sequence[PracticeText],
    states: PracticeStates,
) -> dict[str, object]:
    """Train one adapter and save it; returns what training.json says of it."""
    settings, seed = context.project.fuse, context.seed
    keys, vectors = practice.relation_keys, practice.object_vectors
    torch.manual_seed(seed)
    fusion = STRATEGIES[settings.strategy](
        FusionSizes(keys.shape[1], vectors.shape[1], layers),
        variant_vectors(variant, keys, seed),
        variant_vectors(variant, vectors, seed + 1),
    )
    model = FusedModel(practice.base, fusion)
    epochs = partial(epoch_of_texts, texts, settings.batch_size, settings.fact_dropout, seed)
    total = settings.epochs * sum(len(text) for text in texts)
    with context.console.progress(f"training {variant}", total, "tokens") as advance:
        record = train(
            fusion,
            Curriculum(epochs, lambda draw: sum(len(texts[number]) for number in draw.texts)),
            lambda _, draw: practice_loss(model, drawn_batch(texts, states, draw)),
            TrainingSettings(settings.learning_rate, settings.epochs),
            context.checkpoint(file_name(variant)),
            advance,
        )
    model.detach()
    graph = practice.writer.reader.graph
    fits = AdapterFits(base_digest(context.inputs["base"]), graph.id_space)
    save_adapter(fusion, fits, context.work / file_name(variant))
    context.console.line(f"{variant}: loss by epoch {', '.join(f'{x:.3f}' for x in record.losses)}")
    return {"losses": record.losses, "trained_parameters": trained_parameters(fusion)}
