"""Mentions as an arrow table that is of use without the graph: entities by IRI and label too.

Columns: those of MENTIONS_SCHEMA, after `document` its `source`, after `entity` its `iri`, `label` and
`score`; candidates have `iri` and `label` as well. `entity` is the row in the graph's entity table, null
for NIL, and so are `iri`, `label` and `score` then.
"""

from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import NamedTuple

import pyarrow as pa

from ..graph import KnowledgeGraph
from .mentions import MENTIONS_SCHEMA, SCORE_DIGITS, Candidate, Mention

CANDIDATE_TYPE = pa.struct(
    [
        ("entity", pa.int32()),
        ("iri", pa.string()),
        ("label", pa.string()),
        ("score", pa.float32()),
        ("name", pa.string()),
        ("kind", pa.string()),
        ("near", pa.bool_()),
    ]
)
LINKED_SCHEMA = pa.schema(
    [
        MENTIONS_SCHEMA.field("document"),
        ("source", pa.string()),
        *(MENTIONS_SCHEMA.field(name) for name in ("start", "end", "surface", "entity")),
        ("iri", pa.string()),
        ("label", pa.string()),
        ("score", pa.float32()),
        ("candidates", pa.list_(CANDIDATE_TYPE)),
    ]
)


class PlacedMention(NamedTuple):
    """A mention, the id of its document and the place where that was read."""

    document: str
    source: str
    mention: Mention


def linked_batch(rows: Sequence[PlacedMention], graph: KnowledgeGraph) -> pa.RecordBatch:
    """The mentions in the order given, with the columns of LINKED_SCHEMA."""
    mentions = [row.mention for row in rows]
    entities = [mention.entity for mention in mentions]
    candidates = [candidate for mention in mentions for candidate in mention.candidates]
    offsets = [0, *accumulate(len(mention.candidates) for mention in mentions)]
    columns = {
        "document": [row.document for row in rows],
        "source": [row.source for row in rows],
        "start": [mention.start for mention in mentions],
        "end": [mention.end for mention in mentions],
        "surface": [mention.surface for mention in mentions],
        "entity": entities,
        "iri": [None if entity is None else graph.iri(entity) for entity in entities],
        "label": [None if entity is None else graph.label(entity) for entity in entities],
        "score": [chosen_score(mention) for mention in mentions],
    }
    arrays = [pa.array(values, LINKED_SCHEMA.field(name).type) for name, values in columns.items()]
    lists = pa.ListArray.from_arrays(
        pa.array(offsets, pa.int32()), _candidates(candidates, graph), type=pa.list_(CANDIDATE_TYPE)
    )
    return pa.RecordBatch.from_arrays([*arrays, lists], schema=LINKED_SCHEMA)


def linked_mentions(rows: pa.Table) -> list[Mention]:
    """The mentions of rows with the columns of LINKED_SCHEMA, scores as they were before they were written."""
    return [
        Mention(
            row["start"],
            row["end"],
            row["surface"],
            row["entity"],
            tuple(
                Candidate(
                    each["entity"],
                    round(each["score"], SCORE_DIGITS),
                    each["name"],
                    each["kind"],
                    each["near"],
                )
                for each in row["candidates"]
            ),
        )
        for row in rows.to_pylist()
    ]


def _candidates(candidates: Iterable[Candidate], graph: KnowledgeGraph) -> pa.StructArray:
    rows = [
        (
            *(each.entity, graph.iri(each.entity), graph.label(each.entity)),
            *(each.score, each.name, each.kind, each.near),
        )
        for each in candidates
    ]
    columns = zip(*rows, strict=True) if rows else [()] * CANDIDATE_TYPE.num_fields
    fields = [CANDIDATE_TYPE.field(place) for place in range(CANDIDATE_TYPE.num_fields)]
    arrays = [pa.array(column, f.type) for f, column in zip(fields, columns, strict=True)]
    return pa.StructArray.from_arrays(arrays, fields=fields)


def chosen_score(mention: Mention) -> float | None:
    """The score of the chosen entity; None for NIL."""
    if mention.entity is None:
        return None
    return next(each.score for each in mention.candidates if each.entity == mention.entity)
