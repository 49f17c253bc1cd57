"""Pairs of sentences for next-sentence prediction: half of them follow each other in a domain text, half don't.

Each first sentence is told twice, with the one that follows it and with another (`consecutive_sentences`).
Both are masked as domain text is, as BERT's were: a pair is then a row like the others, and what it says is
taught with it. Some texts are held out, also from the domain text that is taught: on their pairs is
measured what it came to.
"""

from collections.abc import Sequence, Set
from dataclasses import dataclass

import numpy as np
from transformers import PreTrainedTokenizerBase

from ...errors import UserError
from ...models.base_model import load_tokenizer
from ...models.language_model import LanguageModel
from ...models.next_sentence import NextSentenceHead, load_next_sentence_head, rightly_told
from ...models.sentence_pairs import (
    PredictedPair,
    SentencePair,
    maskable_pair,
    masked_pair,
    visible_pair,
)
from ..settings.training import PretrainTable
from ..stages import StageContext
from .consecutive_sentences import (
    Consecutive,
    Followers,
    consecutive_sentences,
    sentences_that_fit,
)
from .predicted_forms import masking_rates
from .replay import drawn
from .teaching_data import linked_texts, withheld_objects
from .teaching_run import taught_precision, write_json

LEAST_TEXTS = 20  # of two sentences; of fewer too few are left to measure on
HELD_OUT, MOST_HELD_OUT = 0.2, 100  # share of these texts, and most of them


@dataclass(frozen=True)
class TaughtPairs:
    """What is taught of pairs, and what is kept to measure it on.

    Attributes:
        head: of the base.
        taught: whose pairs are taught.
        held_out: pairs of texts that aren't.
        held_out_texts: these texts.
        followers: which pairs there may be.
    """

    head: NextSentenceHead
    taught: Sequence[Consecutive]
    held_out: Sequence[SentencePair]
    held_out_texts: Set[str]
    followers: Followers

    def rows(
        self,
        tokenizer: PreTrainedTokenizerBase,
        settings: PretrainTable,
        count: int,
        seed: int,
        epoch: int,
    ) -> list[PredictedPair]:
        """About so many pairs of an epoch; both sentences masked as other domain text is."""
        random, rates = np.random.default_rng([seed, 127, epoch]), masking_rates(settings)
        numbers = drawn(len(self.taught), count // 2, seed, 131, epoch)
        return [
            masked_pair(
                maskable_pair(tokenizer, pair, settings.max_tokens), rates, tokenizer, random
            )
            for pair in self.followers.twins(self.taught, numbers, random)
        ]

    def right(self, loaded: LanguageModel, settings: PretrainTable) -> int:
        """How many pairs held out a model tells rightly, nothing of them masked."""
        rows = [
            visible_pair(maskable_pair(loaded.tokenizer, pair, settings.max_tokens))
            for pair in self.held_out
        ]
        return rightly_told(loaded.model, self.head, rows)


def taught_pairs(context: StageContext, max_characters: int) -> TaughtPairs | None:
    """The pairs of the project's domain text; None where it asks for none.

    Args:
        context: of the pretrain stage.
        max_characters: of a text.

    Raises:
        UserError: the base has no head for them, or there is too little text.
    """
    settings, where = (
        context.project.pretrain,
        f"{context.project.file.name}:pretrain.sentence_pairs",
    )
    if not settings.sentence_pairs:
        return None
    head = load_next_sentence_head(context.inputs["base"], taught_precision(context))
    if head is None:
        raise UserError(
            "the base has no head that tells whether a sentence follows another",
            where,
            "Leave it out, or give a model.base saved as BertForPreTraining or its like.",
        )
    facts, link = context.inputs["facts"], context.inputs["link"]
    tokenizer = load_tokenizer(context.inputs["base"])
    fits = sentences_that_fit(tokenizer, settings.max_tokens)
    found = consecutive_sentences(linked_texts(facts, link, max_characters), fits)
    texts = list(dict.fromkeys(each.text for each in found))
    if len(texts) < LEAST_TEXTS:
        raise UserError(
            f"{len(texts)} of the domain's texts have two sentences that fit, and pairs need {LEAST_TEXTS}",
            where,
            "Leave it out, or name predicates of longer texts under link.text_predicates.",
        )
    pairs = _held_out(
        found, texts, Followers(_words(found), withheld_objects(facts)), head, context.seed
    )
    context.console.line(
        f"{len(pairs.taught)} sentences that follow another in {len(texts)} texts are taught in pairs; "
        f"{len(pairs.held_out)} pairs are held out"
    )
    return pairs


def _held_out(
    found: Sequence[Consecutive],
    texts: Sequence[str],
    followers: Followers,
    head: NextSentenceHead,
    seed: int,
) -> TaughtPairs:
    random = np.random.default_rng([seed, 137])
    count = min(MOST_HELD_OUT, int(len(texts) * HELD_OUT))
    kept = {texts[number] for number in random.permutation(len(texts))[:count]}
    taught = [each for each in found if each.text not in kept]
    told = _words(taught)
    unseen = [each for each in found if each.text in kept and each.words not in told]
    return TaughtPairs(
        head, taught, followers.twins(unseen, range(len(unseen)), random), kept, followers
    )


def _words(those: Sequence[Consecutive]) -> set[tuple[str, str]]:
    return {each.words for each in those}


def write_pairs(context: StageContext, pairs: TaughtPairs, before: int, after: int) -> None:
    """Write sentence_pairs.json, and say what the pairs held out tell.

    Args:
        context: of the stage.
        pairs: that were taught.
        before: how many of those held out the base tells rightly.
        after: how many the taught model does.
    """
    count = len(pairs.held_out)
    told = {"held_out": count, "right_before": before, "right_after": after}
    write_json(context.work / "sentence_pairs.json", told)
    context.console.line(
        f"next sentence or another: {before} of {count} pairs held out told rightly before, {after} after"
    )
