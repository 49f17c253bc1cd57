"""The function by which a trained re-ranker scores the open mentions of a linker's texts."""

from collections.abc import Collection, Sequence

import torch

from ...kg.graph import KnowledgeGraph
from ...kg.linking.entity_texts import EntityTexts, entity_texts
from ...kg.linking.linker import INDEX_FOLDER
from ...kg.linking.rescoring import OpenMention
from ...models.text_encoder import Vectors
from ..console import Console
from .candidate_lists import VectorTable, candidate_lists
from .reranker_folder import TrainedReranker
from .text_vectors import TextVectors, text_vectors

DIGITS = 6  # of a probability: beyond them it hangs on the processor
MOST_KEPT = 50_000  # surfaces whose vectors are kept


class Reranking:
    """Scores mentions of one graph's entities.

    Args:
        trained: the re-ranker.
        texts: of the entities.
        vectors: of those texts.
    """

    def __init__(self, trained: TrainedReranker, texts: EntityTexts, vectors: TextVectors) -> None:
        self._trained = trained
        self._texts = texts
        self._vectors = vectors
        self._surfaces: dict[str, Vectors] = {}

    @torch.inference_mode()
    def score(self, opened: Sequence[OpenMention]) -> list[list[float]]:
        """The probability of each candidate of each mention; what is left to 1 is NIL's."""
        table = VectorTable(self._vectors)
        mentions = [self._surface_row(each.surface, table) for each in opened]
        contexts = list(mentions)
        inside = [place for place, each in enumerate(opened) if each.sentence != each.surface]
        read = self._trained.encoder.mention_vectors(
            [opened[place].sentence for place in inside],
            [(opened[place].start, opened[place].end) for place in inside],
            lambda done: None,
        )
        for place, vector in zip(inside, read, strict=True):
            contexts[place] = table.add(vector)
        lists = candidate_lists(opened, mentions, contexts, self._texts, table)
        found = self._trained.model.log_probabilities(table.tensor(), lists).exp()
        return [
            [round(score, DIGITS) for score in scores[1 : 1 + len(each.candidates)]]
            for scores, each in zip(found.tolist(), opened, strict=True)
        ]

    def with_texts(self, texts: EntityTexts) -> "Reranking":
        """The same for entities that have some of these texts alone."""
        return Reranking(self._trained, texts, self._vectors)

    def _surface_row(self, surface: str, table: VectorTable) -> int:
        if table.has(surface):
            return table.of_text(surface)
        vector = self._surfaces.get(surface)
        if vector is None:
            if len(self._surfaces) >= MOST_KEPT:
                self._surfaces.clear()
            vector = self._trained.encoder.vectors([surface], lambda done: None)[0]
            self._surfaces[surface] = vector
        return table.add(vector)


def graph_reranking(
    trained: TrainedReranker,
    graph: KnowledgeGraph,
    entities: Collection[int] | None,
    console: Console,
) -> Reranking:
    """Of a graph, whose vectors are read where they are kept, else computed and kept.

    Args:
        trained: the re-ranker, of this graph or another.
        graph: that is linked to.
        entities: that are linked to; all where None.
        console: for progress.
    """
    texts = entity_texts(graph, entities)
    kept = graph.directory / INDEX_FOLDER
    digest = trained.about.encoder_digest
    vectors = text_vectors(texts.texts(), trained.encoder, digest, kept, console)
    return Reranking(trained, texts, vectors)
