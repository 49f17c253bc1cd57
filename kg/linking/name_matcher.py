"""Where names stand in a text: the longest at each place from left to right, none overlapping."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..questions.function_words import ORDER_STOP_WORDS
from .folding import PHRASE_END, SENTENCE_BREAK, Words, gap_kind, split_words
from .linking_scores import NameRow
from .name_variants import Bag, learn_substitutions, variants
from .names_trie import MASK_BITS, NamesTrie, UnorderedIndex, Vocabulary, unordered_words

SYNONYM_KINDS = ("label", "exact")  # names of one entity that mean the same
MAX_NAME_WORDS = 40  # longer names are sentences
NO_KEYS: tuple[int, ...] = ()


class GapKinds(dict[str, int]):
    """What stands between two words → NO_BREAK, PHRASE_BREAK or SENTENCE_BREAK, each asked once."""

    MAX_GAPS = 100_000

    def __missing__(self, gap: str) -> int:
        if len(self) >= self.MAX_GAPS:
            self.clear()
        kind = self[gap] = gap_kind(gap)
        return kind


@dataclass(frozen=True, slots=True)
class Span:
    """Words [start, end) of a text match the names of these keys, in the sentence [first, last)."""

    start: int
    end: int
    keys: tuple[int, ...]
    first: int
    last: int


class NameMatcher:
    """Finds names in order, in any order, and with one word replaced by its like.

    Attributes:
        names: key → names that fold to it.
    """

    def __init__(self, rows: Sequence[NameRow]) -> None:
        self.names: list[list[NameRow]] = []
        self._vocabulary = Vocabulary()
        self._gap_kinds = GapKinds()
        self._broken_keys: set[int] = set()  # of names with a comma or bracket inside
        split = [split_words(row.text).raw for row in rows]
        numbers = [list(map(self._vocabulary.add, raw)) for raw in split]
        word_count = len(self._vocabulary.numbers)
        self._trie = NamesTrie(word_count)
        self._unordered = UnorderedIndex(word_count)
        bags = self._add_in_order(rows, split, numbers)
        self._add_in_any_order(bags)
        companions, edges = self._unordered.companions, self._trie.edges
        # An edge from the root is the word's number. The last place stands for UNKNOWN, -1.
        self._begins = [bool(companions[word]) or word in edges for word in range(word_count)]
        self._begins.append(False)

    def spans(self, words: Words) -> Iterator[Span]:
        """Leftmost-longest matches; names in any order don't reach over a comma or bracket."""
        numbers = list(map(self._vocabulary.__getitem__, words.raw))
        stops = [word in ORDER_STOP_WORDS for word in words.raw]
        kinds = list(map(self._gap_kinds.__getitem__, words.gaps))
        phrase_ends = [place for place, kind in enumerate(kinds, 1) if kind]
        sentence_ends = [place for place, kind in enumerate(kinds, 1) if kind == SENTENCE_BREAK]
        phrase_ends.append(len(kinds))
        sentence_ends.append(len(kinds))
        begins, past, phrase, sentence = self._begins, 0, 0, 0
        for start in [place for place, number in enumerate(numbers) if begins[number]]:
            if start < past:
                continue
            while phrase_ends[phrase] <= start:
                phrase += 1
            while sentence_ends[sentence] <= start:
                sentence += 1
            last = sentence_ends[sentence]
            end, keys = self._longest(numbers, stops, start, phrase_ends[phrase], last)
            if end > start:
                yield Span(start, end, keys, sentence_ends[sentence - 1] if sentence else 0, last)
                past = end

    def _longest(
        self, numbers: list[int], stops: list[bool], start: int, phrase_end: int, last: int
    ) -> tuple[int, tuple[int, ...]]:
        number, following = numbers[start], start + 1
        end, keys = start, NO_KEYS
        if number in self._trie.edges:
            end, key = self._trie.longest(numbers, start, last)
            if end > phrase_end and key not in self._broken_keys:
                end, key = self._trie.longest(numbers, start, phrase_end)
            keys = (key,)
        if following >= phrase_end or stops[start]:
            return end, keys
        companions = self._unordered.companions[number]
        if stops[following] or companions >> numbers[following] % MASK_BITS & 1:
            other_end, other_keys = self._unordered.longest(numbers, stops, start, phrase_end)
            if other_end > end:
                return other_end, other_keys
        return end, keys

    def _add_in_order(
        self, rows: Sequence[NameRow], split: list[list[str]], numbers: list[list[int]]
    ) -> dict[int, tuple[Bag, set[int]]]:
        """Fill the trie; return key → the bag of its words and the entities whose synonym it is."""
        bags: dict[int, tuple[Bag, set[int]]] = {}
        for row, raw, sequence in zip(rows, split, numbers, strict=True):
            if not 0 < len(sequence) <= MAX_NAME_WORDS:
                continue
            key = self._trie.add(sequence, len(self.names))
            if key == len(self.names):
                self.names.append([])
                bags[key] = (unordered_words(raw, sequence), set())
            self.names[key].append(row)
            if row.kind in SYNONYM_KINDS:
                bags[key][1].add(row.entity)
            if PHRASE_END.search(row.text):
                self._broken_keys.add(key)
        return {key: (bag, entities) for key, (bag, entities) in bags.items() if bag}

    def _add_in_any_order(self, bags: dict[int, tuple[Bag, set[int]]]) -> None:
        by_entity: defaultdict[int, list[Bag]] = defaultdict(list)
        for key, (bag, entities) in bags.items():
            self._unordered.add(bag, key)
            for entity in entities:
                by_entity[entity].append(bag)
        substitutions = learn_substitutions(by_entity.values())
        as_written = frozenset(self._unordered.keys)
        for key, (bag, _) in bags.items():
            for variant in variants(bag, substitutions):
                if self._unordered.sum_of(variant) not in as_written:
                    self._unordered.add(variant, key)
