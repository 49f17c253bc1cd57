"""Which sentences of the domain's texts follow each other, and which others may stand in their place.

In a pair that doesn't follow, the second sentence is one that follows in some other text: by either
sentence alone, or by where in a text it stands, such a pair can't be told from one that does. Pairs are of
domain text only, never of a fact's sentences, and what may not be told by a text may not be told by two:
a pair never names both ends of a fact of the pools M and I, and two texts that may say the same fact (they
name two entities in common) make no pair.
"""

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from transformers import PreTrainedTokenizerBase

from ...kg.sentence_spans import sentence_spans
from ...models.predicted_texts import WeightedText
from ...models.sentence_pairs import SentencePair
from .teaching_data import LinkedText, gives_away


@dataclass(frozen=True)
class Consecutive:
    """Two sentences that follow each other.

    Attributes:
        first: of the two.
        second: of the two.
        text: that they are of.
        entities: that the text is about.
    """

    first: WeightedText
    second: WeightedText
    text: str
    entities: frozenset[int]

    @property
    def words(self) -> tuple[str, str]:
        return self.first.text, self.second.text


@dataclass(frozen=True)
class Followers:
    """Which sentences may be told not to follow which.

    Attributes:
        known: sentences that follow each other somewhere.
        withheld: by subject, objects that no text may tell.
    """

    known: Set[tuple[str, str]]
    withheld: Mapping[int, Set[int]]

    def may_stand_in(self, other: Consecutive, place: Consecutive) -> bool:
        """Whether `other`'s second sentence may be put behind `place`'s first one."""
        pair = (place.first.text, other.second.text)
        return not (
            other.text == place.text
            or pair[0] == pair[1]
            or pair in self.known
            or len(other.entities & place.entities) > 1
            or gives_away(other.entities | place.entities, self.withheld)
        )

    def twins(
        self, those: Sequence[Consecutive], numbers: Sequence[int], random: np.random.Generator
    ) -> list[SentencePair]:
        """Of those numbers, each with its own second sentence and with another's.

        One for which there is no other is left out, so that halves stay halves.
        """
        pairs = []
        for number in numbers:
            place, start = those[number], int(random.integers(len(those)))
            behind = (those[(start + step) % len(those)] for step in range(len(those)))
            other = next((each for each in behind if self.may_stand_in(each, place)), None)
            if other is not None:
                pairs.append(SentencePair(place.first, place.second, True))
                pairs.append(SentencePair(place.first, other.second, False))
        return pairs


def consecutive_sentences(
    texts: Sequence[LinkedText], fits: Callable[[str], bool]
) -> list[Consecutive]:
    """Every two sentences that follow each other, once for texts that say the same.

    Args:
        texts: of the domain.
        fits: whether a sentence may be one of a pair.
    """
    entities: dict[str, frozenset[int]] = {}
    for each in texts:
        entities[each.text.text] = entities.get(each.text.text, frozenset()) | each.entities
    whole = {each.text.text: each.text for each in texts}
    found = []
    for text, item in whole.items():
        sentences = [_part(item, span) for span in sentence_spans(text)]
        for first, second in pairwise(sentences):
            if fits(first.text) and fits(second.text):
                found.append(Consecutive(first, second, text, entities[text]))
    return found


def _part(text: WeightedText, span: tuple[int, int]) -> WeightedText:
    """A sentence of a text, with the mentions in it."""
    start, end = span
    mentions = [(of - start, to - start) for of, to in text.mentions if start <= of and to <= end]
    return WeightedText(text.text[start:end], 0, 1.0, tuple(mentions))


def sentences_that_fit(tokenizer: PreTrainedTokenizerBase, most: int) -> Callable[[str], bool]:
    """Whether a sentence takes no more than half of so many tokens, those counted that join the two."""
    room = (most - tokenizer.num_special_tokens_to_add(pair=True)) // 2

    def fits(sentence: str) -> bool:
        return len(tokenizer(sentence, add_special_tokens=False)["input_ids"]) <= room

    return fits
