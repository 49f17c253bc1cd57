"""What statistics.json says of each predicate of literals."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import sparse

from .. import vocabulary as v
from .count_matrix import count_matrix, frequent
from .fan_out import fan_out, group_sizes, row_of
from .types_seen import Declared, EntityTypes, conforming, types_seen

Int32 = NDArray[np.int32]

LISTED = 100  # predicates
COMMON = 5  # datatypes and languages that are listed of one predicate
ANY_LITERAL = frozenset({v.RDFS + "Literal", v.RDFS + "Resource"})


@dataclass(frozen=True)
class LiteralColumns:
    """Literal statements without their texts, in columns of numbers, and what the numbers mean.

    Shapes: m literals.

    Attributes:
        entity, predicate, datatype, language: shape (m,).
        predicates, datatypes: IRIs, by number.
        languages: tags, by number; empty for none.
    """

    entity: Int32
    predicate: Int32
    datatype: Int32
    language: Int32
    predicates: Sequence[str]
    datatypes: Sequence[str]
    languages: Sequence[str]


def literal_columns(table: pa.Table) -> LiteralColumns:
    """The columns entity, predicate, datatype and language of a graph's table of literals."""
    coded = table.select(["predicate", "datatype", "language"]).unify_dictionaries()
    predicate, datatype, language = (column.combine_chunks() for column in coded.columns)
    return LiteralColumns(
        entity=table["entity"].to_numpy(),
        predicate=predicate.indices.to_numpy(),
        datatype=datatype.indices.to_numpy(),
        language=language.indices.to_numpy(),
        predicates=predicate.dictionary.to_pylist(),
        datatypes=datatype.dictionary.to_pylist(),
        languages=language.dictionary.to_pylist(),
    )


def literal_statistics(
    literals: LiteralColumns,
    texts: Mapping[str, tuple[int, int]],
    labels: dict[str, str],
    iris: pa.ChunkedArray,
    types: EntityTypes,
    declared: Declared,
) -> list[dict[str, Any]]:
    """The predicates with the most literals, those first.

    Args:
        literals: of the graph.
        texts: of each predicate, as `text_sizes` gives them.
        labels: of the predicates, by IRI.
        iris: of all entities.
        types: of all entities.
        declared: domains and ranges.
    """
    count = len(literals.predicates)
    totals = np.bincount(literals.predicate, minlength=count)
    subjects = group_sizes(literals.entity, literals.predicate, len(iris), count)
    datatypes, languages = (
        count_matrix(literals.predicate, numbers, (count, len(terms)))
        for numbers, terms in (
            (literals.datatype, literals.datatypes),
            (literals.language, literals.languages),
        )
    )
    listed = [n for n in np.argsort(-totals, kind="stable")[:LISTED].tolist() if totals[n]]
    found = []
    for number, seen in zip(listed, types_seen(types, subjects, iris, listed), strict=True):
        iri, total = literals.predicates[number], int(totals[number])
        kinds = _named(datatypes, number, literals.datatypes)
        at, sizes = row_of(subjects, number)
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
                "languages": dict(
                    list(_named(languages, number, literals.languages).items())[:COMMON]
                ),
                "subject_types": seen,
                "domain": conforming(types, at, sizes, domain),
                "range": _range(classes, kinds, total),
            }
        )
    return found


def _named(counts: sparse.csr_matrix, row: int, terms: Sequence[str]) -> dict[str, int]:
    """All terms of a row, the most frequent first."""
    return {terms[column]: count for column, count in frequent(counts, row, len(terms))}


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
