"""The index of a graph's names: what the matcher looks words up in."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..questions.function_words import ORDER_STOP_WORDS
from .folding import PHRASE_END, fold_word, split_words
from .linking_scores import NameRow
from .name_variants import Bag, learn_substitutions, variants
from .names_trie import NamesTrie
from .spellings import Spellings, Vocabulary
from .unordered_names import UnorderedIndex, unordered_words
from .word_forms import WordForms, learn_endings

SYNONYM_KINDS = ("label", "exact")  # names of one entity that mean the same
MAX_NAME_WORDS = 40  # longer names are sentences

Keys = tuple[int, ...]


@dataclass(frozen=True)
class NameIndex:
    """Names by their words.

    Attributes:
        names: key → the names that fold to it.
        broken_keys: keys of names with a comma or bracket inside.
        trie: of the words of names in their order.
        unordered: of the classes of their words in any order.
        spellings: what words as they are written are to these names.
    """

    names: list[list[NameRow]]
    broken_keys: set[int]
    trie: NamesTrie
    unordered: UnorderedIndex
    spellings: Spellings


def build_index(rows: Sequence[NameRow]) -> NameIndex:
    """Index names; endings and replacements are learnt from the synonyms among them."""
    split = [split_words(row.text).raw for row in rows]
    vocabulary = Vocabulary()
    numbers = [list(map(vocabulary.add, raw)) for raw in split]
    endings = learn_endings(_names_by_entity(rows, split))
    forms = WordForms(vocabulary.numbers, endings)
    names, broken_keys, trie = _in_order(rows, numbers)
    bags = _bags(rows, split, numbers, trie, forms.classes)
    unordered = _in_any_order(bags, len(vocabulary.numbers))
    return NameIndex(names, broken_keys, trie, unordered, Spellings(vocabulary.numbers, forms))


def is_indexed(sequence: Sequence[int]) -> bool:
    """True for a name that has words, and not as many as a sentence."""
    return 0 < len(sequence) <= MAX_NAME_WORDS


def _in_order(
    rows: Sequence[NameRow], numbers: Sequence[Sequence[int]]
) -> tuple[list[list[NameRow]], set[int], NamesTrie]:
    names: list[list[NameRow]] = []
    broken_keys: set[int] = set()
    trie = NamesTrie(1 + max((max(sequence) for sequence in numbers if sequence), default=0))
    for row, sequence in zip(rows, numbers, strict=True):
        if not is_indexed(sequence):
            continue
        key = trie.add(sequence, len(names))
        if key == len(names):
            names.append([])
        names[key].append(row)
        if PHRASE_END.search(row.text):
            broken_keys.add(key)
    return names, broken_keys, trie


def _bags(
    rows: Sequence[NameRow],
    split: Sequence[Sequence[str]],
    numbers: Sequence[Sequence[int]],
    trie: NamesTrie,
    classes: Sequence[int],
) -> dict[int, tuple[Bag, set[int]]]:
    """Key → the bag of its words, and the entities whose synonym it is; keys without one left out."""
    bags: dict[int, tuple[Bag, set[int]]] = {}
    for row, raw, sequence in zip(rows, split, numbers, strict=True):
        if not is_indexed(sequence):
            continue
        key = trie.add(sequence, -1)
        if key not in bags:
            bag = unordered_words(raw, [classes[word] for word in sequence])
            if not bag:
                continue
            bags[key] = (bag, set())
        if row.kind in SYNONYM_KINDS:
            bags[key][1].add(row.entity)
    return bags


def _in_any_order(bags: dict[int, tuple[Bag, set[int]]], word_count: int) -> UnorderedIndex:
    unordered = UnorderedIndex(word_count)
    by_entity: defaultdict[int, list[Bag]] = defaultdict(list)
    for key, (bag, entities) in bags.items():
        unordered.add(bag, key)
        for entity in entities:
            by_entity[entity].append(bag)
    substitutions = learn_substitutions(by_entity.values())
    as_written = frozenset(unordered.keys)
    for key, (bag, _) in bags.items():
        for variant in variants(bag, substitutions):
            if unordered.sum_of(variant) not in as_written:
                unordered.add(variant, key)
    return unordered


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
