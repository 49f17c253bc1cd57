"""Mentions of a graph's entities in a text, and their arrow table."""

from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa

SCORE_DIGITS = 4  # of a score: what is read back from a file is what was written, to the last digit


@dataclass(frozen=True, slots=True)
class Candidate:
    """An entity that a mention may stand for.

    Attributes:
        entity: row in the graph's entity table.
        score: probability among the candidates and NIL, 0 to 1.
        name: the entity's name that matched, as the graph spells it.
        kind: label, exact, narrow, broad or related.
        near: the name doesn't match, but is among those nearest to the surface.
    """

    entity: int
    score: float
    name: str
    kind: str
    near: bool = False


@dataclass(frozen=True, slots=True)
class Mention:
    """A piece of text that names an entity; `text[start:end] == surface`.

    Attributes:
        start: offset of its first character in the text.
        end: offset past its last character.
        surface: the text itself.
        entity: the chosen entity; None is NIL: none of the candidates is likely enough.
        candidates: best first.
    """

    start: int
    end: int
    surface: str
    entity: int | None
    candidates: tuple[Candidate, ...]


MENTIONS_SCHEMA = pa.schema(
    [
        ("document", pa.string()),
        ("start", pa.int32()),
        ("end", pa.int32()),
        ("surface", pa.string()),
        ("entity", pa.int32()),
        (
            "candidates",
            pa.list_(
                pa.struct(
                    [
                        ("entity", pa.int32()),
                        ("score", pa.float32()),
                        ("name", pa.string()),
                        ("kind", pa.string()),
                    ]
                )
            ),
        ),
    ]
)


def mentions_table(documents: Iterable[tuple[str, Iterable[Mention]]]) -> pa.Table:
    """Build the mentions table from (document id, its mentions) pairs, in the order given.

    Columns: document, start, end, surface, entity (null = NIL), candidates (list of structs).
    """
    rows = [
        {
            "document": document,
            "start": mention.start,
            "end": mention.end,
            "surface": mention.surface,
            "entity": mention.entity,
            "candidates": [
                {
                    "entity": candidate.entity,
                    "score": candidate.score,
                    "name": candidate.name,
                    "kind": candidate.kind,
                }
                for candidate in mention.candidates
            ],
        }
        for document, mentions in documents
        for mention in mentions
    ]
    return pa.Table.from_pylist(rows, schema=MENTIONS_SCHEMA)
