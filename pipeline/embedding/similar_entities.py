"""The entities whose vectors point the same way: `infact show --similar`."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...errors import UserError
from ...kg.graph import KnowledgeGraph
from ...kg.nearest import nearest_entities
from ..chosen_graph import ChosenGraph
from ..console import Console
from ..named_vectors import NamedVectors, rows_in
from .imported_vectors import entity_vectors_of, project_vectors
from .new_entities import vector_of_new


@dataclass(frozen=True)
class Similar:
    """An entity, and the cosine of its vector with the asked one's, −1 … 1."""

    iri: str
    label: str
    cosine: float


def similar_in_graph(
    chosen: ChosenGraph, entity: int, count: int, vectors: Path | None, console: Console
) -> list[Similar]:
    """The most similar entities of a graph, the nearest first.

    Args:
        chosen: the graph, and the project whose vectors are taken where `vectors` names none.
        entity: its number.
        count: how many.
        vectors: see `entity_vectors_of`.
        console: where it is said how many vectors the graph doesn't know.

    Raises:
        UserError: there are no vectors, none is of this graph, or the entity has none.
    """
    graph = chosen.graph
    named = _vectors(chosen, vectors)
    entities, own = rows_in(named, graph, console)
    place = int(np.searchsorted(entities, entity))
    if place < len(entities) and entities[place] == entity:
        cosines = cosines_with(own, own[place])
    elif vectors is not None and vectors.is_dir():
        cosines, place = cosines_with(own, vector_of_new(vectors, graph, entity, console)), -1
    else:
        problem = f"{graph.iri(entity)} has no vector"
        raise UserError(problem, str(named.path), "it had no triple when they were made")
    return [
        Similar(graph.iri(int(entities[row])), graph.label(int(entities[row])), float(cosines[row]))
        for row in nearest_rows(cosines, place, count)
    ]


def show_similar(asked: str, count: int, vectors: Path, console: Console) -> None:
    """Print the entities similar to one that vectors name themselves, without a graph."""
    named = entity_vectors_of(vectors)
    if asked not in named.names:
        ascending = sorted(named.names)
        near = [
            ascending[row] for row in nearest_entities(asked, ascending, [None] * len(ascending))
        ]
        fix = f"did you mean {' or '.join(near)}?" if near else "name it as the vectors do"
        raise UserError(f"there is no vector of {asked!r}", str(vectors), fix)
    place = named.names.index(asked)
    cosines = cosines_with(named.vectors, named.vectors[place])
    rows = nearest_rows(cosines, place, count)
    found = [Similar(named.names[row], named.names[row], float(cosines[row])) for row in rows]
    console.result({"iri": asked, "similar": [vars(each) for each in found]})
    console.line(asked)
    for line in similar_lines(found):
        console.line(line)


def similar_lines(found: list[Similar]) -> Iterator[str]:
    yield f"≈ similar ({len(found)})"
    for each in found:
        name = each.label if each.label == each.iri else f"{each.label}  {each.iri}"
        yield f"    {each.cosine:.3f}  {name}"


def cosines_with(vectors: NDArray[np.float32], asked: NDArray[np.float32]) -> NDArray[np.float32]:
    """(E,) of every row with that vector; 0 where one is nothing but zeros."""
    lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(asked)
    return vectors @ asked / np.maximum(lengths, np.finfo(np.float32).tiny)


def nearest_rows(cosines: NDArray[np.float32], row: int, count: int) -> list[int]:
    """The rows with the largest cosines, but for the row itself; equals in their order."""
    order = np.argsort(-cosines, kind="stable")
    return [int(each) for each in order[order != row][:count]]


def _vectors(chosen: ChosenGraph, vectors: Path | None) -> NamedVectors:
    if vectors is not None:
        return entity_vectors_of(vectors)
    if chosen.project is None:
        fix = "name them by --vectors: infact embed --graph DIR --out VECTORS makes them"
        raise UserError("similar entities need vectors", str(chosen.graph.directory), fix)
    from ..run import existing_artifacts

    folder = existing_artifacts(chosen.project, ["embed"])
    return project_vectors(folder["embed"], KnowledgeGraph.open(folder["ingest"]))
