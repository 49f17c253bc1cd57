"""Candidates for a mention that go beyond the names that match: the entities of the nearest names."""

import math
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from .folding import split_words
from .index_files import UNREADABLE, load_arrays, replaced_folder, save_arrays
from .linking_scores import NameRow
from .mentions import SCORE_DIGITS, Candidate
from .name_index import SYNONYM_KINDS
from .near_names import NearNames
from .spellings import UNKNOWN, Spellings
from .word_translation import learn_translations

NAMES_PER_CANDIDATE = 8  # nearest names that are looked at: several may be of one entity
COSINE_WEIGHT = 8.0  # logit of a near name: this times its cosine
MAX_TEACHING = 20_000  # entities whose names teach what words become: memory grows with them
NIL_COSINE = 0.8  # NIL stands beside near names as one of this cosine does; benchmarks/link.py


class NearCandidates:
    """Finds entities by their nearest names; its index is made when it is first asked.

    Args:
        names: key → the names that fold to it.
        spellings: of the words of those names and of texts.
        kept: folder of the index, which is made where there is none; None keeps nothing.
    """

    def __init__(
        self, names: Sequence[Sequence[NameRow]], spellings: Spellings, kept: Path | None = None
    ) -> None:
        self._names = names
        self._spellings = spellings
        self._kept = kept

    def prepare(self) -> None:
        """Read the index, or make it, before it is first asked."""
        _ = self._index

    def fill(self, text: str, candidates: Sequence[Candidate], count: int) -> tuple[Candidate, ...]:
        """Add the nearest entities until there are `count`; what scores leave to NIL they share.

        Args:
            text: the mention's surface.
            candidates: those whose names match, best first; their scores stay as they are.
        """
        if len(candidates) >= count:
            return tuple(candidates)
        known = {candidate.entity for candidate in candidates}
        near = [pair for pair in self._nearest(text, count) if pair[0].entity not in known]
        near = near[: count - len(candidates)]
        left = max(0.0, 1.0 - math.fsum(candidate.score for candidate in candidates))
        powers = [math.exp(COSINE_WEIGHT * (cosine - NIL_COSINE)) for _, cosine in near]
        total = 1.0 + math.fsum(powers)
        added = [
            Candidate(
                row.entity, round(left * power / total, SCORE_DIGITS), row.text, row.kind, near=True
            )
            for (row, _), power in zip(near, powers, strict=True)
        ]
        return tuple(sorted([*candidates, *added], key=lambda candidate: -candidate.score))

    def _nearest(self, text: str, count: int) -> list[tuple[NameRow, float]]:
        """The nearest name of each of the nearest entities, with its cosine, nearest first."""
        found: dict[int, tuple[NameRow, float]] = {}
        for key, cosine in self._index.nearest(self._classes(text), count * NAMES_PER_CANDIDATE):
            for row in self._names[key]:
                if not row.deprecated:
                    found.setdefault(row.entity, (row, cosine))
        return list(found.values())

    @cached_property
    def _index(self) -> NearNames:
        if self._kept is None:
            return self._built()
        with suppress(*UNREADABLE):
            return NearNames.of_arrays(load_arrays(self._kept))
        index = self._built()
        with suppress(OSError), replaced_folder(self._kept) as partial:
            save_arrays(index.arrays(), partial)
        return index

    def _built(self) -> NearNames:
        translations = learn_translations(self._synonyms())
        contents = (frozenset(self._classes(rows[0].text)) for rows in self._names)
        return NearNames(contents, self._spellings.class_count, translations)

    def _synonyms(self) -> Iterator[list[frozenset[int]]]:
        """The synonyms of each entity that has several, of as many entities as teach enough."""
        counts: Counter[int] = Counter(
            row.entity for rows in self._names for row in rows if row.kind in SYNONYM_KINDS
        )
        several = [entity for entity, count in counts.items() if count > 1]
        if len(several) > MAX_TEACHING:
            several = random.Random(0).sample(several, MAX_TEACHING)
        found: dict[int, list[frozenset[int]]] = {entity: [] for entity in several}
        for rows in self._names:
            for row in rows:
                if row.entity in found and row.kind in SYNONYM_KINDS:
                    found[row.entity].append(frozenset(self._classes(rows[0].text)))
        yield from found.values()

    def _classes(self, text: str) -> list[int]:
        known = [self._spellings[word] for word in split_words(text).raw]
        return [word.form for word in known if word.form != UNKNOWN and not word.stop]
