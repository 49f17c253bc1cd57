"""Languages of a graph's labels, and how many entities have a label, by type."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ..storage.terms import Terms
from .count_matrix import frequent
from .types_seen import EntityTypes

COMMON = 20  # types, and languages of all labels
LANGUAGES = 5  # that are listed of one type


def label_coverage(
    names: Iterable[pa.Table], labelled: NDArray[np.bool_], types: EntityTypes
) -> dict[str, Any]:
    """How many entities have a label, in all and by language; the same for the frequent types.

    Args:
        names: columns entity, kind and language, sorted by entity, some rows at a time.
        labelled: which entities have a label; shape (entities,).
        types: of all entities.
    """
    tags = Terms()
    languages: Counter[int] = Counter()
    of_types: dict[int, Counter[int]] = {place: Counter() for place in _frequent_types(types)}
    carried = np.empty(0, np.int64)
    for piece in names:
        pairs = _labels(piece, tags)
        # Of several labels in one language, one counts; they may stand on both sides of a cut.
        fresh = np.setdiff1d(pairs, carried, assume_unique=True)
        carried = np.concatenate([carried, fresh])
        carried = carried[carried >> 32 == carried[-1:] >> 32]
        entities, language = fresh >> 32, fresh & 0xFFFFFFFF
        languages.update(_counts(language))
        typed = types.incidence[entities]
        spoken = np.repeat(language, np.diff(typed.indptr))
        for place, counts in of_types.items():
            counts.update(_counts(spoken[typed.indices == place]))
    told = tags.by_number()
    return {
        "entities": len(labelled),
        "labelled": int(np.count_nonzero(labelled)),
        "share": round(float(labelled.mean()), 4),
        "languages": _named({n: languages[n] for n in range(len(told))}, told, COMMON),
        "types": _by_type(of_types, told, labelled, types),
    }


def _frequent_types(types: EntityTypes) -> list[int]:
    """Places of the types that the most entities have."""
    return [place for place, _ in frequent(types.entities, COMMON)]


def _labels(piece: pa.Table, tags: Terms) -> NDArray[np.int64]:
    """The entity of each label, shifted, and the number of its language: unique, ascending."""
    language = tags.encode(piece["language"])
    is_label = pc.equal(piece["kind"].cast(pa.string()), "label").to_numpy()
    entities = piece["entity"].to_numpy()[is_label].astype(np.int64)
    pairs = np.sort(entities << 32 | language.to_numpy()[is_label])
    return pairs[np.diff(pairs, prepend=-1) > 0]


def _counts(numbers: NDArray[np.int64]) -> dict[int, int]:
    counts = np.bincount(numbers)
    return {number: int(counts[number]) for number in np.flatnonzero(counts).tolist()}


def _named(counts: Mapping[int, int], tags: Sequence[str], most: int) -> dict[str, int]:
    """The most frequent languages, ties by number."""
    ordered = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    return {tags[number]: count for number, count in ordered[:most]}


def _by_type(
    languages: Mapping[int, Mapping[int, int]],
    tags: Sequence[str],
    labelled: NDArray[np.bool_],
    types: EntityTypes,
) -> list[dict[str, Any]]:
    with_label = types.counts(np.flatnonzero(labelled))
    return [
        {
            "iri": types.iris[place],
            "entities": int(types.entities[place]),
            "labelled": int(with_label[place]),
            "share": round(int(with_label[place]) / int(types.entities[place]), 4),
            "languages": _named(counts, tags, LANGUAGES),
        }
        for place, counts in languages.items()
    ]
