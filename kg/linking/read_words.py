"""A text's words as numbers and classes, and where its phrases and sentences end."""

from collections.abc import Sequence
from dataclasses import dataclass

from .folding import SENTENCE_BREAK, Words, gap_kind
from .spellings import Spellings

NO_PLACE = -1


@dataclass(frozen=True, slots=True)
class ReadWords:
    """The n words of one text, as the matcher sees them: n entries each.

    Attributes:
        raw: as written.
        gaps: the characters after each.
        numbers: of the folded words, UNKNOWN where no name has it.
        classes: of their forms, UNKNOWN likewise.
        stops: whether it is a word that is passed over in names in any order.
        grammar: whether it is a word of grammar alone.
        conjunctions: whether it joins the members of a coordination.
        followers: place of the next word of its phrase that isn't a stop word, NO_PLACE if none.
        phrase_ends: place past the last word of its phrase.
        sentence_starts: place of the first word of its sentence.
        sentence_ends: place past the last word of its sentence.
    """

    raw: list[str]
    gaps: list[str]
    numbers: Sequence[int]
    classes: Sequence[int]
    stops: Sequence[bool]
    grammar: Sequence[bool]
    conjunctions: Sequence[bool]
    followers: list[int]
    phrase_ends: list[int]
    sentence_starts: list[int]
    sentence_ends: list[int]


class GapKinds(dict[str, int]):
    """What stands between two words → NO_BREAK, PHRASE_BREAK or SENTENCE_BREAK, each asked once."""

    MAX_GAPS = 100_000

    def __missing__(self, gap: str) -> int:
        if len(self) >= self.MAX_GAPS:
            self.clear()
        kind = self[gap] = gap_kind(gap)
        return kind


class WordReader:
    """Reads the words of texts; keeps what it learnt of spellings and gaps, bounded in number."""

    def __init__(self, spellings: Spellings) -> None:
        self._spellings = spellings
        self._gap_kinds = GapKinds()

    def read(self, words: Words) -> ReadWords:
        """Look every word and gap of a text up."""
        phrase_ends: list[int] = []
        sentence_starts: list[int] = []
        sentence_ends: list[int] = []
        kinds = list(map(self._gap_kinds.__getitem__, words.gaps))
        for place in [*[place for place, kind in enumerate(kinds, 1) if kind], len(kinds)]:
            phrase_ends += [place] * (place - len(phrase_ends))
            if place == len(kinds) or kinds[place - 1] == SENTENCE_BREAK:
                count = place - len(sentence_ends)
                sentence_starts += [len(sentence_ends)] * count
                sentence_ends += [place] * count
        known = zip(*map(self._spellings.__getitem__, words.raw), strict=True)
        numbers, classes, stops, grammar, conjunctions = known if words.raw else ((),) * 5
        return ReadWords(
            words.raw,
            words.gaps,
            numbers,
            classes,
            stops,
            grammar,
            conjunctions,
            followers(stops, phrase_ends),
            phrase_ends,
            sentence_starts,
            sentence_ends,
        )


def followers(stops: Sequence[bool], phrase_ends: Sequence[int]) -> list[int]:
    """For each word the place of the next one of its phrase that isn't a stop word; NO_PLACE if none."""
    found, ahead = [NO_PLACE] * len(stops), NO_PLACE
    for place in range(len(stops) - 1, -1, -1):
        if phrase_ends[place] == place + 1:
            ahead = NO_PLACE
        found[place] = ahead
        if not stops[place]:
            ahead = place
    return found
