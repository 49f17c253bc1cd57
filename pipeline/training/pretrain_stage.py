"""The pretrain stage: continued pretraining on sentences of the taught facts, domain text and anchors."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from ...kg.questions.pools import TAUGHT
from ...models.anchors import AnchorBatch, AnchoredBatch, anchored_loss
from ...models.base_model import resolve_precision
from ...models.language_model import LanguageModel, load_language_model
from ...models.language_model_loss import weighted_cross_entropy
from ...models.low_rank import add_low_rank_adapters
from ...models.predicted_texts import PredictedBatch, PredictedText, collate_predicted
from ...models.token_batches import shuffled_batches
from ...models.training import Curriculum, TrainingSettings
from ..settings.training import PretrainTable
from ..stages import StageContext
from .predicted_forms import PredictedForms, continued_forms, masked_forms, masking_rates
from .screening import Screened, screen_facts, write_screening
from .teaching_data import (
    TaughtFact,
    domain_texts,
    facts_of_pools,
    make_anchors,
    taught_facts,
    training_prompts,
    turn_of,
)
from .teaching_run import inner_model, teach, write_json

LONGEST_DOMAIN_TEXT = 400  # characters, about a hundred tokens


def run(context: StageContext) -> None:
    """Train adapters on the base model; write adapter/, training.json, exposures.json and screening.json."""
    settings, folder = context.project.pretrain, context.inputs["base"]
    torch.manual_seed(context.seed)
    loaded = load_language_model(folder, None, resolve_precision(context.project.model.precision))
    anchors: list[AnchorBatch] = []
    if settings.anchor_weight:
        rates = masking_rates(settings)
        anchors = make_anchors(loaded, settings.anchor_texts, rates, context.seed, context.console)
    facts = taught_facts(context.inputs["facts"])
    screened = _screened(context, loaded)
    plan = exposure_plan(
        [len(fact.sentences) for fact in facts],
        [_phrasings(settings, screened.get(fact.fact)) for fact in facts],
        settings.epochs,
        context.seed,
    )
    rows = _rows(context, loaded, facts, plan)
    epochs = [
        _epoch(own, anchors, settings.batch_size, np.random.default_rng([context.seed, 13, number]))
        for number, own in enumerate(rows)
    ]
    adapted = add_low_rank_adapters(loaded.model, settings.rank, settings.layers)
    teach(
        context,
        adapted,
        inner_model(adapted),
        Curriculum(epochs.__getitem__, lambda batch: batch.taught.size),
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
    sentences: Sequence[int], phrasings: Sequence[int], epochs: int, seed: int
) -> list[list[tuple[int, int]]]:
    """Which sentences of each fact every epoch shows: (fact, sentence) pairs.

    Each fact goes round its own shuffled list of sentences, so that it is told in as many
    phrasings as there are exposures before any comes again.

    Args:
        sentences: of each fact, how many there are.
        phrasings: of each fact, how many an epoch shows.
        epochs: how many there are.
        seed: of the order.
    """
    orders = [
        np.random.default_rng([seed, 7, fact]).permutation(count)
        for fact, count in enumerate(sentences)
    ]
    return [
        [
            (fact, int(order[turn % len(order)]))
            for fact, (order, count) in enumerate(zip(orders, phrasings, strict=True))
            for turn in range(epoch * count, (epoch + 1) * count)
        ]
        for epoch in range(epochs)
    ]


def _screened(context: StageContext, loaded: LanguageModel) -> dict[str, Screened]:
    """What the base knows of the taught facts; nothing is asked where the project says so."""
    count, folder = context.project.pretrain.screened, context.inputs["facts"]
    screened: dict[str, Screened] = {}
    if count:
        taught = facts_of_pools(folder, (TAUGHT,))
        questions = training_prompts(folder, taught)
        facts = [fact for name, fact in taught.items() if name in questions]
        found = screen_facts(loaded, facts, questions, count, context.seed, context.console)
        screened = {fact["fact"]: each for fact, each in zip(facts, found, strict=True)}
        told = Counter(each.knowledge for each in found)
        context.console.line(
            f"of {len(found)} facts the base knows {told['known']}, "
            f"{told['maybe']} perhaps and {told['unknown']} not"
        )
    write_screening(context.work, screened)
    return screened


def _phrasings(settings: PretrainTable, screened: Screened | None) -> int:
    """How many phrasings of a fact an epoch shows: teaching goes where it is needed."""
    if screened is None or screened.knowledge != "known":
        return settings.phrasings
    return max(1, round(settings.phrasings * settings.known_exposures))


def _rows(
    context: StageContext,
    loaded: LanguageModel,
    facts: Sequence[TaughtFact],
    plan: Sequence[Sequence[tuple[int, int]]],
) -> list[list[PredictedText]]:
    """What each epoch teaches: the sentences of its exposures, and domain text beside them."""
    settings = context.project.pretrain
    texts = domain_texts(context.inputs["facts"], context.inputs["link"], LONGEST_DOMAIN_TEXT)
    make = masked_forms if loaded.kind == "masked" else continued_forms
    forms: PredictedForms[Any] = make(loaded, settings)
    sentences = [forms.prepared(fact.sentences) for fact in facts]
    domain = forms.prepared(texts)
    rows = []
    for number, exposures in enumerate(plan):
        random = np.random.default_rng([context.seed, 71, number])
        told = [forms.of_fact(sentences[fact][sentence], random) for fact, sentence in exposures]
        chosen = _sample(len(domain), settings.domain_text, len(told), context.seed, number)
        told += [forms.of_text(domain[index], random) for index in chosen]
        rows.append(told)
    return rows


def _sample(texts: int, share: float, beside: int, seed: int, epoch: int) -> list[int]:
    """Numbers of texts that make up `share` of all, given `beside` others."""
    count = min(texts, round(beside * share / (1 - share)))
    drawn: list[int] = (
        np.random.default_rng([seed, 17, epoch]).choice(texts, count, replace=False).tolist()
    )
    return drawn


def _epoch(
    rows: Sequence[PredictedText],
    anchors: Sequence[AnchorBatch],
    batch_size: int,
    random: np.random.Generator,
) -> list[AnchoredBatch[PredictedBatch]]:
    """An epoch's batches. Each row is a window of its own, so no two phrasings of a fact share one."""
    groups = shuffled_batches([len(row) for row in rows], batch_size, random)
    turns = turn_of(anchors, len(groups), random)
    return [
        AnchoredBatch(collate_predicted([rows[index] for index in group]), anchor)
        for group, anchor in zip(groups, turns, strict=True)
    ]
