"""Vectors of named entities from a user's file, and which of them are a graph's."""

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import UserError
from ..kg.graph import KnowledgeGraph
from .console import Console

WRITE_NPZ = "write it by numpy.savez(path, entity=IRIs, vector=numbers), a row an entity"


@dataclass(frozen=True)
class NamedVectors:
    """Names (E,) and their vectors (E, G) float32; read from `path`."""

    path: Path
    names: tuple[str, ...]
    vectors: NDArray[np.float32]


def read_npz(path: Path) -> NamedVectors:
    """What `numpy.savez(path, entity=names, vector=numbers)` wrote.

    Raises:
        UserError: it is no such file, their numbers differ, or a number isn't finite.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            names, vectors = arrays["entity"], arrays["vector"]
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        problem = f"it can't be read as one of entities and vectors: {error}"
        raise UserError(problem, str(path), WRITE_NPZ) from error
    if names.ndim != 1 or vectors.ndim != 2 or len(names) != len(vectors):
        shapes = f"entity has the shape {names.shape}, vector {vectors.shape}"
        raise UserError(f"one row is needed for each entity, and {shapes}", str(path), WRITE_NPZ)
    if names.dtype.kind != "U" or vectors.dtype.kind not in "fiu":
        problem = f"entity is of {names.dtype} and vector of {vectors.dtype}"
        raise UserError(problem, str(path), WRITE_NPZ)
    return checked(path, tuple(names.tolist()), vectors.astype(np.float32), WRITE_NPZ)


def checked(
    path: Path, names: tuple[str, ...], vectors: NDArray[np.float32], fix: str
) -> NamedVectors:
    """The vectors, once all their numbers are finite.

    Raises:
        UserError: one isn't.
    """
    if (broken := ~np.isfinite(vectors).all(axis=1)).any():
        row = int(np.flatnonzero(broken)[0])
        problem = f"row {row}, of {names[row]}, holds a number that isn't finite"
        raise UserError(problem, str(path), fix)
    return NamedVectors(path, names, vectors)


def rows_in(
    named: NamedVectors, graph: KnowledgeGraph, console: Console
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The graph's entities (E,) that have vectors, ascending, and these (E, G).

    Those that the graph doesn't have are left out, and counted aloud.

    Raises:
        UserError: an entity is named twice, or none of them is the graph's.
    """
    found = [graph.find(name) for name in named.names]
    kept = {entity: row for row, entity in enumerate(found) if entity is not None}
    known = sum(entity is not None for entity in found)
    if known > len(kept):
        problem = f"{known - len(kept)} of its entities are named more than once"
        raise UserError(problem, str(named.path), "keep one row of each")
    if not kept:
        problem = f"none of its {len(found)} entities is in the graph"
        fix = "name vectors of this graph, whose entities are called by their IRIs"
        raise UserError(problem, str(named.path), fix)
    if unknown := len(found) - known:
        console.line(f"{named.path.name}: {unknown} of {len(found)} entities aren't in the graph")
    entities = np.array(sorted(kept), dtype=np.int32)
    return entities, named.vectors[[kept[int(entity)] for entity in entities]]
