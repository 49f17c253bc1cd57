"""The index of a graph's names: what the matcher looks words up in."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .folding import PHRASE_END, split_words
from .linking_scores import NameRow
from .name_variants import Bag, learn_substitutions, variants
from .names_trie import NamesTrie
from .spellings import Spellings, Vocabulary
from .unordered_names import UnorderedIndex, bag_of, movable_words
from .word_forms import WordForms, learn_endings

SYNONYM_KINDS = ("label", "exact")  # names of one entity that mean the same
MAX_NAME_WORDS = 40  # longer names are sentences

NO_KEY = -1  # of a name that isn't indexed

Keys = tuple[int, ...]


@dataclass(frozen=True)
class NameIndex:
    """Names by their words.

    Attributes:
        names: key → the names that fold to it.
        row_keys: key of each name that was given, NO_KEY where it isn't indexed.
        broken_keys: keys of names with a comma or bracket inside.
        trie: of the words of names in their order.
        unordered: of the classes of their words in any order.
        spellings: what words as they are written are to these names.
        common: keys of names that are common words → in how many of the graph's texts they stand.
        substitutions: class → classes that may stand in its place.
    """

    names: list[list[NameRow]]
    row_keys: NDArray[np.int32]
    broken_keys: set[int]
    trie: NamesTrie
    unordered: UnorderedIndex
    spellings: Spellings
    common: Mapping[int, int] = field(default_factory=dict)
    substitutions: Mapping[int, Keys] = field(default_factory=dict)


class _Names:
    """The words of all names as numbers; what is kept of a name is as small as it can be."""

    def __init__(self, rows: Sequence[NameRow]) -> None:
        vocabulary = Vocabulary()
        self.rows = rows
        self.sequences: list[Keys] = []
        self.movable: list[Keys] = []
        for row in rows:
            raw = split_words(row.text).raw
            sequence = tuple(map(vocabulary.add, raw)) if len(raw) <= MAX_NAME_WORDS else ()
            movable = movable_words(raw, sequence) if sequence else ()
            self.sequences.append(sequence)
            self.movable.append(sequence if movable == sequence else movable)
        self.numbers = vocabulary.numbers

    def of_synonyms(self) -> Iterator[list[frozenset[str]]]:
        """The synonyms of each entity that has several, as folded words that carry meaning."""
        words = list(self.numbers)
        found: defaultdict[int, list[Keys]] = defaultdict(list)
        for row, movable in zip(self.rows, self.movable, strict=True):
            if row.kind in SYNONYM_KINDS and movable:
                found[row.entity].append(movable)
        for names in found.values():
            if len(names) > 1:
                yield [frozenset(words[number] for number in name) for name in names]


def build_index(rows: Sequence[NameRow]) -> NameIndex:
    """Index names; endings and replacements are learnt from the synonyms among them."""
    read = _Names(rows)
    forms = WordForms(read.numbers, learn_endings(read.of_synonyms()))
    names, row_keys, broken_keys, trie = _in_order(read)
    bags = _bags(read, trie, forms.classes)
    substitutions = _substitutions(bags)
    unordered = _in_any_order(bags, substitutions, len(read.numbers))
    spellings = Spellings(read.numbers, forms)
    return NameIndex(
        names, row_keys, broken_keys, trie, unordered, spellings, substitutions=substitutions
    )


def _in_order(
    read: _Names,
) -> tuple[list[list[NameRow]], NDArray[np.int32], set[int], NamesTrie]:
    names: list[list[NameRow]] = []
    row_keys = np.full(len(read.rows), NO_KEY, np.int32)
    broken_keys: set[int] = set()
    trie = NamesTrie(len(read.numbers))
    for place, (row, sequence) in enumerate(zip(read.rows, read.sequences, strict=True)):
        if not sequence:
            continue
        key = row_keys[place] = trie.add(sequence, len(names))
        if key == len(names):
            names.append([])
        names[key].append(row)
        if PHRASE_END.search(row.text):
            broken_keys.add(key)
    return names, row_keys, broken_keys, trie


def _bags(read: _Names, trie: NamesTrie, classes: Sequence[int]) -> dict[int, tuple[Bag, set[int]]]:
    """Key → the bag of its words, and the entities whose synonym it is; keys without one left out."""
    bags: dict[int, tuple[Bag, set[int]]] = {}
    for row, sequence, movable in zip(read.rows, read.sequences, read.movable, strict=True):
        bag = bag_of(classes[number] for number in movable)
        if bag:
            _, entities = bags.setdefault(trie.add(sequence, NO_KEY), (bag, set()))
            if row.kind in SYNONYM_KINDS:
                entities.add(row.entity)
    return bags


def _substitutions(bags: dict[int, tuple[Bag, set[int]]]) -> dict[int, Keys]:
    by_entity: defaultdict[int, list[Bag]] = defaultdict(list)
    for bag, entities in bags.values():
        for entity in entities:
            by_entity[entity].append(bag)
    return learn_substitutions(by_entity.values())


def _in_any_order(
    bags: dict[int, tuple[Bag, set[int]]], substitutions: Mapping[int, Keys], word_count: int
) -> UnorderedIndex:
    unordered = UnorderedIndex(word_count)
    for key, (bag, _) in bags.items():
        unordered.add(bag, key)
    as_written = frozenset(unordered.keys)
    for key, (bag, _) in bags.items():
        for variant in variants(bag, substitutions):
            if unordered.sum_of(variant) not in as_written:
                unordered.add(variant, key)
    return unordered
