"""Where the vectors of a fused model's objects come from: the graph, their texts, or the user's own file."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase
from transformers.modeling_utils import PreTrainedModel

from ..kg.definitions import definitions
from ..kg.graph import KnowledgeGraph
from ..models.fusion_training import text_keys
from .console import Console
from .named_vectors import read_npz, rows_in
from .settings.training import VECTOR_SOURCES

GRAPH, LABEL, DEFINITION = VECTOR_SOURCES
TEXTS_AT_ONCE = 256  # between two tellings of progress
NO_ENTITY = -1
EMBEDDED = "vectors.safetensors"  # in the embed stage's folder
VECTORS = "vectors.safetensors"  # in the fuse stage's: those that it was trained with


@dataclass(frozen=True)
class EntityVectors:
    """Vectors of some of a graph's entities.

    Attributes:
        vectors: (E, G).
        entities: (E,) their numbers, ascending.
    """

    vectors: Tensor
    entities: np.ndarray

    @cached_property
    def rows(self) -> dict[int, int]:
        """Entity to its row."""
        return {int(entity): row for row, entity in enumerate(self.entities)}


def load_vectors(path: Path) -> EntityVectors:
    """What the embed stage or `save_vectors` wrote."""
    tensors = load_file(path)
    return EntityVectors(tensors["entity"].float(), tensors["entity_ids"].numpy())


def save_vectors(vectors: EntityVectors, path: Path) -> None:
    save_file(
        {
            "entity": vectors.vectors.contiguous(),
            "entity_ids": torch.from_numpy(vectors.entities.astype(np.int32)),
        },
        path,
    )


def joined(parts: Sequence[EntityVectors]) -> EntityVectors:
    """All parts side by side for every entity of any; zeros where a part has none.

    Each part's rows are brought to one length, √width, so that none drowns another. Of no part: no
    entity, and zeros that stand for none.
    """
    if not parts:
        return EntityVectors(torch.zeros(1, 2), np.array([NO_ENTITY]))
    entities = np.unique(np.concatenate([part.entities for part in parts]))
    columns = []
    for part in parts:
        width = part.vectors.shape[1]
        column = torch.zeros(len(entities), width)
        rows = torch.from_numpy(np.searchsorted(entities, part.entities))
        column[rows] = nn.functional.rms_norm(part.vectors, (width,), eps=1e-12)
        columns.append(column)
    return EntityVectors(torch.cat(columns, dim=1), entities)


@dataclass(frozen=True)
class TextReader:
    """A base that reads texts into its own space: the mean of its last states."""

    base: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    console: Console

    def vectors(self, what: str, entities: np.ndarray, texts: Sequence[str]) -> EntityVectors:
        """Of those entities that have a text, which is read once; `what` says it for progress."""
        numbers = sorted(
            (number for number, text in enumerate(texts) if text),
            key=lambda number: len(texts[number]),  # so that little is padded
        )
        if not numbers:
            return EntityVectors(torch.zeros(0, self.base.config.hidden_size), entities[:0])
        read = [" ".join(texts[number].split()) for number in numbers]
        with self.console.progress(f"reading {what}s", len(read), "texts") as advance:
            keys = self._keys(read, advance)
        order = np.argsort(numbers)
        return EntityVectors(keys[torch.from_numpy(order)], entities[np.sort(numbers)])

    def _keys(self, texts: Sequence[str], advance: Callable[[int], None]) -> Tensor:
        found = []
        for start in range(0, len(texts), TEXTS_AT_ONCE):
            chunk = texts[start : start + TEXTS_AT_ONCE]
            found.append(text_keys(self.base, self.tokenizer, chunk))
            advance(len(chunk))
        return torch.cat(found)


def entity_vectors(
    sources: Sequence[str],
    graph: KnowledgeGraph,
    embed_folder: Path,
    files: Mapping[str, Path],
    reader: TextReader,
) -> EntityVectors:
    """The vectors of all entities that the embed stage chose, or that a file names.

    Args:
        sources: "graph", "label", "definition" or a file of the user; none: no entity has a vector.
        graph: whose entities they are.
        embed_folder: of the embed stage.
        files: what a file's name stands for.
        reader: of labels and definitions.

    Raises:
        UserError: see `file_vectors`.
    """
    chosen = load_vectors(embed_folder / EMBEDDED)
    if tuple(sources) == (GRAPH,):
        return chosen  # as they were trained
    numbers = chosen.entities.tolist()

    def of(source: str) -> EntityVectors:
        if source == GRAPH:
            return chosen
        if source == LABEL:
            texts = [graph.label(entity) for entity in numbers]
            return reader.vectors(source, chosen.entities, texts)
        if source == DEFINITION:
            return reader.vectors(source, chosen.entities, definitions(graph, numbers))
        return file_vectors(files[source], graph, reader.console)

    return joined([of(source) for source in sources])


def file_vectors(path: Path, graph: KnowledgeGraph, console: Console) -> EntityVectors:
    """A modality of the user's own: `numpy.savez(path, entity=IRIs, vector=numbers)`.

    Args:
        path: an .npz of `entity` (E,) IRIs of the graph and `vector` (E, G).
        graph: whose entities they are; those that it doesn't have are left out, and counted aloud.
        console: where that is said.

    Raises:
        UserError: it is no such file, their numbers differ, an entity is named twice, a number isn't
            finite, or none of the entities is the graph's.
    """
    entities, vectors = rows_in(read_npz(path), graph, console)
    return EntityVectors(torch.from_numpy(vectors), entities)


def vectors_in(
    vectors: EntityVectors, trained: KnowledgeGraph, now: KnowledgeGraph
) -> EntityVectors:
    """The same vectors by the numbers that their entities have now; those that are gone are left out."""
    if trained is now or trained.id_space == now.id_space:
        return vectors
    found = np.array([_number(now, trained, int(entity)) for entity in vectors.entities])
    order = np.argsort(found, kind="stable")
    order = order[found[order] >= 0]
    if not len(order):
        return EntityVectors(torch.zeros_like(vectors.vectors[:1]), np.array([NO_ENTITY]))
    return EntityVectors(vectors.vectors[order], found[order].astype(np.int32))


def _number(now: KnowledgeGraph, trained: KnowledgeGraph, entity: int) -> int:
    if entity < 0:
        return NO_ENTITY
    found = now.find(trained.iri(entity))
    return NO_ENTITY if found is None else found
