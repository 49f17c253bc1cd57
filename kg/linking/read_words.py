"""A text's words as numbers and classes, and where its phrases and sentences end."""

from dataclasses import dataclass

from .folding import SENTENCE_BREAK, Words, gap_kind
from .spellings import Spellings


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
        phrase_ends: place past the last word of its phrase.
        sentence_starts: place of the first word of its sentence.
        sentence_ends: place past the last word of its sentence.
    """

    raw: list[str]
    gaps: list[str]
    numbers: list[int]
    classes: list[int]
    stops: list[bool]
    grammar: list[bool]
    conjunctions: list[bool]
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
        known = list(map(self._spellings.__getitem__, words.raw))
        return ReadWords(
            words.raw,
            words.gaps,
            [word.number for word in known],
            [word.form for word in known],
            [word.stop for word in known],
            [word.grammar for word in known],
            [word.conjunction for word in known],
            phrase_ends,
            sentence_starts,
            sentence_ends,
        )
