"""Strategies that change the model's own states, and their controls, trained on the frozen base."""

import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from ...errors import UserError
from ...models.base_model import choose_training_attention
from ...models.early_fusion import EarlyFusion
from ...models.fact_memory import TokenFact
from ...models.fused_model import FusedModel
from ...models.fused_text_loss import practice_loss
from ...models.fusion_adapter import STRATEGIES, AdapterFits, base_digest, save_adapter
from ...models.fusion_strategy import FusionSizes, FusionStrategy
from ...models.label_map import embedding_length, label_map, mean_embeddings
from ...models.language_model import kind_of
from ...models.placed_texts import PlacedText, mentioned_text, place_id
from ...models.practice_batches import (
    PracticeStates,
    answer_states,
    drawn_batch,
    practice_states,
)
from ...models.practice_texts import (
    PracticeText,
    draw_part,
    epoch_of_texts,
    practice_texts,
    shared_beginning,
)
from ...models.training import Curriculum, TrainingSettings, train
from ...models.transformer_blocks import top_layers, transformer_blocks
from ..console import Console
from ..fusion_memory import (
    FUSED,
    VARIANTS,
    file_name,
    variant_facts,
    variant_vectors,
)
from ..stages import StageContext
from .fusion_practice import (
    FusionPractice,
    Trained,
    TrainedVariants,
    refuse_layers,
    trained_variants,
    variant_record,
)

CACHE_BATCH_TOKENS = 4096


def train_variants(context: StageContext, practice: FusionPractice) -> TrainedVariants:
    """Train each variant's adapter and write one folder for each."""
    layers = _layers(context, practice)
    plain, texts_of_variants = _texts(context, practice)
    started = time.monotonic()
    # The states of the base are those of its texts, whatever may be read beside them.
    with context.console.progress("caching states", len(plain), "texts") as advance:
        lowest = layers[0] if layers else -1
        beginnings = list(map(shared_beginning, plain, *texts_of_variants.values()))
        states = practice_states(
            practice.base, plain, lowest, CACHE_BATCH_TOKENS, advance, beginnings
        )
    if context.project.fuse.prompted_weight:
        states = replace(states, prompted=_prompted(context, practice))
    cached = time.monotonic() - started
    choose_training_attention(practice.base)
    counts = {
        "questions": len(practice.questions),
        "unrelated_texts": len(practice.unrelated),
        "places": sum(len(text.places) for text in plain),
        "tokens": sum(len(text) for text in texts_of_variants[FUSED]),
    }
    graph = practice.writer.reader.graph
    fits = AdapterFits(base_digest(context.inputs["base"]), graph.id_space)

    def train_one(variant: str) -> Trained:
        texts = texts_of_variants[variant]
        fusion, losses = _trained_variant(context, practice, variant, layers, texts, states)
        save_adapter(fusion, fits, context.work / file_name(variant))
        return variant_record(variant, fusion, losses, context.console)

    return trained_variants(counts, cached, train_one)


def _layers(context: StageContext, practice: FusionPractice) -> tuple[int, ...]:
    """The blocks behind which facts are read.

    Raises:
        UserError: the project names some that aren't there, or not in their order.
    """
    named = context.project.fuse.layers
    if context.project.fuse.strategy == EarlyFusion.name:
        refuse_layers(context, "at the input")
        return ()
    count = len(transformer_blocks(practice.base))
    if list(named) != sorted(set(named)) or (named and named[-1] >= count):
        raise UserError(
            f"{list(named)} aren't blocks of the base in their order",
            f"{context.project.file.name}:fuse.layers",
            f"Name some of 0 to {count - 1}, ascending, or leave it out.",
        )
    return named or top_layers(practice.base)


def _texts(
    context: StageContext, practice: FusionPractice
) -> tuple[list[PracticeText], dict[str, list[PracticeText]]]:
    """The questions as the base reads them, and for each variant as it does, with its facts."""
    strategy = STRATEGIES[context.project.fuse.strategy]
    found = practice.facts(context.console)
    told = [each.facts for each in found]
    ends = [each.ends for each in found]

    def of_variant(variant: str) -> list[PracticeText]:
        facts = variant_facts(variant, told, practice.writer, context.seed)
        read = [
            strategy.readable(practice.tokenizer, asked.prompt, own, at)
            for asked, own, at in zip(practice.texts, facts, ends, strict=True)
        ]
        return _answered(practice, read, facts)

    variants = {variant: of_variant(variant) for variant in VARIANTS}
    alone = [
        mentioned_text(practice.tokenizer, asked.prompt, each.facts, each.ends)
        for asked, each in zip(practice.texts, found, strict=True)
    ]
    return _answered(practice, alone, told), variants


def _answered(
    practice: FusionPractice, read: Sequence[PlacedText], facts: Sequence[Sequence[TokenFact]]
) -> list[PracticeText]:
    """All that is practised, read so and beside these facts."""
    kind = kind_of(practice.base)
    return [
        text
        for asked, own, told in zip(practice.texts, read, facts, strict=True)
        for text in practice_texts(
            kind, practice.tokenizer, own, asked.answer, told, asked.relation
        )
    ]


def _prompted(context: StageContext, practice: FusionPractice) -> list[Tensor]:
    """What the base's head reads at the answers where the facts stand in the prompt."""
    read = [PlacedText(practice.prompted(asked), (), ()) for asked in practice.texts]
    texts = _answered(practice, read, [()] * len(read))
    with context.console.progress("reading prompts with facts", len(texts), "texts") as advance:
        return answer_states(practice.base, texts, CACHE_BATCH_TOKENS, advance)


def _trained_variant(
    context: StageContext,
    practice: FusionPractice,
    variant: str,
    layers: tuple[int, ...],
    texts: Sequence[PracticeText],
    states: PracticeStates,
) -> tuple[FusionStrategy, Sequence[float]]:
    """One adapter, and its mean loss in each epoch."""
    settings, seed = context.project.fuse, context.seed
    keys, vectors = practice.relation_keys, practice.object_vectors
    torch.manual_seed(seed)
    fusion = STRATEGIES[settings.strategy](
        FusionSizes(keys.shape[1], vectors.shape[1], layers),
        variant_vectors(variant, keys, seed),
        variant_vectors(variant, vectors, seed + 1),
    )
    if isinstance(fusion, EarlyFusion):
        _lay_values(fusion, practice, context.console)
    model = FusedModel(practice.base, fusion)
    epochs = partial(
        epoch_of_texts,
        texts,
        states.run_lengths(texts),
        settings.batch_size,
        settings.fact_dropout,
        seed,
    )
    total = settings.epochs * sum(len(text) for text in texts)
    with context.console.progress(f"training {variant}", total, "tokens") as advance:
        record = train(
            fusion,
            Curriculum(
                epochs, lambda draw: sum(len(texts[number]) for number in draw.texts), draw_part
            ),
            lambda _, draw: practice_loss(
                model, drawn_batch(texts, states, draw), settings.prompted_weight
            ),
            TrainingSettings(settings.learning_rate, settings.epochs),
            context.checkpoint(file_name(variant)),
            advance,
            context.team,
        )
    model.detach()
    return fusion, record.losses


def _lay_values(fusion: EarlyFusion, practice: FusionPractice, console: Console) -> None:
    """Begin with least-squares maps to the embeddings of labels; what vectors explain is said."""
    base, tokenizer = practice.base, practice.tokenizer
    names = [
        tokenizer(f" {label}", add_special_tokens=False)["input_ids"]
        for label in practice.relation_labels
    ]
    relations = label_map(fusion.relation_keys, mean_embeddings(base, names))
    labels = practice.writer.labels_of_rows()
    vectors = None
    if len(labels) > 1:  # else the project names no vectors
        embeddings = mean_embeddings(base, list(labels.values()))
        vectors = label_map(fusion.object_vectors[list(labels)], embeddings)
        console.line(f"vectors explain {vectors.explained:.0%} of their objects' label embeddings")
    (end,) = mean_embeddings(base, [tokenizer(".", add_special_tokens=False)["input_ids"]])
    fusion.start_from(place_id(tokenizer), end * embedding_length(base), relations, vectors)
