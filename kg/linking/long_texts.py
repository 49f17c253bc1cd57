"""Mentions in a text of any length, found window by window, so that memory doesn't grow with its words.

A window ends where a sentence does, and no mention reaches over a sentence's end. Where no sentence ends
in reach, it ends before a word that no mention covers; only there may a name's context be cut. What a
document says once for all of itself (its abbreviations, and the entities that tell homonyms apart) holds
within a window, so a text of several may be linked a little otherwise than it would be whole.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from .folding import SENTENCE_END, split_words
from .mentions import Mention

WINDOW = 1 << 18  # characters linked at once: longer than any paper; 50 MiB of words
TAIL = 1 << 15  # characters of a window's end that its cut is looked for in
MARGIN = 1 << 12  # characters before the end of a window that a name may have begun in

Find = Callable[[str], Sequence[Mention]]


def mentions_in(text: str, find: Find, window: int = WINDOW) -> Iterator[Mention]:
    """The mentions that `find` finds, with offsets in the whole text.

    Args:
        text: of any length.
        find: `Linker.link`, or another function of a text.
        window: characters.
    """
    start = 0
    while len(text) - start > window:
        length, cut = window, 0
        while not cut and len(text) - start > length:
            piece = text[start : start + length]
            found = find(piece)
            cut = _cut(piece, found)
            length *= 2  # no place to cut in so many characters: a word that long
        if not cut:
            break
        yield from (_moved(mention, start) for mention in found if mention.end <= cut)
        start += cut
    yield from (_moved(mention, start) for mention in find(text[start:] if start else text))


def _moved(mention: Mention, by: int) -> Mention:
    return replace(mention, start=mention.start + by, end=mention.end + by) if by else mention


def _cut(piece: str, found: Sequence[Mention]) -> int:
    """Where the next window begins: the last good place near the piece's end; 0 where there is none."""
    begin = max(1, len(piece) - TAIL)
    late = [mention for mention in found if mention.end > begin]
    sentences = [match.end() for match in SENTENCE_END.finditer(piece, begin)]
    for place in reversed(sentences):
        if place < len(piece) and not _covered(place, late):
            return place
    words = split_words(piece[begin:]).starts[1:]  # the first may begin before
    last = len(piece) - min(MARGIN, len(piece) // 4)
    for place in reversed(words):
        if begin + place <= last and not _covered(begin + place, late):
            return begin + place
    return 0


def _covered(place: int, mentions: Sequence[Mention]) -> bool:
    return any(mention.start < place < mention.end for mention in mentions)
