"""Mentions whose candidates are scored again by a function that is given from outside.

A name that the text spells and that one entity alone bears is left to the linker: the graph can teach
which of several entities is meant, but not whether a text that spells a name means it at all. Where
several entities bear the name, where none does to the letter, or where none is found at all, the mention
is open: the entities of near names compete too, and the new scores decide, NIL among them. A mention that
passes words over ("aplastic or hypoplastic nails") is left alone as well: its text is no name's.
"""

from bisect import bisect_right
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from ..sentence_spans import sentence_spans
from .linking_scores import fold_text
from .mentions import Candidate, Mention

COMPETING = 16  # candidates of an open mention: further ones hold its entity 3 % more often
AROUND = 240  # characters of the sentence on each side of a mention that are read


@dataclass(frozen=True, slots=True)
class OpenMention:
    """A mention whose candidates are to be scored; `sentence[start:end] == surface`.

    Attributes:
        sentence: that it stands in, cut to what is near it; the surface itself where there is no more.
        candidates: with the linker's scores, which sum to at most 1; the rest is NIL's.
    """

    surface: str
    sentence: str
    start: int
    end: int
    candidates: tuple[Candidate, ...]


# The probability of each candidate of each mention; what is left to 1 is NIL's.
Score = Callable[[Sequence[OpenMention]], Sequence[Sequence[float]]]
# More candidates for a surface, up to a number, as `NearCandidates.fill`.
Fill = Callable[[str, Sequence[Candidate], int], tuple[Candidate, ...]]


@dataclass(frozen=True)
class Rescoring:
    """How open mentions are settled.

    Attributes:
        score: gives candidates new scores.
        fill: adds entities of near names.
        least_score: a best candidate less likely than this is NIL.
    """

    score: Score
    fill: Fill
    least_score: float

    def settled(
        self,
        text: str,
        mentions: Sequence[Mention],
        interrupted: Collection[tuple[int, int]] = (),
    ) -> list[Mention]:
        """The mentions in their order, the open ones scored again; not those with these offsets."""
        places = [
            place
            for place, each in enumerate(mentions)
            if (each.start, each.end) not in interrupted and self.is_open(each)
        ]
        if not places:
            return list(mentions)
        spans = sentence_spans(text)
        opened = [self._opened(text, spans, mentions[place]) for place in places]
        settled = list(mentions)
        for place, each, scores in zip(places, opened, self.score(opened), strict=True):
            settled[place] = self._decided(mentions[place], each.candidates, scores)
        return settled

    def is_open(self, mention: Mention) -> bool:
        """Whether other scores may decide; not where the linker took it for NIL in spite of its own."""
        likeliest = max((each.score for each in mention.candidates), default=0.0)
        if mention.entity is None and likeliest >= self.least_score:
            return False
        key = fold_text(mention.surface)
        return len({each.entity for each in mention.candidates if fold_text(each.name) == key}) != 1

    def _opened(
        self, text: str, sentences: Sequence[tuple[int, int]], mention: Mention
    ) -> OpenMention:
        place = bisect_right(sentences, mention.start, key=lambda span: span[0]) - 1
        first, last = sentences[place] if place >= 0 else (mention.start, mention.end)
        first = min(mention.start, max(first, mention.start - AROUND))
        last = max(mention.end, min(last, mention.end + AROUND))
        return OpenMention(
            mention.surface,
            text[first:last],
            mention.start - first,
            mention.end - first,
            self.fill(mention.surface, mention.candidates, COMPETING),
        )

    def _decided(
        self, mention: Mention, candidates: Sequence[Candidate], scores: Sequence[float]
    ) -> Mention:
        scored = [
            replace(candidate, score=score)
            for candidate, score in zip(candidates, scores, strict=True)
        ]
        ranked = tuple(sorted(scored, key=lambda each: -each.score))  # equal ones as they were
        likely = bool(ranked) and ranked[0].score >= self.least_score
        return replace(mention, entity=ranked[0].entity if likely else None, candidates=ranked)
