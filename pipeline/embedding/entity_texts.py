"""What a graph says of its entities, as an encoder reads it: label and definition, and nothing of its triples.

What stands above an entity, or beside it, would tell test triples.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...kg.definitions import definitions
from ...kg.graph import KnowledgeGraph
from ...models.text_encoder import TextEncoder
from ..console import Console
from ..encoder_folders import encoder_digest, encoder_folder

OPTION = "--encoder"
TABLES = ("names.parquet", "literals.parquet")  # of a graph, that texts are read from

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class NamedEncoder:
    """An encoder as it was named, and the digest of its files."""

    spec: str
    digest: str

    @classmethod
    def of(cls, spec: str) -> "NamedEncoder":
        """Raises UserError where there is none."""
        folder = encoder_folder(spec, OPTION)
        # A path is found from wherever the vectors are used.
        named = spec if spec.startswith("package:") else str(folder.resolve())
        return cls(named, encoder_digest(folder))

    @property
    def folder(self) -> Path:
        return encoder_folder(self.spec, OPTION)


def entity_texts(graph: KnowledgeGraph, entities: Sequence[int]) -> list[str]:
    """Label and definition of each; empty where it has neither."""
    defined = definitions(graph, entities)
    labels = [graph.label(each) if graph.has_label(each) else "" for each in entities]
    pairs = zip(labels, (" ".join(text.split()) for text in defined), strict=True)
    return ["; ".join(filter(None, pair)) for pair in pairs]


def text_vectors(
    graph: KnowledgeGraph, entities: Sequence[int], encoder: NamedEncoder, console: Console
) -> Vectors:
    """(E, G) of their texts; zeros where there is none.

    Raises:
        UserError: the encoder can't be read.
    """
    texts = entity_texts(graph, entities)
    told = [row for row, text in enumerate(texts) if text]
    reader = TextEncoder(encoder.folder)
    found = np.zeros((len(texts), reader.width), np.float32)
    with console.progress("reading labels and definitions", len(told), "texts") as advance:
        found[told] = reader.vectors([texts[row] for row in told], advance)
    return found
