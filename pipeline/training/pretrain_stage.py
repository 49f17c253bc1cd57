"""The pretrain stage: continued pretraining on sentences of the taught facts, domain text and anchors."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from peft import PeftModel

from ...models.anchors import AnchorBatch, AnchoredBatch, anchored_loss
from ...models.language_model import LanguageModel, load_language_model
from ...models.next_sentence import NextSentenceHead, save_with_head, text_or_pair_loss
from ...models.predicted_texts import PredictedBatch, PredictedText, collate_predicted
from ...models.sentence_pairs import PairBatch, PredictedPair, collate_pairs
from ...models.taught_weights import TaughtModel, add_taught_weights, base_of
from ...models.token_batches import shuffled_batches
from ...models.training import Curriculum, TrainingSettings
from ..stages import StageContext
from .drift_bound import hold_to_bound
from .exposures import exposure_plan, phrasings_of
from .predicted_forms import forms_of, masking_rates
from .replay import check_shares, drawn, replay_texts, shares_beside
from .screening import screened_facts
from .sentence_pairs import TaughtPairs, taught_pairs, write_pairs
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
    plan = exposure_plan(
        [(len(fact.sentences), len(fact.questions)) for fact in facts],
        [phrasings_of(settings, screened.get(fact.fact)) for fact in facts],
        settings.questions,
        settings.epochs,
        context.seed,
    )
    epochs = epochs_of(context, loaded, facts, plan, anchors, pairs)
    told_before = pairs.right(loaded, settings) if pairs else 0
    adapted = add_taught_weights(loaded.model, settings.taught, settings.rank, settings.layers)
    teach_epochs(context, adapted, epochs, pairs.head if pairs else None)
    if isinstance(adapted, PeftModel) and settings.most_drift:
        hold_to_bound(context, adapted, loaded, held_out)
    if pairs:
        if not isinstance(adapted, PeftModel):
            save_with_head(adapted, pairs.head, context.work / "adapter")
        taught = replace(loaded, model=base_of(adapted))
        write_pairs(context, pairs, told_before, pairs.right(taught, settings))
    seen = np.bincount([fact for exposures in plan for fact, _ in exposures], minlength=len(facts))
    write_json(
        context.work / "exposures.json",
        {fact.fact: int(count) for fact, count in zip(facts, seen, strict=True)},
    )
    context.console.line(f"{len(facts)} facts, each seen {seen.min()} to {seen.max()} times")


def _general(
    context: StageContext, base: LanguageModel, count: int, seed: int
) -> list[AnchorBatch]:
    """So many general texts with the base's states, before anything is added to it."""
    if not count:
        return []
    rates = masking_rates(context.project.pretrain)
    return make_anchors(base, count, rates, context.seed + seed, context.console)


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
        adapted,
        base_of(adapted),
        Curriculum(epochs.__getitem__, lambda batch: batch.taught.size),
        anchored_loss(text_or_pair_loss(head), settings.anchor_weight),
        TrainingSettings(settings.learning_rate, settings.epochs),
    )


def epochs_of(
    context: StageContext,
    loaded: LanguageModel,
    facts: Sequence[TaughtFact],
    plan: Sequence[Sequence[tuple[int, int]]],
    anchors: Sequence[AnchorBatch],
    pairs: TaughtPairs | None,
) -> list[Epoch]:
    """The batches of every epoch.

    Args:
        context: of the stage.
        loaded: the model before it is taught, with its tokenizer.
        facts: that are taught.
        plan: by epoch, the (fact, text) pairs that it shows.
        anchors: general texts that the model is held to.
        pairs: of sentences; None for none.
    """
    settings, seed = context.project.pretrain, context.seed
    share = settings.sentence_pairs if pairs else 0.0
    beside = [
        shares_beside(len(own), (settings.domain_text, settings.replay, share)) for own in plan
    ]
    epochs = []
    for number, rows in enumerate(_rows(context, loaded, facts, plan, beside, pairs)):
        told: list[PredictedPair] = []
        if pairs:
            told = pairs.rows(loaded.tokenizer, settings, beside[number][2], seed, number)
        epochs.append(_batches(rows, told, anchors, settings.batch_size, seed, number))
    return epochs


def _rows(
    context: StageContext,
    loaded: LanguageModel,
    facts: Sequence[TaughtFact],
    plan: Sequence[Sequence[tuple[int, int]]],
    beside: Sequence[Sequence[int]],
    pairs: TaughtPairs | None,
) -> list[list[PredictedText]]:
    """What each epoch teaches: the texts of its exposures, and domain and general text beside them."""
    settings = context.project.pretrain
    texts = domain_texts(context.inputs["facts"], context.inputs["link"], LONGEST_DOMAIN_TEXT)
    if pairs:
        texts = [text for text in texts if text.text not in pairs.held_out_texts]
    forms = forms_of(loaded, settings)
    prepared = [forms.prepared(fact.texts) for fact in facts]
    domain = forms.prepared(texts)
    replayed = forms.prepared(
        replay_texts(context, loaded, max((general for _, general, _ in beside), default=0))
    )
    rows = []
    for number, exposures in enumerate(plan):
        random = np.random.default_rng([context.seed, 71, number])
        told = [forms.of_fact(prepared[fact][text], random) for fact, text in exposures]
        for there, count, stream in zip(
            (domain, replayed), beside[number][:2], (17, 113), strict=True
        ):
            chosen = drawn(len(there), count, context.seed, stream, number)
            told += [forms.of_text(there[index], random) for index in chosen]
        rows.append(told)
    return rows


def _batches(
    rows: Sequence[PredictedText],
    pairs: Sequence[PredictedPair],
    anchors: Sequence[AnchorBatch],
    batch_size: int,
    seed: int,
    epoch: int,
) -> Epoch:
    """An epoch's batches. Each row is a window of its own, so no two phrasings of a fact share one."""
    random = np.random.default_rng([seed, 13, epoch])
    groups = shuffled_batches([len(row) for row in rows], batch_size, random)
    batches: list[PredictedBatch | PairBatch] = [
        collate_predicted([rows[index] for index in group]) for group in groups
    ]
    # Among them pairs, by draws of their own.
    between = np.random.default_rng([seed, 139, epoch])
    for group in shuffled_batches([len(pair) for pair in pairs], batch_size, between):
        batch = collate_pairs([pairs[index] for index in group])
        batches.insert(int(between.integers(len(batches) + 1)), batch)
    turns = turn_of(anchors, len(batches), random)
    return [AnchoredBatch(batch, anchor) for batch, anchor in zip(batches, turns, strict=True)]
