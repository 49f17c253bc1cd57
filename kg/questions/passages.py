"""The graph as passages for text retrieval: the lines that a prompt would tell, ranked by BM25."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import bm25s
import numpy as np
from numpy.typing import NDArray

from .fact_prompt import FactLine


@dataclass(frozen=True)
class Passages:
    """What is searched; one line of facts each."""

    lines: tuple[FactLine, ...]

    @property
    def texts(self) -> list[str]:
        return [line.text for line in self.lines]


def subjects_to_tell(
    asked: Sequence[int], others: Sequence[int], most: int, seed: int
) -> tuple[int, ...]:
    """Subjects whose lines are searched: all that are asked about, then a seeded draw of others.

    Args:
        asked: entities that questions are about.
        others: further subjects of the same relations.
        most: how many in all; never fewer than are asked about.
        seed: of the draw.
    """
    kept = dict.fromkeys(asked)
    pool = [entity for entity in others if entity not in kept]
    drawn = np.random.default_rng([seed, 6]).permutation(len(pool))[: max(0, most - len(kept))]
    return (*kept, *(pool[at] for at in sorted(drawn)))


def passages_of(subjects: Sequence[int], lines: Callable[[int], Sequence[FactLine]]) -> Passages:
    """The lines about each subject, in the order of the subjects."""
    return Passages(tuple(line for subject in subjects for line in lines(subject)))


def bm25_ranking(passages: Passages, queries: Sequence[str], depth: int) -> NDArray[np.int64]:
    """(queries, depth) numbers of the best passages by BM25 (Robertson and Zaragoza 2009), best first.

    Lucene's form of the score with k1 = 1.5 and b = 0.75, English stop words left out, no stemming.
    """
    options = {"stopwords": "en", "show_progress": False}
    retriever = bm25s.BM25()
    retriever.index(bm25s.tokenize(passages.texts, **options), show_progress=False)
    found = retriever.retrieve(
        bm25s.tokenize(list(queries), **options),
        k=min(depth, len(passages.lines)),
        return_as="documents",
        show_progress=False,
    )
    return np.asarray(found, dtype=np.int64)
