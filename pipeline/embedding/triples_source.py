"""Where the triples of an embedding come from, and what the result follows from."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...kg.graph import KnowledgeGraph
from ...kg.triples_files import NEGATIVES, SPLITS, check_folder
from ..artifacts import file_digest
from .entity_texts import TABLES, NamedEncoder

HELD_OUT = 0.05  # of a graph's triples, for validation and for test each


@dataclass(frozen=True)
class FolderSource:
    """A benchmark's folder, split as it is.

    Attributes:
        folder: with train.txt, valid.txt and test.txt.
        keep_duplicates: go on where a triple is on two sides.
    """

    folder: Path
    keep_duplicates: bool = False

    def recipe(self) -> tuple[dict[str, Any], dict[str, str]]:
        """What is chosen, and the digest of each file.

        Raises:
            UserError: see `check_folder`.
        """
        check_folder(self.folder)
        names = [f"{name}.txt" for name in (*SPLITS, *NEGATIVES.values())]
        files = {name: self.folder / name for name in names}
        digests = {name: file_digest(path) for name, path in files.items() if path.is_file()}
        return {"keep_duplicates": self.keep_duplicates}, digests


@dataclass(frozen=True)
class GraphSource:
    """An ingested graph, which is split here.

    Attributes:
        folder: the graph's.
        held_out: share of the triples, for validation and for test each.
        encoder: that reads the entities' texts, by path or package; empty for none.
    """

    folder: Path
    held_out: float = HELD_OUT
    encoder: str = ""

    def recipe(self) -> tuple[dict[str, Any], dict[str, str]]:
        """What is chosen, and the digests of the graph's parts that are read."""
        directory = KnowledgeGraph.open(self.folder).directory
        names = ["entities.parquet", "relations.parquet", "triples.npy"]
        encoder = {}
        if self.encoder:
            encoder = {"encoder": NamedEncoder.of(self.encoder).digest}
            names += TABLES
        digests = {name: file_digest(directory / name) for name in names}
        return {"held_out": self.held_out}, {**digests, **encoder}


TriplesSource = FolderSource | GraphSource
