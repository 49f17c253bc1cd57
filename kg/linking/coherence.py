"""Homonyms settled by the document: entities that the graph joins are spoken of together."""

import math
from collections.abc import Sequence
from dataclasses import replace

from ..graph import KnowledgeGraph
from .mentions import SCORE_DIGITS, Candidate, Mention

COHERENCE_WEIGHT = 2.0  # logit, times n / (n + 1) for n entities of the document one step away
MAX_NEIGHBOURS = 400  # of one entity


def settle_homonyms(
    mentions: Sequence[Mention], graph: KnowledgeGraph, least_score: float
) -> list[Mention]:
    """Rank the candidates of each ambiguous mention again by what else the document is about.

    The entities of the mentions with one candidate are what it is about; a candidate gains by each
    of them that a triple joins it to. Mentions that were NIL for another reason stay NIL.

    Args:
        least_score: a best candidate less likely than this is NIL.
    """
    if all(len(mention.candidates) == 1 for mention in mentions):
        return list(mentions)
    certain = {
        mention.entity
        for mention in mentions
        if len(mention.candidates) == 1 and mention.entity is not None
    }
    if not certain:
        return list(mentions)
    return [
        _settled(mention, certain, graph, least_score)
        if len(mention.candidates) > 1 and mention.entity is not None
        else mention
        for mention in mentions
    ]


def _settled(
    mention: Mention, certain: set[int], graph: KnowledgeGraph, least_score: float
) -> Mention:
    joined = [
        len(neighbours(graph, candidate.entity) & certain - {candidate.entity})
        for candidate in mention.candidates
    ]
    if not any(joined):
        return mention
    candidates = reweighted(
        mention.candidates, [COHERENCE_WEIGHT * count / (count + 1) for count in joined]
    )
    best = candidates[0]
    return replace(
        mention,
        entity=best.entity if best.score >= least_score else None,
        candidates=candidates,
    )


def reweighted(candidates: Sequence[Candidate], gains: Sequence[float]) -> tuple[Candidate, ...]:
    """Candidates whose logits have grown by those gains, best first; NIL's logit stands still."""
    nil = max(0.0, 1.0 - math.fsum(candidate.score for candidate in candidates))
    powers = [
        candidate.score * math.exp(gain) for candidate, gain in zip(candidates, gains, strict=True)
    ]
    total = math.fsum(powers) + nil
    scored = [
        replace(candidate, score=round(power / total, SCORE_DIGITS))
        for candidate, power in zip(candidates, powers, strict=True)
    ]
    return tuple(sorted(scored, key=lambda candidate: -candidate.score))


def neighbours(graph: KnowledgeGraph, entity: int) -> set[int]:
    """Entities one triple away, at most MAX_NEIGHBOURS in each direction."""
    triples = graph.triples
    outgoing = triples[graph.outgoing(entity)[:MAX_NEIGHBOURS], 2]
    incoming = triples[graph.incoming(entity)[:MAX_NEIGHBOURS], 0]
    return {*map(int, outgoing), *map(int, incoming)}
