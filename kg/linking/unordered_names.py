"""Names whose words stand together in any order: "hand abnormalities", abnormality of the hand."""

import random
from collections.abc import Iterable, Sequence

from ..questions.function_words import ORDER_STOP_WORDS
from .folding import is_unspaced
from .spellings import UNKNOWN

MAX_UNORDERED = 6  # words of a name that is looked for in any order
MASK_BITS = 1024

Window = tuple[int, int, int]  # place past its last word, sum of its words, words it may still take


class UnorderedIndex:
    """Names of two or more words, as bags of classes of word forms.

    Each class has a random 60-bit number and a bag has their sum, so a window grows by one
    addition. Two of a million bags share a sum with probability below 10⁻⁶.
    """

    def __init__(self, class_count: int) -> None:
        generator = random.Random(0)
        self.addends = [generator.getrandbits(60) for _ in range(class_count)]
        # class → bit w % MASK_BITS for each class w that shares a bag with it: a Bloom filter
        self.companions = [0] * class_count
        self.keys: dict[int, int | tuple[int, ...]] = {}  # sum of a bag → its key, or its keys

    def sum_of(self, bag: Sequence[int]) -> int:
        """Number under which a bag is kept."""
        return sum([self.addends[word] for word in bag])

    def add(self, bag: Sequence[int], key: int) -> None:
        """Add a bag of two or more classes."""
        total = self.sum_of(bag)
        bits = 0
        for word in bag:
            bits |= 1 << word % MASK_BITS
        for word in bag:
            self.companions[word] |= bits
        known = self.keys_of(total)
        if key not in known:
            self.keys[total] = (*known, key) if known else key

    def keys_of(self, total: int) -> tuple[int, ...]:
        """Keys of the bags with that sum."""
        found = self.keys.get(total)
        if found is None:
            return ()
        return found if isinstance(found, tuple) else (found,)

    def first(self, word: int, place: int) -> Window:
        """The window of the one word at that place, neither unknown nor a stop word."""
        return place + 1, self.addends[word], MAX_UNORDERED - 1

    def grown(
        self,
        words: Sequence[int],
        stops: Sequence[bool],
        first: int,
        window: Window,
        begin: int,
        stop: int,
    ) -> list[Window]:
        """Windows that take in the words from `begin` on, one more each.

        Args:
            words: classes of the text's words.
            stops: whether each word is a stop word, and so is passed over inside a window.
            first: class of the window's first word, which all others must share a name with.
            window: what grows.
            begin: place of the next word that it takes in.
            stop: no window reaches past it.
        """
        addends, companions = self.addends, self.companions[first]
        _, total, left = window
        found = []
        for place in range(begin, stop):
            if stops[place]:
                continue
            word = words[place]
            if word == UNKNOWN or not left or not companions >> word % MASK_BITS & 1:
                break
            total += addends[word]
            left -= 1
            found.append((place + 1, total, left))
        return found


def movable_words(raw: Sequence[str], numbers: Sequence[int]) -> tuple[int, ...]:
    """Numbers of a name's words without stop words, in their order.

    None for scripts in which a word is a character: their order is all there is.
    """
    if any(map(is_unspaced, raw)):
        return ()
    pairs = zip(raw, numbers, strict=True)
    return tuple(number for word, number in pairs if word not in ORDER_STOP_WORDS)


def bag_of(classes: Iterable[int]) -> tuple[int, ...]:
    """Sorted classes of a name's movable words; none where it isn't looked for in any order.

    So for single words, and for names of more than MAX_UNORDERED words, which nobody reorders.
    """
    bag = tuple(sorted(classes))
    return bag if 1 < len(bag) <= MAX_UNORDERED else ()
