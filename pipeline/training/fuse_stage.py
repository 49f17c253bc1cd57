"""The fuse stage: train late fusion, and its two controls, on cached states of the frozen base."""

import time
from functools import partial

import numpy as np
import torch
from torch import Tensor
from transformers.modeling_utils import PreTrainedModel

from ...errors import UserError
from ...kg.questions.pools import TRAINED
from ...models.base_model import load_causal_model, load_tokenizer, resolve_precision
from ...models.fact_memory import build_fact_memory
from ...models.fusion_training import (
    answer_tree,
    epoch_of_rows,
    fusion_rows,
    fusion_states,
    save_fusion,
    text_keys,
)
from ...models.late_fusion import FusionBatch, LateFusion, LateFusionSizes, pointer_loss
from ...models.low_rank import trained_parameters
from ...models.option_tree import OptionTree
from ...models.training import Curriculum, TrainingSettings, train
from ..fusion_memory import (
    VARIANTS,
    MemoryWriter,
    object_vectors,
    variant_facts,
    variant_vectors,
)
from ..graph_reader import GraphReader
from ..stages import StageContext
from .teaching_data import facts_of_pools, training_prompts
from .teaching_run import write_json

CACHE_BATCH_TOKENS = 4096


def run(context: StageContext) -> None:
    """Write one safetensors file for each of the fused arm and its controls, and training.json."""
    settings, folder = context.project.fuse, context.inputs["base"]
    if settings.strategy != "late":
        raise UserError(
            f"the fusion strategy {settings.strategy!r} isn't here yet",
            f"{context.project.file.name}:fuse.strategy",
            'Set it to "late".',
        )
    base = load_causal_model(folder, resolve_precision(context.project.model.precision))
    tokenizer = load_tokenizer(folder)
    reader = GraphReader.open(context.inputs["ingest"], context.inputs["facts"])
    vectors, rows = object_vectors(context.inputs["embed"])
    writer = MemoryWriter(reader, tokenizer, rows, settings.max_facts)
    prompts, answers = practice_questions(context)
    trees = [answer_tree(tokenizer, *pair) for pair in zip(prompts, answers, strict=True)]
    started = time.monotonic()
    rows_of_variants = _cached_rows(context, base, trees, prompts, writer)
    cached = time.monotonic() - started
    labels = [reader.relation_label(number) for number in range(reader.graph.relation_count)]
    keys = text_keys(base, tokenizer, labels)
    record: dict[str, object] = {
        "questions": len(prompts),
        "places": len(rows_of_variants[0].target),
    }
    seconds = {}
    for variant, variant_rows in zip(VARIANTS, rows_of_variants, strict=True):
        started = time.monotonic()
        record[variant] = _train_variant(context, variant, variant_rows, keys, vectors)
        seconds[variant] = round(cached + time.monotonic() - started, 2)
    record["tokens"] = sum(len(tree) for tree in trees)
    write_json(context.work / "training.json", record)
    (context.work / "log").mkdir(exist_ok=True)
    write_json(context.work / "log" / "training.json", {"seconds": seconds})


def practice_questions(context: StageContext) -> tuple[list[str], list[str]]:
    """Training prompts of practice and taught facts with their answers, `phrasings` of each fact."""
    folder = context.inputs["facts"]
    facts = facts_of_pools(folder, TRAINED)
    prompts = training_prompts(folder, facts)
    chosen: list[tuple[str, str]] = []
    for number, (fact, phrasings) in enumerate(sorted(prompts.items())):
        order = np.random.default_rng([context.seed, 37, number]).permutation(len(phrasings))
        chosen += [
            (phrasings[index], facts[fact]["answer"])
            for index in order[: context.project.fuse.phrasings]
        ]
    if not chosen:
        raise UserError(
            "there are no practice facts to train fusion on",
            f"{context.project.file.name}:facts.practice",
            "Raise it above 0, or name predicates with more facts.",
        )
    return [prompt for prompt, _ in chosen], [answer for _, answer in chosen]


def _cached_rows(
    context: StageContext,
    base: PreTrainedModel,
    trees: list[OptionTree],
    prompts: list[str],
    writer: MemoryWriter,
) -> list[FusionBatch]:
    """What each variant trains on: the base's states, computed once, with the variant's facts."""
    requests = [writer.facts(prompt) for prompt in prompts]
    facts_each = np.mean([len(facts) for facts in requests])
    context.console.line(f"{len(prompts)} practice questions, {facts_each:.1f} facts each")
    with context.console.progress("caching states", len(trees), "questions") as advance:
        states = fusion_states(base, trees, CACHE_BATCH_TOKENS, advance)
    memories = [
        build_fact_memory(variant_facts(variant, requests, writer, context.seed))
        for variant in VARIANTS
    ]
    return fusion_rows(base, states, memories)


def _train_variant(
    context: StageContext,
    variant: str,
    rows: FusionBatch,
    keys: Tensor,
    vectors: Tensor,
) -> dict[str, object]:
    """Train one top and save it; returns what training.json says of it."""
    settings, seed = context.project.fuse, context.seed
    torch.manual_seed(seed)
    fusion = LateFusion(
        LateFusionSizes(keys.shape[1], vectors.shape[1]),
        variant_vectors(variant, keys, seed),
        variant_vectors(variant, vectors, seed + 1),
    )
    epochs = partial(epoch_of_rows, rows, settings.batch_size, settings.fact_dropout, seed)
    total, file_name = settings.epochs * len(rows.target), variant.replace(" ", "-")
    with context.console.progress(f"training {variant}", total, "tokens") as advance:
        record = train(
            fusion,
            Curriculum(epochs, lambda batch: len(batch.target)),
            pointer_loss,
            TrainingSettings(settings.learning_rate, settings.epochs, checkpoint_steps=10**9),
            context.checkpoint(file_name),
            advance,
        )
    save_fusion(fusion, context.work / f"{file_name}.safetensors")
    context.console.line(f"{variant}: loss by epoch {', '.join(f'{x:.3f}' for x in record.losses)}")
    return {"losses": record.losses, "trained_parameters": trained_parameters(fusion)}
