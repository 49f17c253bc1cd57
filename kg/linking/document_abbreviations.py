"""What a document's abbreviations stand for: the entity of their long form, or none of the graph's."""

from collections.abc import Sequence
from dataclasses import replace

from .abbreviations import abbreviations, occurrences
from .mentions import Mention


def settle_abbreviations(text: str, mentions: Sequence[Mention]) -> list[Mention]:
    """Link each short form that the text defines as its long form is linked.

    Where the long form is no mention, a short form that happens to be a name of the graph means
    something else in this document, and becomes NIL.

    Args:
        mentions: by start; they may overlap.

    Returns:
        The mentions by start, longest first.
    """
    if "(" not in text and "[" not in text:
        return list(mentions)
    by_span = {(mention.start, mention.end): mention for mention in mentions}
    for abbreviation in abbreviations(text):
        meant = by_span.get((abbreviation.start, abbreviation.end))
        for span in occurrences(text, abbreviation.short):
            if meant is not None:
                surface = text[slice(*span)]
                by_span[span] = Mention(*span, surface, meant.entity, meant.candidates)
            elif span in by_span:
                by_span[span] = replace(by_span[span], entity=None)
    return sorted(by_span.values(), key=lambda mention: (mention.start, -mention.end))


def without_overlaps(mentions: Sequence[Mention]) -> list[Mention]:
    """Leftmost-longest mentions alone.

    Args:
        mentions: by start, longest first.
    """
    kept: list[Mention] = []
    for mention in mentions:
        if not kept or mention.start >= kept[-1].end:
            kept.append(mention)
    return kept
