"""Where names stand in a text: all of them, or the longest from left to right."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..questions.function_words import ORDER_STOP_WORDS
from .folding import PHRASE_END, Words, fold_word, split_words
from .linking_scores import NameRow
from .name_variants import Bag, learn_substitutions, variants
from .names_trie import NamesTrie
from .passed_words import Passed, Resume, resumes
from .read_words import ReadWords, WordReader
from .spellings import UNKNOWN, Spellings, Vocabulary
from .unordered_names import MASK_BITS, UnorderedIndex, Window, unordered_words
from .word_forms import WordForms, learn_endings

SYNONYM_KINDS = ("label", "exact")  # names of one entity that mean the same
MAX_NAME_WORDS = 40  # longer names are sentences

Keys = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Span:
    """Words [start, end) of a text match the names of these keys, in the sentence [first, last)."""

    start: int
    end: int
    keys: Keys
    first: int
    last: int


class _Parts:
    """Classes of the words of meaning before, among and behind those that were passed over."""

    def __init__(self, read: ReadWords, start: int, left: int, begin: int, end: int) -> None:
        self.first, self.passed, self.second = (
            [read.classes[at] for at in range(*bounds) if not read.stops[at]]
            for bounds in ((start, left), (left, begin), (begin, end))
        )


class NameMatcher:
    """Finds names in order, in any order, in other forms, and with one word replaced by its like.

    Attributes:
        names: key → names that fold to it.
        spellings: what words as they are written are to these names.
    """

    def __init__(self, rows: Sequence[NameRow]) -> None:
        self.names: list[list[NameRow]] = []
        self._broken_keys: set[int] = set()  # of names with a comma or bracket inside
        self._contents: dict[int, tuple[Keys, int]] = {}  # key → classes of its words, its head's
        split = [split_words(row.text).raw for row in rows]
        vocabulary = Vocabulary()
        numbers = [list(map(vocabulary.add, raw)) for raw in split]
        word_count = len(vocabulary.numbers)
        self._trie = NamesTrie(word_count)
        self._unordered = UnorderedIndex(word_count)
        forms = WordForms(vocabulary.numbers, learn_endings(_names_by_entity(rows, split)))
        self._add_in_any_order(self._add_in_order(rows, split, numbers, forms.classes))
        self.spellings = Spellings(vocabulary.numbers, forms)
        self._reader = WordReader(self.spellings)
        companions, edges = self._unordered.companions, self._trie.edges
        # An edge from the root is the word's number. The last place stands for UNKNOWN, -1.
        self._begins_in_order = [word in edges for word in range(word_count)] + [False]
        self._begins_in_any_order = [*map(bool, companions), False]

    def longest_spans(self, words: Words) -> Iterator[Span]:
        """Leftmost-longest matches, none overlapping another, with no word passed over."""
        read, past = self._reader.read(words), 0
        for start in self._beginnings(read):
            if start >= past:
                found = self._contiguous(read, start, self._windows(read, start))
                if found:
                    past = max(found)
                    yield _span(read, start, past, found[past])

    def all_spans(self, words: Words) -> Iterator[Span]:
        """All matches, by their beginnings and then the longest first.

        Those inside others are among them, and those that pass words over: one that was inserted,
        and the other members of a coordination.
        """
        read = self._reader.read(words)
        going_on = resumes(read)
        for start in self._beginnings(read):
            windows = self._windows(read, start)
            found = self._contiguous(read, start, windows)
            if self._begins_in_any_order[read.classes[start]] and not read.grammar[start]:
                windows.insert(0, self._unordered.first(read.classes[start], start))
                for end, keys in self._interrupted(read, start, windows, going_on):
                    found.setdefault(end, keys)
            for end in sorted(found, reverse=True):
                yield _span(read, start, end, found[end])

    def _beginnings(self, read: ReadWords) -> list[int]:
        in_order, in_any_order = self._begins_in_order, self._begins_in_any_order
        pairs = enumerate(zip(read.numbers, read.classes, strict=True))
        return [place for place, (word, form) in pairs if in_order[word] or in_any_order[form]]

    def _contiguous(self, read: ReadWords, start: int, windows: list[Window]) -> dict[int, Keys]:
        """End → keys; names in any order don't reach over a comma or bracket."""
        found: dict[int, Keys] = {}
        phrase_end = read.phrase_ends[start]
        if self._begins_in_order[read.numbers[start]]:
            for end, key in self._trie.matches(read.numbers, start, read.sentence_ends[start]):
                if end <= phrase_end or key in self._broken_keys:
                    found[end] = (key,)
        for end, total, _ in windows:
            keys = self._unordered.keys.get(total)
            if keys is not None:
                found.setdefault(end, keys)
        return found

    def _windows(self, read: ReadWords, start: int) -> list[Window]:
        form, following, phrase_end = read.classes[start], start + 1, read.phrase_ends[start]
        if following >= phrase_end or form == UNKNOWN or read.stops[start]:
            return []
        companions = self._unordered.companions[form]
        if not (read.stops[following] or companions >> read.classes[following] % MASK_BITS & 1):
            return []
        window = self._unordered.first(form, start)
        return self._unordered.grown(read.classes, read.stops, form, window, following, phrase_end)

    def _interrupted(
        self,
        read: ReadWords,
        start: int,
        windows: list[Window],
        going_on: Mapping[int, Sequence[Resume]],
    ) -> Iterator[tuple[int, Keys]]:
        """End and keys of names in any order whose words others stand between."""
        classes, keys = read.classes, self._unordered.keys
        form = classes[start]
        companions = self._unordered.companions[form]
        for window in windows:
            for begin, why in going_on.get(window[0], ()):
                if not companions >> classes[begin] % MASK_BITS & 1:
                    continue
                for end, total, _ in self._unordered.grown(
                    classes, read.stops, form, window, begin, read.phrase_ends[begin]
                ):
                    if total in keys:
                        parts = _Parts(read, start, window[0], begin, end)
                        fitting = tuple(key for key in keys[total] if self._fits(key, why, parts))
                        if fitting:
                            yield end, fitting

    def _fits(self, key: int, why: Passed, parts: _Parts) -> bool:
        """True where the head of the key's name stands as the passed words ask for."""
        content, head = self._contents[key]
        if head in parts.passed:
            return False
        if why is Passed.INSERTED:
            return content == (*parts.first, *parts.second)
        return head == parts.second[-1] if why is Passed.SHARED_END else head in parts.first

    def _add_in_order(
        self,
        rows: Sequence[NameRow],
        split: list[list[str]],
        numbers: list[list[int]],
        classes: list[int],
    ) -> dict[int, tuple[Bag, set[int]]]:
        """Fill the trie; return key → the bag of its words and the entities whose synonym it is."""
        bags: dict[int, tuple[Bag, set[int]]] = {}
        for row, raw, sequence in zip(rows, split, numbers, strict=True):
            if not 0 < len(sequence) <= MAX_NAME_WORDS:
                continue
            key = self._trie.add(sequence, len(self.names))
            if key == len(self.names):
                self.names.append([])
                forms = [classes[word] for word in sequence]
                bags[key] = (unordered_words(raw, forms), set())
                if bags[key][0]:
                    self._contents[key] = name_content(raw, forms)
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


def name_content(raw: Sequence[str], classes: Sequence[int]) -> tuple[Keys, int]:
    """Classes of a name's words without stop words in their order, and that of its head.

    The head is the word before the first stop word that isn't the first word, else the last one:
    "abnormality" of "abnormality of the hand", "carcinoma" of "basal cell carcinoma".
    """
    stops = [word in ORDER_STOP_WORDS for word in raw]
    content = tuple(form for form, stop in zip(classes, stops, strict=True) if not stop)
    before = next((at for at in range(1, len(raw)) if stops[at] and not stops[at - 1]), len(raw))
    head = [form for form, stop in zip(classes[:before], stops, strict=False) if not stop][-1]
    return content, head


def _span(read: ReadWords, start: int, end: int, keys: Keys) -> Span:
    return Span(start, end, keys, read.sentence_starts[start], read.sentence_ends[start])


def _names_by_entity(
    rows: Sequence[NameRow], split: Sequence[Sequence[str]]
) -> Iterator[list[frozenset[str]]]:
    """The synonyms of each entity that has several, as folded words that carry meaning."""
    found: defaultdict[int, list[frozenset[str]]] = defaultdict(list)
    for row, raw in zip(rows, split, strict=True):
        if row.kind in SYNONYM_KINDS and len(raw) <= MAX_NAME_WORDS:
            found[row.entity].append(
                frozenset(fold_word(word) for word in raw if word not in ORDER_STOP_WORDS)
            )
    yield from (names for names in found.values() if len(names) > 1)
