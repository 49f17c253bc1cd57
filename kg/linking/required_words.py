"""Changes of which each can touch a text only if it holds certain words: found by the two rarest of them.

A name in its own order needs its words; in any order, a form of each; in a variant, forms of its words
but one and of the word in that one's place.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set

from .changes import Change
from .spellings import UNKNOWN, KnownWord

Symbols = frozenset[int]


def word_symbol(number: int) -> int:
    """The symbol of a folded word."""
    return 2 * number


def class_symbol(form: int) -> int:
    """The symbol of a class of forms."""
    return 2 * form + 1


def symbols_of(word: KnownWord) -> tuple[int, ...]:
    """What a word of a text stands for: itself and its class, as far as names have them."""
    number = () if word.number == UNKNOWN else (word_symbol(word.number),)
    return number if word.form == UNKNOWN else (*number, class_symbol(word.form))


class RequiredWords:
    """The changes by the symbols that they require.

    Args:
        changes: none requires nothing.
    """

    def __init__(self, changes: Mapping[Symbols, Sequence[Change]]) -> None:
        counts = Counter(symbol for symbols in changes for symbol in symbols)
        self._by_rarest: dict[int, dict[int, list[tuple[Symbols, Sequence[Change]]]]] = {}
        for symbols, found in changes.items():
            first, *others = sorted(symbols, key=lambda symbol: (counts[symbol], symbol))
            second = others[0] if others else first
            by_second = self._by_rarest.setdefault(first, {})
            by_second.setdefault(second, []).append((symbols, found))

    def within(self, symbols: Set[int]) -> Iterator[Change]:
        """The changes whose symbols are all there."""
        for first in self._by_rarest.keys() & symbols:
            by_second = self._by_rarest[first]
            for second in by_second.keys() & symbols:
                for required, changes in by_second[second]:
                    if required <= symbols:
                        yield from changes
