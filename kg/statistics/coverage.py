"""Languages of a graph's literals and labels, and how many entities have a label, by type."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from .count_matrix import count_matrix, frequent
from .types_seen import EntityTypes

Int32 = NDArray[np.int32]

COMMON = 20  # types, and languages of all labels
LANGUAGES = 5  # that are listed of one type


def language_counts(numbers: Int32, tags: Sequence[str]) -> dict[str, int]:
    """Literals by language tag, the most frequent first; "" has none.

    Args:
        numbers: index into `tags` of each literal; shape (m,).
    """
    counts = np.bincount(numbers, minlength=len(tags))
    order = np.argsort(-counts, kind="stable")
    return {tags[place]: int(counts[place]) for place in order.tolist() if counts[place]}


def label_coverage(
    names: pa.Table, labelled: NDArray[np.bool_], iris: pa.ChunkedArray, types: EntityTypes
) -> dict[str, Any]:
    """How many entities have a label, in all and by language; the same for the frequent types.

    Args:
        names: columns entity, kind and language.
        labelled: which entities have a label; shape (entities,).
        iris: of all entities.
        types: of all entities.
    """
    labels = names.filter(pc.equal(names["kind"].cast(pa.string()), "label"))
    coded = labels["language"].unify_dictionaries().combine_chunks()
    if not isinstance(coded, pa.DictionaryArray):
        coded = coded.dictionary_encode()
    tags = coded.dictionary.to_pylist()
    shape = (len(tags), len(labelled))
    by_language = count_matrix(coded.indices.to_numpy(), labels["entity"].to_numpy(), shape)
    by_language.data[:] = 1  # of several labels in one language, one counts
    languages = np.diff(by_language.indptr)
    order = np.argsort(-languages, kind="stable")[:COMMON].tolist()
    of_types = _by_type(by_language @ types.incidence, tags, labelled, iris, types)
    return {
        "entities": len(labelled),
        "labelled": int(np.count_nonzero(labelled)),
        "share": round(float(labelled.mean()), 4),
        "languages": {tags[place]: int(languages[place]) for place in order},
        "types": of_types,
    }


def _by_type(
    by_language: Any,
    tags: Sequence[str],
    labelled: NDArray[np.bool_],
    iris: pa.ChunkedArray,
    types: EntityTypes,
) -> list[dict[str, Any]]:
    entities = np.asarray(types.incidence.sum(axis=0)).ravel()
    with_label = labelled.astype(np.int32) @ types.incidence
    of_type = by_language.T.tocsr()
    found = []
    for place in np.argsort(-entities, kind="stable")[:COMMON].tolist():
        if not entities[place]:
            break
        found.append(
            {
                "iri": iris[int(types.classes[place])].as_py(),
                "entities": int(entities[place]),
                "labelled": int(with_label[place]),
                "share": round(int(with_label[place]) / int(entities[place]), 4),
                "languages": {
                    tags[column]: count for column, count in frequent(of_type, place, LANGUAGES)
                },
            }
        )
    return found
