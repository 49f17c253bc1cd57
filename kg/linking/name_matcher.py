"""Where names stand in a text: all of them, or the longest from left to right."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..questions.function_words import ORDER_STOP_WORDS
from .folding import Words, split_words
from .name_index import Keys, NameIndex
from .passed_words import Passed, Resume, behind_coordinated, behind_inserted
from .read_words import NO_PLACE, ReadWords, WordReader
from .spellings import UNKNOWN
from .unordered_names import MASK_BITS, Window


@dataclass(frozen=True, slots=True)
class Span:
    """Words [start, end) of a text match the names of these keys, in the sentence [first, last).

    Attributes:
        interrupted: words stand among them that are passed over.
    """

    start: int
    end: int
    keys: Keys
    first: int
    last: int
    interrupted: bool = False


class _Parts:
    """Classes of the words of meaning before, among and behind those that were passed over."""

    def __init__(self, read: ReadWords, start: int, left: int, begin: int, end: int) -> None:
        self.first, self.passed, self.second = (
            [read.classes[at] for at in range(*bounds) if not read.stops[at]]
            for bounds in ((start, left), (left, begin), (begin, end))
        )


class NameMatcher:
    """Finds names in order, in any order, in other forms, and with one word replaced by its like."""

    def __init__(self, index: NameIndex) -> None:
        self._index = index
        self._trie = index.trie
        self._unordered = index.unordered
        self._reader = WordReader(index.spellings)
        # An edge from the root is the word's number. The last place stands for UNKNOWN, -1.
        edges, words = self._trie.edges, range(index.spellings.class_count)
        self._first_nodes = [*(edges.get(word, 0) for word in words), 0]
        self._companions = [*self._unordered.companions, 0]

    def longest_spans(self, words: Words) -> Iterator[Span]:
        """Leftmost-longest matches, none overlapping another, with no word passed over."""
        read, past = self._reader.read(words), 0
        in_any_order = self._in_any_order(read)
        for start in sorted(self._in_order(read) | in_any_order):
            if start < past:
                continue
            windows = self._windows(read, start) if start in in_any_order else []
            found = self._contiguous(read, start, windows)
            if found:
                past = max(found)
                yield _span(read, start, past, found[past])

    def all_spans(self, words: Words) -> Iterator[Span]:
        """All matches, by their beginnings and then the longest first.

        Those inside others are among them, and those that pass words over: one that was inserted,
        and the other members of a coordination.
        """
        read = self._reader.read(words)
        in_any_order = self._in_any_order(read)
        inserted, coordinated = behind_inserted(read), behind_coordinated(read)
        interrupted = self._interrupted_starts(read, inserted, coordinated)
        for start in sorted(self._in_order(read) | in_any_order | interrupted):
            windows = self._windows(read, start) if start in in_any_order else []
            found = self._contiguous(read, start, windows)
            whole = frozenset(found)
            if (windows or start in interrupted) and not read.grammar[start]:
                windows.insert(0, self._unordered.first(read.classes[start], start))
                for end, keys in self._interrupted(read, start, windows, inserted, coordinated):
                    found.setdefault(end, keys)
            for end in sorted(found, reverse=True):
                yield _span(read, start, end, found[end], end not in whole)

    def _in_order(self, read: ReadWords) -> set[int]:
        """Places of words with which a name begins, that are it or whose next word is the name's."""
        edges, keys, stride = self._trie.edges, self._trie.keys, self._trie.stride
        nodes = map(self._first_nodes.__getitem__, read.numbers)
        following = (*read.numbers[1:], UNKNOWN)
        return {
            place
            for place, (node, word) in enumerate(zip(nodes, following, strict=False))
            if node and (node in keys or node * stride + word in edges)
        }

    def _in_any_order(self, read: ReadWords) -> set[int]:
        """Places of words that may share a name with the next word of meaning in their phrase."""
        companions, classes, stops = self._companions, read.classes, read.stops
        return {
            place
            for place, follower in enumerate(read.followers)
            if follower != NO_PLACE
            and not stops[place]
            and companions[classes[place]] >> classes[follower] % MASK_BITS & 1
            and classes[follower] != UNKNOWN
        }

    def _interrupted_starts(
        self,
        read: ReadWords,
        inserted: Sequence[int],
        coordinated: Mapping[int, Sequence[Resume]],
    ) -> set[int]:
        """Places of words that may share a name with one behind words that are passed over."""
        companions, classes, stops = self._companions, read.classes, read.stops
        pairs = [
            *((start, begin) for start, begin in enumerate(inserted) if begin != NO_PLACE),
            *((end - 1, begin) for end, begins in coordinated.items() for begin, _ in begins),
        ]
        return {
            start
            for start, begin in pairs
            if not stops[start]
            and companions[classes[start]] >> _next_class(read, begin) % MASK_BITS & 1
        }

    def _contiguous(self, read: ReadWords, start: int, windows: list[Window]) -> dict[int, Keys]:
        """End → keys; names in any order don't reach over a comma or bracket."""
        found: dict[int, Keys] = {}
        phrase_end = read.phrase_ends[start]
        for end, key in self._trie.matches(read.numbers, start, read.sentence_ends[start]):
            if end <= phrase_end or key in self._index.broken_keys:
                found[end] = (key,)
        for end, total, _ in windows:
            keys = self._unordered.keys_of(total)
            if keys:
                found.setdefault(end, keys)
        return found

    def _windows(self, read: ReadWords, start: int) -> list[Window]:
        form = read.classes[start]
        window = self._unordered.first(form, start)
        return self._unordered.grown(
            read.classes, read.stops, form, window, start + 1, read.phrase_ends[start]
        )

    def _interrupted(
        self,
        read: ReadWords,
        start: int,
        windows: list[Window],
        inserted: Sequence[int],
        coordinated: Mapping[int, Sequence[Resume]],
    ) -> Iterator[tuple[int, Keys]]:
        """End and keys of names in any order whose words others stand between."""
        classes, keys = read.classes, self._unordered.keys
        form = classes[start]
        companions = self._unordered.companions[form]
        for window in windows:
            left = window[0]
            begins = [*coordinated.get(left, ())]
            if inserted[left - 1] != NO_PLACE:
                begins.insert(0, (inserted[left - 1], Passed.INSERTED))
            for begin, why in begins:
                if not companions >> _next_class(read, begin) % MASK_BITS & 1:
                    continue
                for end, total, _ in self._unordered.grown(
                    classes, read.stops, form, window, begin, read.phrase_ends[begin]
                ):
                    if total in keys:
                        parts = _Parts(read, start, left, begin, end)
                        found = self._unordered.keys_of(total)
                        fitting = tuple(key for key in found if self._fits(key, why, parts))
                        if fitting:
                            yield end, fitting

    def _fits(self, key: int, why: Passed, parts: _Parts) -> bool:
        """True where the head of the key's name stands as the passed words ask for."""
        raw = split_words(self._index.names[key][0].text).raw
        content, head = name_content(raw, [self._index.spellings[word].form for word in raw])
        if head in parts.passed:
            return False
        if why is Passed.INSERTED:
            return content == (*parts.first, *parts.second)
        return head == parts.second[-1] if why is Passed.SHARED_END else head in parts.first


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


def _next_class(read: ReadWords, place: int) -> int:
    """Class of the first word of meaning from a place on; the last stop word's where its phrase has none."""
    behind = read.followers[place] if read.stops[place] else place
    return read.classes[place if behind == NO_PLACE else behind]


def _span(read: ReadWords, start: int, end: int, keys: Keys, interrupted: bool = False) -> Span:
    sentence = read.sentence_starts[start], read.sentence_ends[start]
    return Span(start, end, keys, *sentence, interrupted)
