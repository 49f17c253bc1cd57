"""Pointers at the top and their controls, trained on cached states of the frozen base."""

import time
from functools import partial

import torch

from ...models.fact_memory import build_fact_memory
from ...models.fusion_training import (
    POINTERS,
    FusionStates,
    answer_states,
    epoch_of_rows,
    fusion_rows,
    save_pointer,
)
from ...models.label_pointer import FusionBatch, LabelPointer, PointerSizes
from ...models.training import Curriculum, TrainingSettings, train
from ..fusion_memory import FUSED, VARIANTS, file_name, variant_facts, variant_vectors
from ..stages import StageContext
from .fusion_practice import (
    FusionPractice,
    Trained,
    TrainedVariants,
    refuse_layers,
    refuse_prompted_weight,
    trained_variants,
    variant_record,
)

CACHE_BATCH_TOKENS = 4096


def train_variants(context: StageContext, practice: FusionPractice) -> TrainedVariants:
    """Train each variant's top and write one safetensors file for each."""
    refuse_layers(context, "at the top")
    refuse_prompted_weight(context)
    started = time.monotonic()
    states = _states(context, practice)
    rows_of_variants = _cached_rows(context, practice, states)
    cached = time.monotonic() - started
    counts = {
        "questions": len(practice.questions),
        "unrelated_texts": len(practice.unrelated),
        "places": len(rows_of_variants[FUSED].target),
        "tokens": states.tokens,
    }

    def train_one(variant: str) -> Trained:
        return _train_variant(context, practice, variant, rows_of_variants[variant])

    return trained_variants(counts, cached, train_one)


def _states(context: StageContext, practice: FusionPractice) -> FusionStates:
    """The base's states where the answers' tokens are predicted, computed once."""
    answered = [(text.prompt, text.answer) for text in practice.texts]
    with context.console.progress("caching states", len(answered), "answers") as advance:
        return answer_states(
            practice.base, practice.tokenizer, answered, CACHE_BATCH_TOKENS, advance
        )


def _cached_rows(
    context: StageContext, practice: FusionPractice, states: FusionStates
) -> dict[str, FusionBatch]:
    """What each variant trains on: the base's states with the variant's facts."""
    requests = [each.facts for each in practice.facts(context.console)]
    memories = [
        build_fact_memory(variant_facts(variant, requests, practice.writer, context.seed))
        for variant in VARIANTS
    ]
    return dict(zip(VARIANTS, fusion_rows(practice.base, states, memories), strict=True))


def _train_variant(
    context: StageContext, practice: FusionPractice, variant: str, rows: FusionBatch
) -> Trained:
    """Train one top and save it; returns what training.json says of it."""
    settings, seed = context.project.fuse, context.seed
    keys, vectors = practice.relation_keys, practice.object_vectors
    torch.manual_seed(seed)
    pointer = POINTERS[settings.strategy](
        PointerSizes(keys.shape[1], vectors.shape[1]),
        variant_vectors(variant, keys, seed),
        variant_vectors(variant, vectors, seed + 1),
    )
    epochs = partial(epoch_of_rows, rows, settings.batch_size, settings.fact_dropout, seed)
    total, name = settings.epochs * len(rows.target), file_name(variant)
    with context.console.progress(f"training {variant}", total, "tokens") as advance:
        record = train(
            pointer,
            Curriculum(epochs, lambda batch: len(batch.target)),
            LabelPointer.loss,
            TrainingSettings(settings.learning_rate, settings.epochs, checkpoint_steps=10**9),
            context.checkpoint(name),
            advance,
        )
    save_pointer(pointer, context.work / f"{name}.safetensors")
    return variant_record(variant, pointer, record.losses, context.console)
