"""The pretrain stage: continued pretraining on sentences of the taught facts, domain text and anchors."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from ...models.anchors import anchored_loss, anchored_part
from ...models.language_model import load_language_model
from ...models.next_sentence import NextSentenceHead, text_or_pair_loss
from ...models.sentence_pairs import text_or_pair_part
from ...models.taught_update import update_of
from ...models.taught_weights import TaughtModel, add_taught_weights, base_of
from ...models.training import Curriculum, TrainingSettings
from ..stages import StageContext
from .drift_bound import hold_to_bound
from .entity_profiles import Profile, entity_profiles
from .exposures import ExposureShares, TextsOfFact, exposure_plan, phrasings_of
from .replay import check_shares
from .screening import screened_facts
from .sentence_pairs import finish_pairs, taught_pairs
from .taught_epochs import LONGEST_DOMAIN_TEXT, Epoch, Lessons, epochs_of
from .teaching_data import make_anchors, taught_facts
from .teaching_run import taught_precision, teach, write_json

DRIFT_TEXTS = 24  # on which drift is bounded


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
    count = settings.anchor_texts if settings.anchor_weight else 0
    anchors = make_anchors(context, loaded, count, 0)
    held_out = make_anchors(context, loaded, DRIFT_TEXTS if settings.most_drift else 0, 2)
    facts = taught_facts(context.inputs["facts"])
    screened = screened_facts(context, loaded)
    profiles = profiles_of(context)
    plan = exposure_plan(
        [TextsOfFact.of(fact, fact.fact in profiles) for fact in facts],
        [phrasings_of(settings, screened.get(fact.fact)) for fact in facts],
        ExposureShares(settings.questions, settings.profiles),
        settings.epochs,
        context.seed,
    )
    epochs = epochs_of(context, loaded, Lessons(facts, plan, profiles, pairs), anchors)
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
