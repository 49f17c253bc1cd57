"""What statistics.json says of each relation."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from ..graph_records import Relation
from ..row_buckets import RowBuckets
from .fan_out import fan_out, group_sizes
from .relation_pairs import FEWEST, THRESHOLD, RelationPairs, cartesian_share
from .types_seen import Declared, EntityTypes, conforming, types_seen

LISTED = 100  # relations, literal predicates, and suspicions of one kind


def relation_statistics(
    ends: RowBuckets,
    relations: Sequence[Relation],
    types: EntityTypes,
    declared: Declared,
    pairs: RelationPairs,
) -> list[dict[str, Any]]:
    """The relations with the most triples, those first.

    Args:
        ends: heads and tails of the unique triples; a bucket is a relation.
        relations: all of them, in the order of their numbers.
        types: of all entities.
        declared: domains and ranges.
        pairs: what relations tell of each other.
    """
    order = np.argsort([-relation.triples for relation in relations], kind="stable")
    found = []
    for number in order[:LISTED].tolist():
        relation = relations[number]
        entry = _counts(relation, number, pairs)
        seen: dict[str, Any] = {}
        for end, key, classes, fan, one in (
            (0, "domain", declared.domain, "objects_a_subject", "functional"),
            (1, "range", declared.range, "subjects_an_object", "inverse_functional"),
        ):
            some = (rows[:, end] for rows in ends.read(number))
            at, sizes = group_sizes(some, len(types.typed))
            entry["object_types" if end else "subject_types"] = types_seen(types, at)
            size = fan_out(sizes)
            seen |= {fan: asdict(size), one: size.maximum == 1}
            seen[key] = conforming(types, at, sizes, classes.get(relation.iri, ()))
        found.append(entry | seen)
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
