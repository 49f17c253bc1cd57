"""What statistics.json says of each predicate of literals."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .. import vocabulary as v
from ..row_buckets import RowBuckets
from ..storage.terms import Terms
from .fan_out import fan_out, group_sizes
from .types_seen import Declared, EntityTypes, conforming, types_seen

LISTED = 100  # predicates
COMMON = 5  # datatypes and languages that are listed of one predicate
ANY_LITERAL = frozenset({v.RDFS + "Literal", v.RDFS + "Resource"})


@dataclass(frozen=True)
class LiteralCounts:
    """Literal statements without their texts, by predicate.

    Attributes:
        subjects: a bucket holds the subjects of one predicate's literals.
        predicates: IRI of each, with how many literals it has.
        datatypes, languages: how many literals of each predicate have each; IRIs, and tags, of which
            an empty one is none, are in an order that is the same for all.
    """

    subjects: RowBuckets
    predicates: Sequence[tuple[str, int]]
    datatypes: Sequence[Mapping[str, int]]
    languages: Sequence[Mapping[str, int]]

    @property
    def all_languages(self) -> dict[str, int]:
        """How many literals have each language."""
        total: dict[str, int] = {}
        for counts in self.languages:
            total = {tag: total.get(tag, 0) + count for tag, count in counts.items()}
        return total


def literal_counts(
    pieces: Iterable[pa.Table], predicates: Sequence[tuple[str, int]], file: IO[bytes]
) -> LiteralCounts:
    """Go through a graph's table of literals.

    Args:
        pieces: columns entity, predicate, datatype and language.
        predicates: each with how many literals it has.
        file: empty, for the subjects.
    """
    subjects = RowBuckets(file, np.array([count for _, count in predicates], np.int64), 1)
    numbers = pa.array([iri for iri, _ in predicates], pa.string())
    terms = Terms(), Terms()
    counted = np.zeros((2, len(predicates), 0), np.int64)
    for piece in pieces:
        predicate = pc.index_in(piece["predicate"].cast(pa.string()), numbers).to_numpy()
        subjects.add(predicate, piece["entity"].to_numpy()[:, None])
        coded = [
            each.encode(piece[name]).to_numpy()
            for each, name in zip(terms, ("datatype", "language"), strict=True)
        ]
        wanting = max(len(each.numbers) for each in terms) - counted.shape[2]
        counted = np.pad(counted, ((0, 0), (0, 0), (0, max(wanting, 0))))
        for counts, codes in zip(counted, coded, strict=True):
            np.add.at(counts, (predicate, codes), np.int64(1))
    datatypes, languages = (
        [dict(zip(each.numbers, row.tolist(), strict=False)) for row in counts]
        for each, counts in zip(terms, counted, strict=True)
    )
    return LiteralCounts(subjects, predicates, datatypes, languages)


def literal_statistics(
    literals: LiteralCounts,
    texts: Mapping[str, tuple[int, int]],
    labels: Mapping[str, str],
    types: EntityTypes,
    declared: Declared,
) -> list[dict[str, Any]]:
    """The predicates with the most literals, those first.

    Args:
        literals: of the graph.
        texts: of each predicate, as `distinct_texts` gives them.
        labels: of the predicates, by IRI.
        types: of all entities.
        declared: domains and ranges.
    """
    found = []
    order = np.argsort([-count for _, count in literals.predicates], kind="stable")
    for number in order[:LISTED].tolist():
        iri, total = literals.predicates[number]
        kinds = most_frequent(literals.datatypes[number])
        ends = (rows[:, 0] for rows in literals.subjects.read(number))
        at, sizes = group_sizes(ends, len(types.typed))
        size = fan_out(sizes)
        domain = declared.domain.get(iri, ())
        classes = [name for _, name in declared.range.get(iri, ())]
        found.append(
            {
                "iri": iri,
                "label": labels[iri],
                "literals": total,
                "subjects": len(at),
                "distinct_values": texts[iri][0],
                "longest": texts[iri][1],
                "values_a_subject": asdict(size),
                "functional": size.maximum == 1,
                "datatypes": dict(list(kinds.items())[:COMMON]),
                "languages": dict(list(most_frequent(literals.languages[number]).items())[:COMMON]),
                "subject_types": types_seen(types, at),
                "domain": conforming(types, at, sizes, domain),
                "range": _range(classes, kinds, total),
            }
        )
    return found


def most_frequent(counts: Mapping[str, int]) -> dict[str, int]:
    """What occurs, the most frequent first, ties in the order given."""
    told = [(term, count) for term, count in counts.items() if count]
    return dict(sorted(told, key=lambda entry: -entry[1]))


def _range(declared: Sequence[str], datatypes: dict[str, int], total: int) -> dict[str, Any] | None:
    """A range as declared; a literal conforms whose datatype is each of its classes."""
    if not declared:
        return None
    named = sorted(iri for iri in declared if not iri.startswith("_:"))
    if len(named) < len(declared):
        return {"classes": named, "conforming": None}
    asked = set(named) - ANY_LITERAL
    if len(asked) > 1:
        return {"classes": named, "conforming": 0}
    fit = datatypes.get(asked.pop(), 0) if asked else total
    return {"classes": named, "conforming": fit}
