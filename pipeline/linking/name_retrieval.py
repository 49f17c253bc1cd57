"""Nearest names by character n-grams: TF-IDF and cosine, the usual first stage of entity linkers.

As in scispaCy (Neumann et al. 2019): n-grams of three characters within words, weighted by
log-frequency and smoothed inverse document frequency; names are compared by cosine. It is the baseline
that a linker's own candidates for a surface that is no name have to beat.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from ...kg.linking.folding import case_fold
from ...kg.linking.linking_scores import NameRow
from ...kg.linking.mentions import Candidate

GRAM = 3  # characters
FIRST_SORTED = 100  # names sorted before any more are asked for


@dataclass(frozen=True)
class NameRetrieval:
    """The n-grams of n names over a vocabulary of g.

    Attributes:
        rows: the names.
        grams: n-gram → its column.
        idf: (g,) inverse document frequencies.
        weights: (g, n) weights of the names' n-grams, each name of length 1.
    """

    rows: Sequence[NameRow]
    grams: dict[str, int]
    idf: np.ndarray
    weights: sparse.csr_array

    @classmethod
    def build(cls, rows: Sequence[NameRow]) -> "NameRetrieval":
        """Index names.

        Raises:
            ValueError: there is none.
        """
        if not rows:
            raise ValueError("there is no name to index")
        grams: dict[str, int] = {}
        columns, starts = [], [0]
        for row in rows:
            columns.extend([grams.setdefault(gram, len(grams)) for gram in n_grams(row.text)])
            starts.append(len(columns))
        shape = (len(rows), len(grams))
        counts = sparse.csr_array((np.ones(len(columns)), columns, starts), shape=shape)
        counts.sum_duplicates()
        frequency = np.bincount(counts.indices, minlength=len(grams))
        idf = np.log((1 + len(rows)) / (1 + frequency)) + 1
        counts.data = (1 + np.log(counts.data)) * idf[counts.indices]
        lengths = np.sqrt(np.asarray(counts.multiply(counts).sum(axis=1))).ravel()
        counts.data /= np.repeat(np.maximum(lengths, 1e-12), np.diff(counts.indptr))
        return cls(rows, grams, idf, counts.T.tocsr())

    def candidates(self, text: str) -> Iterator[Candidate]:
        """Names that share an n-gram with the text, the likest first; the score is the cosine."""
        scores = self.scores(text)
        found = np.flatnonzero(scores)
        first = found
        if len(found) > FIRST_SORTED:
            first = found[np.argpartition(-scores[found], FIRST_SORTED - 1)[:FIRST_SORTED]]
        yield from self._sorted(first, scores)
        if len(found) > FIRST_SORTED:
            yield from self._sorted(np.setdiff1d(found, first), scores)

    def scores(self, text: str) -> np.ndarray:
        """(n,) cosine of the text with each name."""
        known = [self.grams[gram] for gram in n_grams(text) if gram in self.grams]
        columns, counts = np.unique(np.array(known, dtype=np.intp), return_counts=True)
        query = (1 + np.log(counts)) * self.idf[columns]
        scores = np.zeros(len(self.rows))
        starts, places, weights = self.weights.indptr, self.weights.indices, self.weights.data
        for column, weight in zip(columns, query, strict=True):
            part = slice(starts[column], starts[column + 1])
            scores[places[part]] += weight * weights[part]
        length = np.sqrt(np.sum(query**2))
        return scores / length if length else scores

    def _sorted(self, places: np.ndarray, scores: np.ndarray) -> Iterator[Candidate]:
        # Equal scores in the order of the names, so that nothing hangs on the sort.
        for place in places[np.lexsort((places, -scores[places]))]:
            row = self.rows[place]
            yield Candidate(row.entity, float(scores[place]), row.text, row.kind)


def n_grams(text: str) -> list[str]:
    """The n-grams of a text's words, each word between two blanks; a shorter word is one.

    >>> n_grams("Big toe")
    [' bi', 'big', 'ig ', ' to', 'toe', 'oe ']
    """
    grams = []
    for word in case_fold(text).split():
        padded = f" {word} "
        grams += [padded[at : at + GRAM] for at in range(len(padded) - GRAM + 1)]
    return grams
