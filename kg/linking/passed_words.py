"""Words that stand between those of a name: one that was inserted, or the rest of a coordination.

"long and slender fingers" inserts a word, "aplastic or hypoplastic nails" and "hypopigmentation of
skin or hair" share one between two names. A name is looked for on both sides of such words, and
its head (the word before its first "of", else the last) must stand where the two share it.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum

from .read_words import NO_PLACE, ReadWords

MAX_COORDINATED = 6  # words between the two parts of a name in a coordination
LISTED = {",", "/", ", ", " / "}  # gaps between the members of a coordination


class Passed(Enum):
    """Why words are passed over, which says where the head of the name must stand."""

    INSERTED = "the words of the name are in its own order"
    SHARED_END = "aplastic or hypoplastic nails: the head is the last word"
    SHARED_BEGINNING = "hypopigmentation of skin or hair: the head is in the first part"


Resume = tuple[int, Passed]


def behind_inserted(read: ReadWords) -> list[int]:
    """For each word the place behind the one word of meaning that follows it; NO_PLACE if none.

    A name that was left there may go on behind an inserted word.
    """
    grammar, phrase_ends = read.grammar, read.phrase_ends
    return [
        NO_PLACE
        if follower == NO_PLACE or grammar[follower] or phrase_ends[follower] == follower + 1
        else follower + 1
        for follower in read.followers
    ]


def behind_coordinated(read: ReadWords) -> Mapping[int, Sequence[Resume]]:
    """Place past the first part of a name → places behind members of a coordination, and which.

    Empty for most texts: only those with a conjunction have any.
    """
    found: defaultdict[int, list[Resume]] = defaultdict(list)
    earlier = -1
    for conjunction in [at for at, so in enumerate(read.conjunctions) if so]:
        for end in _coordinated_from(read, conjunction):
            if read.gaps[end - 1] in LISTED or end == conjunction:
                if end > earlier:  # else the conjunction before this one has said it
                    found[end] += [(b, Passed.SHARED_END) for b in _members(read, end, conjunction)]
            elif read.stops[end] and read.phrase_ends[conjunction] > conjunction + 1:
                found[end].append((conjunction + 1, Passed.SHARED_BEGINNING))
        earlier = conjunction
    return found


def _coordinated_from(read: ReadWords, conjunction: int) -> Iterator[int]:
    """Ends of first parts from which a coordination may reach to that conjunction, nearest first."""
    first = max(read.sentence_starts[conjunction] + 1, conjunction - MAX_COORDINATED + 1)
    for end in range(conjunction, first - 1, -1):
        if read.phrase_ends[end - 1] == end and read.gaps[end - 1] not in LISTED:
            return
        yield end


def _members(read: ReadWords, end: int, conjunction: int) -> Iterator[int]:
    """Places behind the last member of a coordination that begins at `end`."""
    last = min(read.sentence_ends[conjunction] - 1, end + MAX_COORDINATED)
    for place in range(conjunction + 1, last):
        if read.phrase_ends[place - 1] == place and read.gaps[place - 1] not in LISTED:
            return
        if not read.conjunctions[place] and read.phrase_ends[place] > place + 1:
            yield place + 1
