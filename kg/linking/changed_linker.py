"""Which texts a linker of a changed graph may link otherwise than the one before it, and why.

A text keeps its links where all of this holds, and each is looked up rather than tried:

1. each of its words is the same word of names, and a form of the same words (`changed_words.py`);
2. no sentence holds all words of a name that was added, is gone, or is otherwise, nor of a variant of
   one, nor of a variant that is made of other substitutions, nor a word that has become or ceased to
   be a common one (`changed_names.py`, `required_words.py`);
3. of mentions inside others, the entities stand above each other as they did.

With 1 and 2 the same names match at the same places with the same scores; what the document decides
(homonyms, abbreviations) follows from those. What 3 decides, it decides in the order of mentions, so the
first difference would be at a mention that was written (repeats of one entity are left out whatever the
hierarchy). What remains is to fill in near names, whose scores follow from all names and the surface.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from .changed_names import (
    AmbiguousNames,
    ChangedRows,
    ambiguous_names,
    changed_rows,
    entity_numbers,
)
from .changed_words import ChangedWords
from .changes import Change, ChangeKind
from .folding import SENTENCE_BREAK, Words, fold_word, gap_kind, split_words
from .linker import Linker
from .mentions import Candidate, Mention
from .name_index import MAX_NAME_WORDS, NO_KEY, NameIndex
from .name_variants import Bag, variants
from .required_words import RequiredWords, Symbols, class_symbol, symbols_of, word_symbol
from .unordered_names import bag_of, movable_words

Pair = tuple[int, int]  # classes: the second may stand in the first one's place
MAX_KEPT = 500_000  # words of texts whose comparison is kept


class ChangedLinker:
    """Compares the linkers of two graphs; asked of each text that the first one linked.

    Attributes:
        numbers: of the old graph's entities in the new one; changed_names.GONE where it has none.
    """

    def __init__(self, old: Linker, new: Linker) -> None:
        self._old, self._new = old, new
        self.numbers: NDArray[np.int64] = entity_numbers(old.scorer.graph, new.scorer.graph)
        self._words = ChangedWords(old.index.spellings, new.index.spellings)
        # A mention's context is asked for where several entities may be meant, so in either graph.
        were_ambiguous, are_ambiguous = ambiguous_names(old.index), ambiguous_names(new.index)
        gone, added = changed_rows(old, new, self.numbers, are_ambiguous)
        pairs_gone, pairs_added = _changed_pairs(old.index, new.index, self._words)
        were_common, are_common = _common_words(old.index), _common_words(new.index)
        self._gone = RequiredWords(
            _requirements(old.index, gone, were_ambiguous, pairs_gone, were_common - are_common)
        )
        self._added = RequiredWords(
            _requirements(new.index, added, are_ambiguous, pairs_added, are_common - were_common)
        )
        largest = [each.scorer.largest_degree.bit_length() for each in (old, new)]
        self._of_all = (
            () if largest[0] == largest[1] else (Change(ChangeKind.LARGEST_DEGREE, "all names"),)
        )
        self._read: dict[str, tuple[Change | None, Symbols, Symbols]] = {}
        self._above: dict[tuple[int, int], bool] = {}

    def changes(self, text: str, mentions: Sequence[Mention], nested: bool) -> list[Change]:
        """All that may change the links of a text; none where they are the same.

        Args:
            text: as it was linked.
            mentions: as they were found, with the old graph's entities.
            nested: they were found by `link_all`.
        """
        words = split_words(text)
        found = {*self._of_all, *self._of_words(words.raw)}
        if any(self._of_names(words.raw)):  # and if so, no name reaches over a sentence's end
            found.update(*map(self._of_names, _sentences(words)))
        if nested and not found:
            found.update(self._changed_nesting(mentions))
        return sorted(found, key=lambda change: (change.kind.value, change.about, change.iri))

    def _of_words(self, raw: Iterable[str]) -> Iterator[Change]:
        for word in set(raw):
            change = self._of_word(word)[0]
            if change is not None:
                yield change

    def _of_names(self, raw: Iterable[str]) -> Iterator[Change]:
        before, after = set[int](), set[int]()
        for word in set(raw):
            _, old_symbols, new_symbols = self._of_word(word)
            before |= old_symbols
            after |= new_symbols
        yield from self._gone.within(before)
        yield from self._added.within(after)

    def kept(self, mention: Mention) -> Mention:
        """A mention of an unchanged text with the new graph's entities, near names left out."""
        candidates = tuple(
            Candidate(int(self.numbers[each.entity]), each.score, each.name, each.kind)
            for each in mention.candidates
            if not each.near
        )
        entity = None if mention.entity is None else int(self.numbers[mention.entity])
        return Mention(mention.start, mention.end, mention.surface, entity, candidates)

    def _of_word(self, word: str) -> tuple[Change | None, Symbols, Symbols]:
        known = self._read.get(word)
        if known is None:
            if len(self._read) >= MAX_KEPT:
                self._read.clear()
            old, new = (each.index.spellings[word] for each in (self._old, self._new))
            symbols = frozenset(symbols_of(old)), frozenset(symbols_of(new))
            known = self._read[word] = self._words.change(word), *symbols
        return known

    def _changed_nesting(self, mentions: Sequence[Mention]) -> Iterator[Change]:
        open_ones: list[Mention] = []
        for mention in mentions:
            open_ones = [outer for outer in open_ones if outer.end > mention.start]
            inner = _before_nesting(mention)
            for outer in open_ones:
                if (
                    inner is not None
                    and outer.entity is not None
                    and outer.end >= mention.end
                    and self._differ(inner, outer.entity)
                ):
                    graph = self._old.scorer.graph
                    about = f"{graph.label(inner)}, {graph.label(outer.entity)}"
                    yield Change(ChangeKind.HIERARCHY, about, graph.iri(inner))
            open_ones.append(mention)

    def _differ(self, inner: int, outer: int) -> bool:
        """True where one graph has the inner entity NIL within the outer one and the other hasn't."""
        known = self._above.get((inner, outer))
        if known is None:
            before = self._old.hierarchy.unlike(inner, outer)
            there = int(self.numbers[inner]), int(self.numbers[outer])
            known = self._above[inner, outer] = before != self._new.hierarchy.unlike(*there)
        return known


def _sentences(words: Words) -> Iterator[Sequence[str]]:
    start = 0
    for end, gap in enumerate(words.gaps, 1):
        if gap_kind(gap) == SENTENCE_BREAK:
            yield words.raw[start:end]
            start = end
    yield words.raw[start:]


def _before_nesting(mention: Mention) -> int | None:
    """The entity that a mention had, or may have had, before it was held against those around it."""
    if mention.entity is not None:
        return mention.entity
    return next((each.entity for each in mention.candidates if not each.near), None)


def _requirements(
    index: NameIndex,
    rows: ChangedRows,
    ambiguous: AmbiguousNames,
    pairs: Mapping[Pair, Change],
    common: Iterable[str],
) -> dict[Symbols, list[Change]]:
    """What a text must hold, in the symbols of one index, for each change."""
    found: defaultdict[Symbols, list[Change]] = defaultdict(list)
    for row, changes in rows.items():
        # Context tells the entities of one mention apart; nothing else is asked of it.
        always = [change for change in changes if change.kind is not ChangeKind.CONTEXT]
        numbers, bag = _words_of(index, row.text)
        if numbers:
            shared = index.trie.add(numbers, NO_KEY) in ambiguous.keys
            if shared or (always and not bag):
                found[frozenset(map(word_symbol, numbers))] += changes if shared else always
        for each in (bag, *variants(bag, index.substitutions)) if bag else ():
            shared = index.unordered.sum_of(each) in ambiguous.sums
            if shared or always:
                found[frozenset(map(class_symbol, each))] += changes if shared else always
    for symbols, change in _of_pairs(index, pairs):
        found[symbols].append(change)
    for word in common:
        symbols = frozenset([word_symbol(index.spellings.numbers[word])])
        found[symbols].append(Change(ChangeKind.COMMON_WORD, word))
    return found


def _words_of(index: NameIndex, name: str) -> tuple[Sequence[int], Bag]:
    """Numbers of a name's words, and its bag of classes; nothing where it isn't indexed."""
    raw = split_words(name).raw
    if len(raw) > MAX_NAME_WORDS:
        return (), ()
    numbers = [index.spellings.numbers[fold_word(word)] for word in raw]
    classes = index.spellings.forms.classes
    return numbers, bag_of(classes[number] for number in movable_words(raw, numbers))


def _changed_pairs(
    old: NameIndex, new: NameIndex, words: ChangedWords
) -> tuple[dict[Pair, Change], dict[Pair, Change]]:
    """Substitutions that one index has and the other hasn't."""
    before, after = _pairs(old), _pairs(new)
    moved = {pair: (words.class_in_new(pair[0]), words.class_in_new(pair[1])) for pair in before}
    gone = {pair for pair, there in moved.items() if there not in after}
    return _told(old, gone), _told(new, after - set(moved.values()))


def _pairs(index: NameIndex) -> set[Pair]:
    return {(word, other) for word, others in index.substitutions.items() for other in others}


def _told(index: NameIndex, pairs: Iterable[Pair]) -> dict[Pair, Change]:
    words = list(index.spellings.numbers)
    return {
        pair: Change(ChangeKind.SUBSTITUTION, f"{words[pair[0]]}, {words[pair[1]]}")
        for pair in sorted(pairs)
    }


def _of_pairs(index: NameIndex, pairs: Mapping[Pair, Change]) -> Iterator[tuple[Symbols, Change]]:
    """The variants that these substitutions make of all names."""
    partners: defaultdict[int, list[int]] = defaultdict(list)
    for word, other in pairs:
        partners[word].append(other)
    if not partners:
        return
    for rows in index.names:
        _, bag = _words_of(index, rows[0].text)
        for word in partners.keys() & set(bag):
            for other in partners[word]:
                rest = [each for each in bag if each != word]
                yield frozenset(map(class_symbol, (*rest, other))), pairs[word, other]


def _common_words(index: NameIndex) -> set[str]:
    return {fold_word(split_words(index.names[key][0].text).raw[0]) for key in index.common}
