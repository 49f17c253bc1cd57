"""Typing errors: the word of the graph's names that a word of the text is one slip away from.

A slip is one character left out, put in, replaced, or swapped with its neighbour (Damerau 1964,
who found four of five spelling errors to be one of these). One slip leaves the first or the second
half of a word as it is, so few words need be compared.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator

MIN_LETTERS = 7  # shorter words have too many neighbours that are words of their own


class NearSpellings:
    """Finds folded words that differ in one slip from a folded word that isn't among them."""

    def __init__(self, words: Iterable[str]) -> None:
        self._halves: defaultdict[str, list[str]] = defaultdict(list)
        for word in words:
            if is_tried(word, MIN_LETTERS - 1):
                for half in _kept_parts(word):
                    self._halves[half].append(word)

    def find(self, word: str) -> str | None:
        """The one word that is a slip away; None where there is none, or more than one.

        First and last letter must be the same: few slips touch the first, and another end makes
        another word ("Mongolia" isn't "Mongolian" mistyped).
        """
        if not is_tried(word, MIN_LETTERS):
            return None
        near = {
            other
            for half in _kept_parts(word)
            for other in self._halves.get(half, ())
            if (other[0], other[-1]) == (word[0], word[-1]) and is_one_slip(word, other)
        }
        return near.pop() if len(near) == 1 else None


def is_tried(word: str, least: int) -> bool:
    """True for words of letters alone that are long enough."""
    return len(word) >= least and word.isalpha()


def _kept_parts(word: str) -> Iterator[str]:
    """The halves of a word, of each length that its neighbours' halves may have."""
    middle = len(word) // 2
    for cut in (middle - 1, middle):
        yield "<" + word[:cut]
    for cut in (middle, middle + 1):
        yield ">" + word[cut:]


def is_one_slip(one: str, other: str) -> bool:
    """True where one edit, or one swap of neighbours, makes a word the other."""
    if one == other or abs(len(one) - len(other)) > 1:
        return False
    if len(one) > len(other):
        one, other = other, one
    at = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), len(one))
    if len(one) < len(other):
        return one[at:] == other[at + 1 :]
    swapped = one[at + 1 : at + 2] + one[at : at + 1]
    return one[at + 1 :] == other[at + 1 :] or (
        swapped == other[at : at + 2] and one[at + 2 :] == other[at + 2 :]
    )
