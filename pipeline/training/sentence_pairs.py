"""Pairs of sentences for next-sentence prediction: half of them follow each other in a domain text, half don't.

Each first sentence is told twice, with the one that follows it and with another (`consecutive_sentences`).
Both are masked as domain text is, as BERT's were: a pair is then a row like the others, and what it says is
taught with it. Some texts are held out, also from the domain text that is taught: on their pairs is
measured what it came to.
"""

from collections.abc import Sequence, Set
from dataclasses import dataclass, replace

import numpy as np
from peft import PeftModel
from transformers import PreTrainedTokenizerBase

from ...errors import UserError
from ...models.base_model import load_tokenizer
from ...models.language_model import LanguageModel
from ...models.next_sentence import (
    NextSentenceHead,
    load_next_sentence_head,
    rightly_told,
    save_with_head,
)
from ...models.sentence_pairs import (
    PairBatch,
    PredictedPair,
    SentencePair,
    collate_pairs,
    maskable_pair,
    masked_pair,
    visible_pair,
)
from ...models.taught_weights import TaughtModel, base_of
from ...models.token_batches import shuffled_batches
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

    def batches(
        self,
        tokenizer: PreTrainedTokenizerBase,
        settings: PretrainTable,
        count: int,
        seed: int,
        epoch: int,
    ) -> list[PairBatch]:
        """Those pairs in batches."""
        random = np.random.default_rng([seed, 149, epoch])
        rows = self.rows(tokenizer, settings, count, seed, epoch)
        groups = shuffled_batches([len(row) for row in rows], settings.batch_size, random)
        return [collate_pairs([rows[index] for index in group]) for group in groups]

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
    if not context.project.pretrain.sentence_pairs:
        return None
    where = f"{context.project.file.name}:pretrain.sentence_pairs"
    head = _head_of_base(context, where)
    facts, link = context.inputs["facts"], context.inputs["link"]
    tokenizer = load_tokenizer(context.inputs["base"])
    fits = sentences_that_fit(tokenizer, context.project.pretrain.max_tokens)
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
        f"{len(pairs.taught)} sentences that follow another are taught in pairs; {len(pairs.held_out)} "
        f"pairs of {len(pairs.held_out_texts)} other texts are held out"
    )
    return pairs


def _head_of_base(context: StageContext, where: str) -> NextSentenceHead:
    head = load_next_sentence_head(context.inputs["base"], taught_precision(context))
    if head is None:
        raise UserError(
            "the base has no head that tells whether a sentence follows another",
            where,
            "Leave it out, or give a model.base saved as BertForPreTraining or its like.",
        )
    return head


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


def finish_pairs(
    context: StageContext,
    pairs: TaughtPairs,
    adapted: TaughtModel,
    base: LanguageModel,
    right_before: int,
) -> None:
    """Write sentence_pairs.json, and say what the pairs held out tell.

    An adapter is laid on a base that has the head; with a whole model that was taught it is saved.

    Args:
        context: of the stage.
        pairs: that were taught.
        adapted: the taught model.
        base: its tokenizer and kind.
        right_before: how many of the pairs held out the base told rightly.
    """
    if not isinstance(adapted, PeftModel):
        save_with_head(adapted, pairs.head, context.work / "adapter")
    taught = replace(base, model=base_of(adapted))
    right_after = pairs.right(taught, context.project.pretrain)
    count = len(pairs.held_out)
    told = {"held_out": count, "right_before": right_before, "right_after": right_after}
    write_json(context.work / "sentence_pairs.json", told)
    context.console.line(
        f"next sentence or another: {right_before} of {count} pairs held out told rightly before, "
        f"{right_after} after"
    )
