"""Files in folders that aren't taken for texts: counted by reason, and listed on disk, however many."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from ...kg.corpora.corpus_files import CorpusFile, PassedOver


class PassedOverFiles:
    """What was passed over in the last walk through the corpus.

    Attributes:
        reasons: how many files, by why.
    """

    def __init__(self, listing: Path) -> None:
        self._listing = listing
        self.reasons: Counter[str] = Counter()

    def without(self, found: Iterable[CorpusFile | PassedOver]) -> Iterator[CorpusFile]:
        """The files to read; the others are noted."""
        self.reasons.clear()
        with self._listing.open("w", encoding="utf-8") as listing:
            for each in found:
                if isinstance(each, CorpusFile):
                    yield each
                    continue
                self.reasons[each.reason] += 1
                row = {"place": each.name, "reason": f"passed over: {each.reason}"}
                listing.write(json.dumps(row, ensure_ascii=False) + "\n")

    def lines(self) -> Iterator[str]:
        """One JSON line for each."""
        with self._listing.open(encoding="utf-8") as listing:
            yield from listing
