"""Which words two indexes of names read otherwise: as another word of names, or another word's form.

Words have numbers of their own in each index, and so have classes of forms. A number of one index is
that of the other where it stands for the same folded word; a class is, where both hold the same of the
words that both indexes have. What one index alone has (a word, or a class of none but such words) counts
as unknown in both: it belongs to names that this index alone has, and these are looked at by themselves.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from .changes import Change, ChangeKind
from .spellings import UNKNOWN, KnownWord, Spellings

CHANGED = -2  # class that is another one in the other index


class ChangedWords:
    """Compares what two indexes know of a word as it is written.

    Args:
        old, new: spellings of the names of two graphs.
    """

    def __init__(self, old: Spellings, new: Spellings) -> None:
        self._old, self._new = old, new
        numbers = _numbers_in(old.numbers, new.numbers)
        shared = np.flatnonzero(numbers != UNKNOWN)
        self._numbers = np.append(numbers, UNKNOWN)  # the last place is UNKNOWN's, -1
        self._is_shared = np.zeros(len(new.numbers) + 1, bool)
        self._is_shared[numbers[shared]] = True
        before = np.array(old.forms.classes, np.int64)[shared]
        after = np.array(new.forms.classes, np.int64)[numbers[shared]]
        self._classes = _classes_in(before, after, len(old.numbers))
        self._is_class = np.zeros(len(new.numbers) + 1, bool)
        self._is_class[after] = True

    def class_in_new(self, form: int) -> int:
        """The new index's class for one of the old index: UNKNOWN where it has none, or CHANGED."""
        return int(self._classes[form])

    def change(self, word: str) -> Change | None:
        """What has changed about a word of a text; None where both read the same."""
        before, after = self._old[word], self._new[word]
        if self._same(before, after):
            return None
        return Change(ChangeKind.WORD, word)

    def _same(self, before: KnownWord, after: KnownWord) -> bool:
        number = after.number if self._is_shared[after.number] else UNKNOWN
        form = after.form if self._is_class[after.form] else UNKNOWN
        return (
            int(self._numbers[before.number]) == number and self.class_in_new(before.form) == form
        )


def _numbers_in(old: Iterable[str], new: dict[str, int]) -> NDArray[np.int64]:
    """The number in `new` of each word of `old`, UNKNOWN where it isn't there."""
    return np.array([new.get(word, UNKNOWN) for word in old], np.int64)


def _classes_in(
    before: NDArray[np.int64], after: NDArray[np.int64], count: int
) -> NDArray[np.int64]:
    """The new class of each old one, and of UNKNOWN in the last place.

    Args:
        before, after: classes of the words that both indexes have.
        count: of the words of the old index.
    """
    found = np.full(count + 1, UNKNOWN, np.int64)
    found[before] = CHANGED
    pairs, sizes = np.unique(np.stack((before, after), 1), axis=0, return_counts=True)
    same = (sizes == np.bincount(before)[pairs[:, 0]]) & (sizes == np.bincount(after)[pairs[:, 1]])
    found[pairs[same, 0]] = pairs[same, 1]
    return found
