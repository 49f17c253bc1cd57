"""The pretrain stage: continued pretraining on sentences of the taught facts, domain text and anchors."""

from collections.abc import Mapping, Sequence, Set
from functools import partial

import numpy as np
import torch

from ...models.anchors import AnchorBatch, AnchoredBatch, anchored_loss, anchored_part
from ...models.kept_bottom import frozen_blocks
from ...models.language_model import LanguageModel, load_language_model
from ...models.next_sentence import NextSentenceHead, text_or_pair_loss
from ...models.packed_texts import Collate, collate_for
from ...models.predicted_texts import PredictedBatch, PredictedText
from ...models.sentence_pairs import PairBatch, text_or_pair_part
from ...models.taught_update import update_of
from ...models.taught_weights import TaughtModel, add_taught_weights, base_of
from ...models.token_batches import shuffled_batches
from ...models.training import Curriculum, TrainingSettings
from ..stages import StageContext
from .drift_bound import hold_to_bound
from .entity_profiles import Profile, entity_profiles, told_in_window
from .exposures import PROFILE, ExposureShares, TextsOfFact, exposure_plan, phrasings_of
from .predicted_forms import forms_of, masking_rates
from .replay import check_shares, drawn, replay_texts, shares_beside
from .screening import screened_facts
from .sentence_pairs import TaughtPairs, finish_pairs, taught_pairs
from .teaching_data import TaughtFact, domain_texts, make_anchors, taught_facts, turn_of
from .teaching_run import taught_precision, teach, write_json

DRIFT_TEXTS = 24  # on which drift is bounded
LONGEST_DOMAIN_TEXT = 400  # characters, about a hundred tokens
Epoch = list[AnchoredBatch[PredictedBatch | PairBatch]]


def run(context: StageContext) -> None:
    """Train adapters on the base model.

    Writes adapter/, training.json, exposures.json, screening.json, scale.json where drift is bounded, and
    sentence_pairs.json where pairs are taught.

    Raises:
        UserError: the settings contradict each other, the base or the text, or training diverges.
    """
    settings, folder = context.project.pretrain, context.inputs["base"]
    check_shares(settings, context.project.facts.general_text, context.project.file.name)
    pairs = taught_pairs(context, LONGEST_DOMAIN_TEXT)
    torch.manual_seed(context.seed)
    loaded = load_language_model(folder, None, taught_precision(context))
    anchors = _general(context, loaded, settings.anchor_texts if settings.anchor_weight else 0, 0)
    held_out = _general(context, loaded, DRIFT_TEXTS if settings.most_drift else 0, 2)
    facts = taught_facts(context.inputs["facts"])
    screened = screened_facts(context, loaded)
    told = profiles_of(context)
    plan = exposure_plan(
        [TextsOfFact.of(fact, fact.fact in told) for fact in facts],
        [phrasings_of(settings, screened.get(fact.fact)) for fact in facts],
        ExposureShares(settings.questions, settings.profiles),
        settings.epochs,
        context.seed,
    )
    epochs = epochs_of(context, loaded, facts, plan, anchors, told, pairs)
    right_before = pairs.right(loaded, settings) if pairs else 0
    adapted = add_taught_weights(loaded.model, settings.taught, settings.rank, settings.layers)
    update = update_of(adapted) if settings.most_drift else None
    teach_epochs(context, adapted, epochs, pairs.head if pairs else None)
    if update:
        hold_to_bound(context, adapted, update, loaded, held_out)
    if pairs:
        finish_pairs(context, pairs, adapted, loaded, right_before)
    seen = np.bincount([fact for exposures in plan for fact, _ in exposures], minlength=len(facts))
    shown = {fact.fact: int(count) for fact, count in zip(facts, seen, strict=True)}
    write_json(context.work / "exposures.json", shown)
    context.console.line(f"{len(facts)} facts, each seen {seen.min()} to {seen.max()} times")


def profiles_of(context: StageContext) -> Mapping[str, Profile]:
    """By taught fact, the profile of its entity; none where none is told."""
    if not context.project.pretrain.profiles:
        return {}
    return entity_profiles(context.inputs["ingest"], context.inputs["facts"])


def _general(
    context: StageContext, base: LanguageModel, count: int, seed: int
) -> list[AnchorBatch]:
    """So many general texts with the base's states, before anything is added to it."""
    if not count:
        return []
    settings = context.project.pretrain
    rates, seed = masking_rates(settings), context.seed + seed
    return make_anchors(base, count, rates, settings.layers, seed, context.console)


def teach_epochs(
    context: StageContext,
    adapted: TaughtModel,
    epochs: Sequence[Epoch],
    head: NextSentenceHead | None,
) -> None:
    """Train on these epochs as the project sets it; see `teach`. Pairs of sentences need a head."""
    settings = context.project.pretrain
    teach(
        context,
        "pretrain",
        adapted,
        base_of(adapted),
        Curriculum(
            epochs.__getitem__, lambda batch: batch.taught.size, anchored_part(text_or_pair_part)
        ),
        anchored_loss(text_or_pair_loss(head), settings.anchor_weight),
        TrainingSettings(settings.learning_rate, settings.epochs),
    )


def epochs_of(
    context: StageContext,
    loaded: LanguageModel,
    facts: Sequence[TaughtFact],
    plan: Sequence[Sequence[tuple[int, int]]],
    anchors: Sequence[AnchorBatch],
    profiles: Mapping[str, Profile],
    pairs: TaughtPairs | None,
) -> list[Epoch]:
    """The batches of every epoch.

    Args:
        context: of the stage.
        loaded: the model before it is taught, with its tokenizer.
        facts: that are taught.
        plan: by epoch, the (fact, text) pairs that it shows.
        anchors: general texts that the model is held to.
        profiles: by fact, of those that the plan shows in one.
        pairs: of sentences; None for none.
    """
    settings, seed = context.project.pretrain, context.seed
    share = settings.sentence_pairs if pairs else 0.0
    shares = (settings.domain_text, settings.replay, share)
    beside = [shares_beside(len(own), shares) for own in plan]
    held_out = pairs.held_out_texts if pairs else frozenset()
    epochs = _rows(context, loaded, facts, plan, profiles, beside, held_out)
    every = [row for rows in epochs for row in rows]
    collate = collate_for(loaded.model, every, frozen_blocks(loaded.model, settings.layers))
    joined = [
        pairs.batches(loaded.tokenizer, settings, count, seed, number) if pairs else []
        for number, (_, _, count) in enumerate(beside)
    ]
    return [
        _batches(rows, joined[number], anchors, settings.batch_size, collate, (seed, number))
        for number, rows in enumerate(epochs)
    ]


def _rows(
    context: StageContext,
    loaded: LanguageModel,
    facts: Sequence[TaughtFact],
    plan: Sequence[Sequence[tuple[int, int]]],
    profiles: Mapping[str, Profile],
    beside: Sequence[Sequence[int]],
    held_out: Set[str],
) -> list[list[PredictedText]]:
    """What each epoch teaches: the texts of its exposures, and domain and general text beside them."""
    settings = context.project.pretrain
    texts = domain_texts(context.inputs["facts"], context.inputs["link"], LONGEST_DOMAIN_TEXT)
    texts = [text for text in texts if text.text not in held_out]
    forms = forms_of(loaded, settings)
    prepared = [forms.prepared(fact.texts) for fact in facts]
    domain = forms.prepared(texts)
    replayed = forms.prepared(
        replay_texts(context, loaded, max((general for _, general, _ in beside), default=0))
    )
    told = partial(
        told_in_window,
        most=settings.profile_facts,
        max_tokens=settings.max_tokens,
        tokenizer=loaded.tokenizer,
    )
    rows = []
    for number, exposures in enumerate(plan):
        random = np.random.default_rng([context.seed, 71, number])
        told_at_once = [facts[fact].fact for fact, text in exposures if text == PROFILE]
        fresh = iter(forms.prepared([told(profiles[fact], random=random) for fact in told_at_once]))
        rows_of_facts = [
            forms.of_fact(next(fresh) if text == PROFILE else prepared[fact][text], random)
            for fact, text in exposures
        ]
        drawn_of = ((domain, beside[number][0], 17), (replayed, beside[number][1], 113))
        for there, count, stream in drawn_of:
            chosen = drawn(len(there), count, context.seed, stream, number)
            rows_of_facts += [forms.of_text(there[index], random) for index in chosen]
        rows.append(rows_of_facts)
    return rows


def _batches(
    rows: Sequence[PredictedText],
    pairs: Sequence[PairBatch],
    anchors: Sequence[AnchorBatch],
    batch_size: int,
    collate: Collate,
    seed_and_epoch: tuple[int, int],
) -> Epoch:
    """An epoch's batches. No text sees another, so no two phrasings of a fact share a window."""
    seed, epoch = seed_and_epoch
    random = np.random.default_rng([seed, 13, epoch])
    groups = shuffled_batches([len(row) for row in rows], batch_size, random)
    batches: list[PredictedBatch | PairBatch] = [
        collate([rows[index] for index in group]) for group in groups
    ]
    between = np.random.default_rng([seed, 139, epoch])
    for batch in pairs:
        batches.insert(int(between.integers(len(batches) + 1)), batch)
    turns = turn_of(anchors, len(batches), random)
    return [AnchoredBatch(batch, anchor) for batch, anchor in zip(batches, turns, strict=True)]
