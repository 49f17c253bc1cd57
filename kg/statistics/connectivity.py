"""How a graph hangs together: connected components, degrees and hubs."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..stored_column import Texts

Int32 = NDArray[np.int32]

LARGEST = 10  # components and hubs that are listed


def components(triples: Iterable[Int32], entities: int, left_out: int | None) -> dict[str, Any]:
    """Weakly connected components: entities that triples join, whatever their direction.

    An isolated entity is one that no such triple joins to another.

    Args:
        triples: (n, 3), some at a time.
        entities: how many there are.
        left_out: a relation that doesn't join: by rdf:type all things of a class would be one.
    """
    parent = np.arange(entities, dtype=np.int32)
    for some in triples:
        kept = some if left_out is None else some[some[:, 1] != left_out]
        join(parent, kept[:, 0], kept[:, 2])
    sizes = np.bincount(roots(parent, np.arange(entities, dtype=np.int32)))
    sizes = sizes[sizes > 0]
    return {
        "number": len(sizes),
        "isolated_entities": int(np.count_nonzero(sizes == 1)),
        "largest": np.sort(sizes)[::-1][:LARGEST].tolist(),
    }


def join(parent: Int32, first: Int32, second: Int32) -> None:
    """Union-find (Tarjan 1975), many edges at a time: the greater root goes below the lesser.

    Args:
        parent: of each entity, a root's is itself; changed.
        first, second: ends of the edges; shapes (k,), (k,).
    """
    while len(first):
        ends = np.stack([first, second])
        ends = parent[ends] = roots(parent, ends)
        first, second = ends.min(axis=0), ends.max(axis=0)
        apart = first != second
        first, second = first[apart], second[apart]
        parent[second] = first  # of several edges, one wins; the others come again


def roots(parent: Int32, entities: Int32) -> Int32:
    """The root above each entity."""
    above = parent[entities]
    while not np.array_equal(above, further := parent[above]):
        above = further
    return above


def degree_histogram(degree: Int32) -> dict[str, int]:
    """Entities by degree, in ranges between powers of two: 0, 1, 2-3, 4-7 …

    >>> degree_histogram(np.array([0, 1, 1, 2, 3, 9], np.int32))
    {'0': 1, '1': 2, '2-3': 2, '4-7': 0, '8-15': 1}
    """
    _, exponents = np.frexp(degree.astype(np.float64))  # degree < 2 ** exponent
    counts = np.bincount(exponents).tolist()
    bounds = [(1 << exponent >> 1, (1 << exponent) - 1) for exponent in range(len(counts))]
    names = [f"{low}-{high}" if high > low else str(high) for low, high in bounds]
    return dict(zip(names, counts, strict=True))


def hubs(degree: Int32, entities: Mapping[str, Texts]) -> list[dict[str, Any]]:
    """The entities at the most ends of triples; those of equal degree by IRI.

    Args:
        degree: shape (entities,).
        entities: columns iri and label of all entities, sorted by IRI.
    """
    least = np.partition(degree, -LARGEST)[-LARGEST] if len(degree) > LARGEST else 0
    candidates = np.flatnonzero(degree >= least)
    places = candidates[np.argsort(-degree[candidates], kind="stable")[:LARGEST]]
    return [
        {
            "iri": entities["iri"][place].as_py(),
            "label": entities["label"][place].as_py(),
            "degree": int(degree[place]),
        }
        for place in places.tolist()
    ]
