"""Which names stand in a text: a trie for names in order, an index for their words in any order.

Both work on word numbers (`Vocabulary`), so that a text is folded once. Every key (a sequence of
word numbers) has a number too; which names share a key is the caller's business.
"""

import random
from collections.abc import Iterable, Sequence

from ..questions.function_words import ORDER_STOP_WORDS
from .folding import fold_word, is_unspaced

MAX_UNORDERED = 6  # words of a name that is looked for in any order
MASK_BITS = 1024
UNKNOWN = -1  # a word that is in no name


class Vocabulary(dict[str, int]):
    """Word as written → number of its folded form, UNKNOWN when no name has it.

    Looking a word up is one dictionary access: the answer for a spelling is kept after its first
    folding, at most `MAX_SPELLINGS` of them.
    """

    MAX_SPELLINGS = 500_000

    def __init__(self) -> None:
        super().__init__()
        self.numbers: dict[str, int] = {}

    def add(self, word: str) -> int:
        """Return the number of a name's word, giving it one when it is new."""
        number = self.get(word, UNKNOWN)
        if number == UNKNOWN:
            number = self.numbers.setdefault(fold_word(word), len(self.numbers))
            self[word] = number
        return number

    def __missing__(self, word: str) -> int:
        if len(self) >= self.MAX_SPELLINGS:
            self.clear()
        number = self.numbers.get(fold_word(word), UNKNOWN)
        self[word] = number
        return number


class NamesTrie:
    """A trie over word numbers in two flat dictionaries.

    An edge is one number, `node * stride + word`, so there are no node objects: 43,000 names
    take about 20 MB.
    """

    def __init__(self, word_count: int) -> None:
        self.stride = word_count + 1
        self.edges: dict[int, int] = {}
        self.keys: dict[int, int] = {}  # node → number of the key that ends there
        self.node_count = 1

    def add(self, words: Iterable[int], key: int) -> int:
        """Add one sequence of word numbers; return its key's number, the older one if it has one."""
        node = 0
        for word in words:
            following = self.edges.setdefault(node * self.stride + word, self.node_count)
            if following == self.node_count:
                self.node_count += 1
            node = following
        return self.keys.setdefault(node, key)

    def longest(self, words: Sequence[int], start: int, stop: int) -> tuple[int, int]:
        """Return (end, key) of the longest name in `words[start:end]`, end ≤ stop; (start, -1) if none."""
        edges, stride, keys = self.edges, self.stride, self.keys
        node, best, best_key = 0, start, -1
        for position in range(start, stop):
            following = edges.get(node * stride + words[position])
            if following is None:
                break
            node = following
            if node in keys:
                best, best_key = position + 1, keys[node]
        return best, best_key


class UnorderedIndex:
    """Names of two or more words, found when their words stand together in any order.

    Each word has a random 62-bit number and a bag of words has their sum, so a window grows by one
    addition. Two of a million bags share a sum with probability below 10⁻⁶.
    """

    def __init__(self, word_count: int) -> None:
        generator = random.Random(0)
        self.addends = [generator.getrandbits(62) for _ in range(word_count)]
        # word → bit w % MASK_BITS for each word w that shares a bag with it: a Bloom filter
        self.companions = [0] * word_count
        self.keys: dict[int, tuple[int, ...]] = {}  # sum of a bag → numbers of its keys

    def sum_of(self, bag: Sequence[int]) -> int:
        """Number under which a bag is kept."""
        return sum([self.addends[word] for word in bag])

    def add(self, bag: Sequence[int], key: int) -> None:
        """Add a bag of two or more word numbers."""
        total = self.sum_of(bag)
        bits = 0
        for word in bag:
            bits |= 1 << word % MASK_BITS
        for word in bag:
            self.companions[word] |= bits
        known = self.keys.get(total, ())
        if key not in known:
            self.keys[total] = (*known, key)

    def longest(
        self, words: Sequence[int], stops: Sequence[bool], start: int, stop: int
    ) -> tuple[int, tuple[int, ...]]:
        """Return (end, keys) of the longest window from start whose words are a name's words.

        Args:
            words: word numbers of the text.
            stops: whether each word is a stop word, and so is passed over inside a window.
            start: first word of the window; neither unknown nor a stop word.
            stop: no window reaches past it.
        """
        keys, addends = self.keys, self.addends
        companions, left = self.companions[words[start]], MAX_UNORDERED - 1
        total = addends[words[start]]
        best: tuple[int, tuple[int, ...]] = (start, ())
        for position in range(start + 1, stop):
            if stops[position]:
                continue
            word = words[position]
            if word == UNKNOWN or not left or not companions >> word % MASK_BITS & 1:
                break
            total += addends[word]
            left -= 1
            if total in keys:
                best = (position + 1, keys[total])
        return best


def unordered_words(raw: Sequence[str], numbers: Sequence[int]) -> tuple[int, ...]:
    """Sorted word numbers of a name without its stop words; none where it can't be reordered.

    So for single words, for names of more than MAX_UNORDERED words, which nobody reorders, and for
    scripts in which a word is a character.
    """
    if any(map(is_unspaced, raw)):
        return ()
    pairs = zip(raw, numbers, strict=True)
    bag = sorted(number for word, number in pairs if word not in ORDER_STOP_WORDS)
    return tuple(bag) if 1 < len(bag) <= MAX_UNORDERED else ()
