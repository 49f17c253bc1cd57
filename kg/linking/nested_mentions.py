"""Mentions inside other mentions: which of them stand."""

from collections.abc import Collection
from dataclasses import replace

from ..hierarchy import Hierarchy
from .mentions import Mention


def settle_nested(
    mentions: list[Mention], hierarchy: Hierarchy, interrupted: Collection[tuple[int, int]] = ()
) -> list[Mention]:
    """Leave out repeats, and make NIL what the mention around it speaks against.

    A mention inside another one of the same entity says nothing more and is left out. One whose
    entity stands in the same hierarchy as the outer one's, but not above it, is a word of another
    sense there (the "cold" of "cold sore" isn't a common cold) and becomes NIL. One above it
    ("hearing loss" in "sensorineural hearing loss"), or in no common hierarchy ("kidney" in "kidney
    cyst", an organ and a disease), stays.

    Args:
        mentions: by start, longest first.
        interrupted: offsets of mentions that pass words over: what stands among these (the second
            member of "aplastic or hypoplastic nails") is a mention of its own.
    """
    kept: list[Mention] = []
    open_ones: list[Mention] = []  # linked mentions that may reach over the next one
    for mention in mentions:
        open_ones = [outer for outer in open_ones if outer.end > mention.start]
        entity = mention.entity
        if entity is None:
            kept.append(mention)
            continue
        outer_ones = [outer for outer in open_ones if outer.end >= mention.end]
        around = [outer.entity for outer in outer_ones if outer.entity is not None]
        if entity in around:
            continue
        if around and all(hierarchy.unlike(entity, outer) for outer in around):
            kept.append(replace(mention, entity=None))
            continue
        kept.append(mention)
        if (mention.start, mention.end) not in interrupted:
            open_ones.append(mention)
    return kept
