"""Open mentions as the arrays that the re-ranker reads: rows of a table of vectors."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ...kg.linking.entity_texts import EntityTexts
from ...kg.linking.linking_scores import fold_text
from ...kg.linking.mentions import Candidate
from ...kg.linking.rescoring import OpenMention
from ...models.mention_reranker import NOTHING, CandidateLists
from ...models.text_encoder import Vectors
from .text_vectors import TextVectors

NAMES_READ = 8  # of a candidate: the one that the linker found, then in the table's order
KINDS = {"label": 1, "exact": 2, "narrow": 3, "broad": 4, "related": 5}  # 0 is any other
LEAST_SCORE = 1e-6  # whose logarithm is still a number to reckon with


class VectorTable:
    """The vectors that some lists need: those of kept texts, each once, and new ones."""

    def __init__(self, kept: TextVectors) -> None:
        self._kept = kept
        self._of_text: dict[str, int] = {}
        self._rows: list[int] = []
        self._new: list[np.ndarray] = []

    def has(self, text: str) -> bool:
        """Whether the text's vector is kept."""
        return text in self._kept.rows

    def of_text(self, text: str) -> int:
        """The row of a kept text."""
        row = self._of_text.get(text)
        if row is None:
            row = self._of_text[text] = self._taken(self._kept.rows[text])
        return row

    def add(self, vector: np.ndarray) -> int:
        """The row of a new vector (D,)."""
        self._new.append(vector)
        return self._taken(-len(self._new))

    def _taken(self, row: int) -> int:
        self._rows.append(row)
        return len(self._rows) - 1

    def tensor(self) -> Tensor:
        """(V, D) in the order of the rows."""
        rows = np.array(self._rows)
        kept = self._kept.vectors
        found: Vectors = np.empty((len(rows), kept.shape[1]), np.float16)
        known = rows >= 0
        found[known] = kept[rows[known]]
        if self._new:
            found[~known] = np.stack(self._new)[-rows[~known] - 1]
        return torch.from_numpy(found)


def candidate_lists(
    opened: Sequence[OpenMention],
    mention_rows: Sequence[int],
    context_rows: Sequence[int],
    texts: EntityTexts,
    table: VectorTable,
    hidden: Sequence[tuple[str, ...]] | None = None,
) -> CandidateLists:
    """The lists, without their truth.

    Args:
        opened: the mentions.
        mention_rows, context_rows: of each mention's own vectors in the table.
        texts: of the candidates; one without any has no vectors.
        table: grows by the rows that are needed.
        hidden: for each mention folded words; names that fold to them are as if they weren't there.
    """
    most = max([1, *(len(each.candidates) for each in opened)])
    names = np.full((len(opened), most, NAMES_READ), NOTHING, np.int32)
    descriptions = np.full((len(opened), most), NOTHING, np.int32)
    kinds = np.zeros((len(opened), most), np.int32)
    scores = np.full((len(opened), 1 + most), LEAST_SCORE, np.float32)
    for place, mention in enumerate(opened):
        key = hidden[place] if hidden is not None else None
        for number, candidate in enumerate(mention.candidates):
            read = _names_read(candidate, texts, key)
            names[place, number, : len(read)] = [table.of_text(name) for name in read]
            descriptions[place, number] = table.of_text(texts.descriptions[candidate.entity])
            kinds[place, number] = KINDS.get(candidate.kind, 0)
            scores[place, 1 + number] = candidate.score
        scores[place, 0] = 1.0 - math.fsum(each.score for each in mention.candidates)
    return CandidateLists(
        np.array(mention_rows, np.int32),
        np.array(context_rows, np.int32),
        names,
        descriptions,
        kinds,
        np.log(np.maximum(scores, LEAST_SCORE)),
    )


def _names_read(
    candidate: Candidate, texts: EntityTexts, hidden: tuple[str, ...] | None
) -> list[str]:
    names = [name for name in texts.names[candidate.entity] if name != candidate.name]
    read = [candidate.name, *names]
    if hidden is not None:
        read = [name for name in read if fold_text(name) != hidden]
    return read[:NAMES_READ]
