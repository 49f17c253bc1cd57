"""The names nearest to a text that need be no name: candidates for what the graph calls otherwise.

A name is a vector of the classes of its words, weighted by how rare they are (inverse document
frequency over names); a query also has, with less weight, the words that its own become in other
names of an entity (`word_translation.py`). Names are ranked by the cosine.
"""

from array import array
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from .word_translation import Table

TRANSLATED_WEIGHT = 0.4  # of a translation beside its probability, at most 1 in all
COMMON = 2_000  # names: words of more are counted only where rarer ones have found names


class NearNames:
    """Ranks names by the words that they share with a text.

    Args:
        names: the word classes of each name; stop words left out.
        class_count: how many classes there are.
        translations: class → (class, probability).
    """

    def __init__(
        self, names: Iterable[Collection[int]], class_count: int, translations: Table
    ) -> None:
        lengths, forms = array("i"), array("i")
        for name in names:
            lengths.append(len(name))
            forms.extend(sorted(name))
        name_count, columns = len(lengths), np.frombuffer(forms, np.int32)
        rows = np.repeat(np.arange(name_count, dtype=np.int32), np.frombuffer(lengths, np.int32))
        order = np.argsort(columns, kind="stable")
        counts = np.bincount(columns, minlength=class_count)
        self._set(rows[order], np.concatenate([[0], np.cumsum(counts)]), name_count, translations)

    def _set(
        self, rows: NDArray[np.int32], bounds: NDArray, name_count: int, translations: Table
    ) -> None:
        """Keep which names have each class (`rows` from one bound to the next) and weigh them."""
        self._rows, self._bounds, self._translations = rows, bounds, translations
        counts = np.diff(bounds)
        self._rarity = np.log(1 + name_count / np.maximum(counts, 1))
        squares = np.bincount(rows, np.repeat(self._rarity**2, counts), minlength=name_count)
        self._norms = np.sqrt(np.maximum(squares, 1e-12))
        self._sums = np.zeros(name_count)  # of one query; zero between queries, and
        self._found = np.zeros(name_count, bool)  # likewise

    def arrays(self) -> dict[str, NDArray]:
        """All that it is made of, for `of_arrays`."""
        pairs = [
            (word, other, probability)
            for word, others in self._translations.items()
            for other, probability in others
        ]
        return {
            "rows": self._rows,
            "bounds": self._bounds,
            "name_count": np.array(len(self._norms)),
            "pairs": np.array([pair[:2] for pair in pairs], np.int64).reshape(-1, 2),
            "probabilities": np.array([pair[2] for pair in pairs], np.float64),
        }

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, NDArray]) -> "NearNames":
        """Made of arrays that were kept.

        Raises:
            KeyError: one is missing.
        """
        translations: defaultdict[int, list[tuple[int, float]]] = defaultdict(list)
        pairs = zip(arrays["pairs"].tolist(), arrays["probabilities"].tolist(), strict=True)
        for (word, other), probability in pairs:
            translations[word].append((other, probability))
        table = {word: tuple(others) for word, others in translations.items()}
        near = cls.__new__(cls)
        near._set(arrays["rows"], arrays["bounds"], int(arrays["name_count"]), table)
        return near

    def nearest(self, words: Sequence[int], count: int) -> list[tuple[int, float]]:
        """Return (number of a name, cosine) of the nearest ones, nearest first, at most `count`."""
        weights = self._query(words)
        if not weights:
            return []
        rows, values = self._shared(weights)
        norm = np.sqrt(sum(self._rarity[word] ** 2 for word in set(words)))
        cosines = values / (norm * self._norms[rows])
        if len(rows) > count:  # sort no more than those that may be among the best
            least = np.partition(cosines, len(rows) - count)[len(rows) - count]
            likely = np.flatnonzero(cosines >= least)
            rows, cosines = rows[likely], cosines[likely]
        best = np.lexsort((rows, -cosines))[:count]
        return list(zip(rows[best].tolist(), cosines[best].tolist(), strict=True))

    def _query(self, words: Sequence[int]) -> dict[int, float]:
        """Class → weight, its rarity included."""
        weights = {word: float(self._rarity[word]) for word in words if self._posted(word)}
        for word in tuple(weights):
            for other, probability in self._translations.get(word, ()):
                weight = min(1.0, TRANSLATED_WEIGHT + probability) * float(self._rarity[word])
                weights[other] = max(weights.get(other, 0.0), weight)
        return weights

    def _posted(self, word: int) -> int:
        return int(self._bounds[word + 1] - self._bounds[word])

    def _shared(self, weights: Mapping[int, float]) -> tuple[NDArray[np.int64], NDArray]:
        """Names that share words with the query, and the products of their weights summed."""
        ranked = sorted(weights, key=self._posted)
        rare = [word for word in ranked if self._posted(word) <= COMMON] or ranked[:1]
        sums = self._sums
        for word in ranked:  # a name has a class once
            sums[self._names_with(word)] += weights[word] * self._rarity[word]
        for word in rare:
            self._found[self._names_with(word)] = True
        rows = np.flatnonzero(self._found)
        self._found[rows] = False
        values = sums[rows]
        for word in ranked:
            sums[self._names_with(word)] = 0.0
        return rows, values

    def _names_with(self, word: int) -> NDArray[np.int32]:
        return self._rows[self._bounds[word] : self._bounds[word + 1]]
