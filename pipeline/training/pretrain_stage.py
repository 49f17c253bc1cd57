"""The pretrain stage: continued pretraining on sentences of the taught facts, domain text and anchors."""

from collections.abc import Sequence

import numpy as np
import torch

from ...models.anchors import AnchorBatch, AnchoredBatch, anchored_loss
from ...models.base_model import load_causal_model, load_tokenizer, resolve_precision
from ...models.language_model_loss import weighted_cross_entropy
from ...models.low_rank import add_low_rank_adapters
from ...models.token_batches import (
    TokenBatch,
    TokenRow,
    collate_rows,
    shuffled_batches,
    tokenize_weighted,
)
from ...models.training import Curriculum, TrainingSettings
from ..settings.training import PretrainTable
from ..stages import StageContext
from .teaching_data import domain_texts, make_anchors, taught_facts, turn_of
from .teaching_run import inner_model, teach, write_json

LONGEST_DOMAIN_TEXT = 400  # characters, about a hundred tokens


def run(context: StageContext) -> None:
    """Train adapters on the base model; write adapter/, training.json and exposures.json."""
    settings, folder = context.project.pretrain, context.inputs["base"]
    torch.manual_seed(context.seed)
    model = load_causal_model(folder, resolve_precision(context.project.model.precision))
    tokenizer = load_tokenizer(folder)
    anchors: list[AnchorBatch] = []
    if settings.anchor_weight:
        anchors = make_anchors(
            model, tokenizer, settings.anchor_texts, context.seed, context.console
        )
    facts = taught_facts(context.inputs["facts"])
    fact_rows = [
        tokenize_weighted(tokenizer, fact.sentences, settings.max_tokens) for fact in facts
    ]
    texts = domain_texts(context.inputs["facts"], context.inputs["link"], LONGEST_DOMAIN_TEXT)
    domain_rows = tokenize_weighted(tokenizer, texts, settings.max_tokens)
    plan = exposure_plan([len(rows) for rows in fact_rows], settings, context.seed)
    epochs = [
        _epoch(
            [fact_rows[fact][sentence] for fact, sentence in exposures],
            _sample(domain_rows, settings.domain_text, len(exposures), context.seed, number),
            anchors,
            settings.batch_size,
            np.random.default_rng([context.seed, 13, number]),
        )
        for number, exposures in enumerate(plan)
    ]
    adapted = add_low_rank_adapters(model, settings.rank, settings.layers)
    teach(
        context,
        adapted,
        inner_model(adapted),
        Curriculum(epochs.__getitem__, lambda batch: int(batch.taught.mask.sum())),
        anchored_loss(weighted_cross_entropy, settings.anchor_weight),
        TrainingSettings(settings.learning_rate, settings.epochs),
    )
    seen = np.bincount([fact for exposures in plan for fact, _ in exposures], minlength=len(facts))
    write_json(
        context.work / "exposures.json",
        {fact.fact: int(count) for fact, count in zip(facts, seen, strict=True)},
    )
    context.console.line(f"{len(facts)} facts, each seen {seen.min()} to {seen.max()} times")


def exposure_plan(
    sentence_counts: Sequence[int], settings: PretrainTable, seed: int
) -> list[list[tuple[int, int]]]:
    """Which sentences of each fact every epoch shows: (fact, sentence) pairs.

    Each fact goes round its own shuffled list of sentences, so that it is told in as many
    phrasings as there are exposures before any comes again.
    """
    orders = [
        np.random.default_rng([seed, 7, fact]).permutation(count)
        for fact, count in enumerate(sentence_counts)
    ]
    plan = []
    for epoch in range(settings.epochs):
        turns = range(epoch * settings.phrasings, (epoch + 1) * settings.phrasings)
        plan.append(
            [
                (fact, int(order[turn % len(order)]))
                for fact, order in enumerate(orders)
                for turn in turns
            ]
        )
    return plan


def _sample(
    rows: Sequence[TokenRow], share: float, beside: int, seed: int, epoch: int
) -> list[TokenRow]:
    """Rows that make up `share` of all, given `beside` others."""
    count = min(len(rows), round(beside * share / (1 - share)))
    chosen = np.random.default_rng([seed, 17, epoch]).choice(len(rows), count, replace=False)
    return [rows[index] for index in chosen]


def _epoch(
    fact_rows: Sequence[TokenRow],
    domain_rows: Sequence[TokenRow],
    anchors: Sequence[AnchorBatch],
    batch_size: int,
    random: np.random.Generator,
) -> list[AnchoredBatch[TokenBatch]]:
    """An epoch's batches. Each row is a window of its own, so no two phrasings of a fact share one."""
    rows = [*fact_rows, *domain_rows]
    groups = shuffled_batches([len(row) for row in rows], batch_size, random)
    turns = turn_of(anchors, len(groups), random)
    return [
        AnchoredBatch(collate_rows([rows[index] for index in group], padding=0), anchor)
        for group, anchor in zip(groups, turns, strict=True)
    ]
