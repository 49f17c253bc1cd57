"""What statistics.json says of each relation."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ..graph_records import Relation
from .fan_out import fan_out, group_sizes, row_of
from .relation_pairs import FEWEST, THRESHOLD, RelationPairs, cartesian_share
from .types_seen import Declared, EntityTypes, conforming, types_seen

Int32 = NDArray[np.int32]

LISTED = 100  # relations, literal predicates, and suspicions of one kind


def relation_statistics(
    triples: Int32,
    relations: Sequence[Relation],
    iris: pa.ChunkedArray,
    types: EntityTypes,
    declared: Declared,
    pairs: RelationPairs,
) -> list[dict[str, Any]]:
    """The relations with the most triples, those first.

    Args:
        triples: (n, 3), unique.
        relations: all of them, in the order of their numbers.
        iris: of all entities.
        types: of all entities.
        declared: domains and ranges.
        pairs: what relations tell of each other.
    """
    subjects, objects = (
        group_sizes(triples[:, end], triples[:, 1], len(iris), len(relations)) for end in (0, 2)
    )
    order = np.argsort([-relation.triples for relation in relations], kind="stable")
    listed = order[:LISTED].tolist()
    ends = (
        types_seen(types, subjects, iris, listed),
        types_seen(types, objects, iris, listed),
    )
    found = []
    for number, subject_types, object_types in zip(listed, *ends, strict=True):
        relation = relations[number]
        entry = _counts(relation, number, pairs)
        entry |= {"subject_types": subject_types, "object_types": object_types}
        for key, groups, classes, fan, one in (
            ("domain", subjects, declared.domain, "objects_a_subject", "functional"),
            ("range", objects, declared.range, "subjects_an_object", "inverse_functional"),
        ):
            at, sizes = row_of(groups, number)
            size = fan_out(sizes)
            entry |= {fan: asdict(size), one: size.maximum == 1}
            entry[key] = conforming(types, at, sizes, classes.get(relation.iri, ()))
        found.append(entry)
    return found


def _counts(relation: Relation, number: int, pairs: RelationPairs) -> dict[str, Any]:
    return {
        "iri": relation.iri,
        "label": relation.label,
        "triples": relation.triples,
        "subjects": relation.subjects,
        "objects": relation.objects,
        "cardinality": relation.cardinality,
        "loops": int(pairs.loops[number]),
        "symmetric": int(pairs.symmetric[number]),
    }


def suspicions(relations: Sequence[Relation], pairs: RelationPairs) -> dict[str, Any]:
    """Relations that tell each other's triples, or all of their own, above the thresholds.

    Lists are cut after `LISTED`; the counts before them aren't.
    """
    triples, subjects, objects = (
        np.array([(item.triples, item.subjects, item.objects) for item in relations], np.int64)
        .reshape(-1, 3)
        .T
    )
    symmetric = _symmetric(relations, pairs)
    dense = cartesian_share(triples, subjects, objects)
    product = (dense > THRESHOLD) & (np.minimum(subjects, objects) > 1) & (triples >= FEWEST)
    overlaps = {
        "inverse": [item for item in pairs.overlaps if item.inverse],
        "duplicate": [item for item in pairs.overlaps if not item.inverse],
    }
    return {
        "threshold": THRESHOLD,
        "fewest_triples": FEWEST,
        "pairs_not_compared": pairs.skipped,
        "symmetric_relations": len(symmetric),
        "inverse_pairs": len(overlaps["inverse"]),
        "duplicate_pairs": len(overlaps["duplicate"]),
        "cartesian_relations": int(np.count_nonzero(product)),
        "symmetric": symmetric[:LISTED],
        **{
            kind: [
                {
                    "first": relations[item.first].iri,
                    "second": relations[item.second].iri,
                    "shared": item.shared,
                    "share_of_first": round(item.share_of_first, 4),
                    "share_of_second": round(item.share_of_second, 4),
                }
                for item in items[:LISTED]
            ]
            for kind, items in overlaps.items()
        },
        "cartesian": [
            {
                "iri": relations[number].iri,
                "triples": relations[number].triples,
                "subjects": relations[number].subjects,
                "objects": relations[number].objects,
                "share": round(float(dense[number]), 4),
            }
            for number in np.flatnonzero(product)[:LISTED].tolist()
        ],
    }


def _symmetric(relations: Sequence[Relation], pairs: RelationPairs) -> list[dict[str, Any]]:
    found = []
    for relation, told, loops in zip(
        relations, pairs.symmetric.tolist(), pairs.loops.tolist(), strict=True
    ):
        of = relation.triples - loops
        if told >= FEWEST and told > THRESHOLD * of:
            share = round(told / of, 4)
            found.append({"iri": relation.iri, "triples": of, "symmetric": told, "share": share})
    return sorted(found, key=lambda item: -item["symmetric"])
