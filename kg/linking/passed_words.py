"""Words that stand between those of a name: one that was inserted, or the rest of a coordination.

"long and slender fingers" inserts a word, "aplastic or hypoplastic nails" and "hypopigmentation of
skin or hair" share one between two names. A name is looked for on both sides of such words, and
its head (the word before its first "of", else the last) must stand where the two share it.
"""

from collections.abc import Iterator
from enum import Enum

from ..questions.function_words import CONJUNCTIONS, FUNCTION_WORDS
from .read_words import ReadWords

MAX_INSERTED = 1  # words that no coordination explains
MAX_COORDINATED = 6  # words between the two parts of a name in a coordination
LISTED = {",", "/", ", ", " / "}  # gaps between the members of a coordination


class Passed(Enum):
    """Why words are passed over, which says where the head of the name must stand."""

    INSERTED = "the words of the name are in its own order"
    SHARED_END = "aplastic or hypoplastic nails: the head is the last word"
    SHARED_BEGINNING = "hypopigmentation of skin or hair: the head is in the first part"


def resumes(read: ReadWords, end: int) -> Iterator[tuple[int, Passed]]:
    """Yield the places at which a name that was left at `end` may go on, and why there.

    Args:
        end: place past the last word of the name's first part.
    """
    yield from _behind_inserted(read, end)
    yield from _behind_coordinated(read, end)


def _behind_inserted(read: ReadWords, end: int) -> Iterator[tuple[int, Passed]]:
    place, phrase_end = end, read.phrase_ends[end - 1]
    while place < phrase_end and read.stops[place]:
        place += 1
    for _ in range(MAX_INSERTED):
        if place >= phrase_end or read.raw[place].lower() in FUNCTION_WORDS:
            return
        place += 1
        if place < phrase_end:
            yield place, Passed.INSERTED


def _behind_coordinated(read: ReadWords, end: int) -> Iterator[tuple[int, Passed]]:
    sentence_end = read.sentence_ends[end - 1]
    if end >= sentence_end:
        return
    leads = read.gaps[end - 1] in LISTED or is_conjunction(read, end)
    if not leads and not read.stops[end]:
        return
    joined = False
    for place in range(end, min(sentence_end - 1, end + MAX_COORDINATED)):
        if read.phrase_ends[place - 1] == place and read.gaps[place - 1] not in LISTED:
            return
        conjunction = is_conjunction(read, place)
        joined = joined or conjunction
        if not joined or read.phrase_ends[place] == place + 1:
            continue
        if leads and not conjunction:
            yield place + 1, Passed.SHARED_END
        elif conjunction and not leads:
            yield place + 1, Passed.SHARED_BEGINNING


def is_conjunction(read: ReadWords, place: int) -> bool:
    """True where "and", "or" or the like stands."""
    return read.raw[place].lower() in CONJUNCTIONS
