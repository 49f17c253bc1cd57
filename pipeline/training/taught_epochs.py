"""What pretraining shows in each epoch, in batches: facts as planned, and domain and general text beside them.

The same for the same seed and epoch, whatever else is set: every kind of text draws by a stream of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from ...models.anchors import AnchorBatch, AnchoredBatch
from ...models.kept_bottom import frozen_blocks
from ...models.language_model import LanguageModel
from ...models.packed_texts import Collate, collate_for
from ...models.predicted_texts import PredictedBatch, PredictedText
from ...models.sentence_pairs import PairBatch
from ...models.token_batches import shuffled_batches
from ..stages import StageContext
from .entity_profiles import Profile, told_in_window
from .exposures import PROFILE
from .predicted_forms import PredictedForms, forms_of
from .replay import drawn, replay_texts, shares_beside
from .sentence_pairs import TaughtPairs
from .teaching_data import TaughtFact, domain_texts, turn_of

LONGEST_DOMAIN_TEXT = 400  # characters, about a hundred tokens
Epoch = list[AnchoredBatch[PredictedBatch | PairBatch]]


@dataclass(frozen=True)
class Lessons:
    """What is taught, and how often.

    Attributes:
        facts: that are taught.
        plan: by epoch, the (fact, text) pairs that it shows.
        profiles: by fact, of those that the plan shows in one.
        pairs: of sentences, where there are any.
    """

    facts: Sequence[TaughtFact]
    plan: Sequence[Sequence[tuple[int, int]]]
    profiles: Mapping[str, Profile] = field(default_factory=dict)
    pairs: TaughtPairs | None = None


@dataclass(frozen=True)
class _Beside:
    """How many domain texts, general texts and pairs an epoch has beside its facts."""

    domain: int
    general: int
    pairs: int


def epochs_of(
    context: StageContext,
    loaded: LanguageModel,
    lessons: Lessons,
    anchors: Sequence[AnchorBatch],
) -> list[Epoch]:
    """The batches of every epoch.

    Args:
        context: of the stage.
        loaded: the model before it is taught, with its tokenizer.
        lessons: what it is taught.
        anchors: general texts that the model is held to.
    """
    settings = context.project.pretrain
    shares = (settings.domain_text, settings.replay, settings.sentence_pairs * bool(lessons.pairs))
    beside = [_Beside(*shares_beside(len(own), shares)) for own in lessons.plan]
    forms = forms_of(loaded, settings)
    facts = _fact_rows(context, loaded, forms, lessons)
    texts = _text_rows(context, loaded, forms, lessons, beside)
    epochs = [[*own, *others] for own, others in zip(facts, texts, strict=True)]
    every = [row for rows in epochs for row in rows]
    collate = collate_for(loaded.model, every, frozen_blocks(loaded.model, settings.layers))
    return [
        _batches(
            context, rows, _pairs(context, loaded, lessons, of, number), collate, anchors, number
        )
        for number, (rows, of) in enumerate(zip(epochs, beside, strict=True))
    ]


def _fact_rows(
    context: StageContext, loaded: LanguageModel, forms: PredictedForms, lessons: Lessons
) -> list[list[PredictedText]]:
    """The texts of each epoch's exposures, profiles in an order of their own each time."""
    settings, facts = context.project.pretrain, lessons.facts
    prepared = [forms.prepared(fact.texts) for fact in facts]
    profile = partial(
        told_in_window,
        most=settings.profile_facts,
        max_tokens=settings.max_tokens,
        tokenizer=loaded.tokenizer,
    )
    epochs = []
    for number, exposures in enumerate(lessons.plan):
        random = np.random.default_rng([context.seed, 71, number])
        at_once = [facts[fact].fact for fact, text in exposures if text == PROFILE]
        told = [profile(lessons.profiles[fact], random=random) for fact in at_once]
        fresh = iter(forms.prepared(told))
        epochs.append(
            [
                forms.of_fact(next(fresh) if text == PROFILE else prepared[fact][text], random)
                for fact, text in exposures
            ]
        )
    return epochs


def _text_rows(
    context: StageContext,
    loaded: LanguageModel,
    forms: PredictedForms,
    lessons: Lessons,
    beside: Sequence[_Beside],
) -> list[list[PredictedText]]:
    """The domain and general texts of each epoch."""
    held_out = lessons.pairs.held_out_texts if lessons.pairs else frozenset()
    texts = domain_texts(context.inputs["facts"], context.inputs["link"], LONGEST_DOMAIN_TEXT)
    domain = forms.prepared([text for text in texts if text.text not in held_out])
    most = max((of.general for of in beside), default=0)
    general = forms.prepared(replay_texts(context, loaded, most))
    epochs = []
    for number, of in enumerate(beside):
        random = np.random.default_rng([context.seed, 73, number])
        rows = []
        for there, count, stream in ((domain, of.domain, 17), (general, of.general, 113)):
            chosen = drawn(len(there), count, context.seed, stream, number)
            rows += [forms.of_text(there[index], random) for index in chosen]
        epochs.append(rows)
    return epochs


def _pairs(
    context: StageContext, loaded: LanguageModel, lessons: Lessons, of: _Beside, number: int
) -> list[PairBatch]:
    if lessons.pairs is None:
        return []
    settings = context.project.pretrain
    return lessons.pairs.batches(loaded.tokenizer, settings, of.pairs, context.seed, number)


def _batches(
    context: StageContext,
    rows: Sequence[PredictedText],
    pairs: Sequence[PairBatch],
    collate: Collate,
    anchors: Sequence[AnchorBatch],
    epoch: int,
) -> Epoch:
    """An epoch's batches. No text sees another, so no two phrasings of a fact share a window."""
    random = np.random.default_rng([context.seed, 13, epoch])
    size = context.project.pretrain.batch_size
    groups = shuffled_batches([len(row) for row in rows], size, random)
    batches: list[PredictedBatch | PairBatch] = [
        collate([rows[index] for index in group]) for group in groups
    ]
    between = np.random.default_rng([context.seed, 139, epoch])
    for batch in pairs:
        batches.insert(int(between.integers(len(batches) + 1)), batch)
    turns = turn_of(anchors, len(batches), random)
    return [AnchoredBatch(batch, anchor) for batch, anchor in zip(batches, turns, strict=True)]
