"""Word substitutions that a graph teaches by itself: kidney ↔ renal, abnormality ↔ anomaly.

Where two names of one entity differ in one word, the two words meant the same there. Pairs that do
so for several entities are trusted, and each name is also looked for with one such word replaced.
No list of synonyms is shipped: the graph's own names, in its own language, are the evidence.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations

MIN_ENTITIES = 3  # that show a pair; benchmarks/link.py
MAX_NAMES = 24  # of one entity compared with each other
MAX_PARTNERS = 6  # of one word, the best attested

Bag = tuple[int, ...]  # sorted word numbers of one name, without stop words


def learn_substitutions(bags_by_entity: Iterable[Iterable[Bag]]) -> dict[int, tuple[int, ...]]:
    """Return word → words that may stand in its place, best attested first.

    Args:
        bags_by_entity: for each entity, the bags of its names.
    """
    attested: Counter[tuple[int, int]] = Counter()
    for bags in bags_by_entity:
        attested.update(set(_differing_words(sorted(set(bags))[:MAX_NAMES])))
    partners: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for (first, second), count in attested.items():
        if count >= MIN_ENTITIES:
            partners[first].append((-count, second))
            partners[second].append((-count, first))
    return {
        word: tuple(partner for _, partner in sorted(found)[:MAX_PARTNERS])
        for word, found in partners.items()
    }


def variants(bag: Bag, substitutions: Mapping[int, Sequence[int]]) -> Iterator[Bag]:
    """Yield the bag with each of its words replaced in turn by each of that word's partners."""
    for position, word in enumerate(bag):
        rest = bag[:position] + bag[position + 1 :]
        for partner in substitutions.get(word, ()):
            if partner not in rest:
                yield tuple(sorted((*rest, partner)))


def _differing_words(bags: Sequence[Bag]) -> Iterator[tuple[int, int]]:
    for first, second in combinations(bags, 2):
        if len(first) != len(second) or len(first) < 2:
            continue
        only_first = set(first).difference(second)
        only_second = set(second).difference(first)
        if len(only_first) == 1 == len(only_second):
            one, other = only_first.pop(), only_second.pop()
            yield min(one, other), max(one, other)
