"""A mention as the JSON object that JSON lines, DocBin and the page have."""

from typing import Any

from ..graph import KnowledgeGraph
from ..linking.linked_columns import chosen_score
from ..linking.mentions import SCORE_DIGITS, Mention


def mention_object(mention: Mention, graph: KnowledgeGraph) -> dict[str, Any]:
    """start, end, surface, iri, label, score (null for NIL) and candidates, best first."""
    entity, score = mention.entity, chosen_score(mention)
    return {
        "start": mention.start,
        "end": mention.end,
        "surface": mention.surface,
        "iri": None if entity is None else graph.iri(entity),
        "label": None if entity is None else graph.label(entity),
        "score": None if score is None else round(score, SCORE_DIGITS),
        "candidates": [
            {
                "iri": graph.iri(candidate.entity),
                "label": graph.label(candidate.entity),
                "score": round(candidate.score, SCORE_DIGITS),
                "name": candidate.name,
                "kind": candidate.kind,
                "near": candidate.near,
            }
            for candidate in mention.candidates
        ],
    }
