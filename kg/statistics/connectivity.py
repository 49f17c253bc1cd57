"""How a graph hangs together: connected components, degrees and hubs."""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

Int32 = NDArray[np.int32]

LARGEST = 10  # components and hubs that are listed


def components(triples: Int32, entities: int, left_out: int | None) -> dict[str, Any]:
    """Weakly connected components: entities that triples join, whatever their direction.

    An isolated entity is one that no such triple joins to another.

    Args:
        triples: (n, 3).
        entities: how many there are.
        left_out: a relation that doesn't join: by rdf:type all things of a class would be one.
    """
    if left_out is not None:
        triples = triples[triples[:, 1] != left_out]
    there = np.ones(len(triples), bool)
    ends = (triples[:, 0], triples[:, 2])
    edges = sparse.csr_matrix((there, ends), shape=(entities, entities))
    number, component = connected_components(edges, connection="weak")
    sizes = np.bincount(component, minlength=number)
    return {
        "number": int(number),
        "isolated_entities": int(np.count_nonzero(sizes == 1)),
        "largest": np.sort(sizes)[::-1][:LARGEST].tolist(),
    }


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


def hubs(degree: Int32, entities: pa.Table) -> list[dict[str, Any]]:
    """The entities at the most ends of triples; those of equal degree by IRI.

    Args:
        degree: shape (entities,).
        entities: columns iri and label, sorted by IRI.
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
