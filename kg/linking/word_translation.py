"""What words of one name become in another name of the same entity: high → increased, elevated.

IBM Model 1 (Brown et al. 1993, "The mathematics of statistical machine translation") over pairs of
an entity's names, with the words that both have left out: each word of the one is explained by the
words of the other, and expectation maximisation finds the probabilities. So `end part` becomes
`epiphysis` and `blood … levels` becomes `-emia` words, which no one-to-one replacement finds.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

ROUNDS = 4  # of expectation maximisation; later ones change little
MAX_NAMES = 12  # of one entity compared with each other
MIN_COUNT = 2.0  # expected times that a pair explains a word
MIN_PROBABILITY = 0.05
MAX_TRANSLATIONS = 6  # of one word, the likeliest

Pair = tuple[int, int]
Table = dict[int, tuple[tuple[int, float], ...]]


def learn_translations(names_by_entity: Iterable[Iterable[frozenset[int]]]) -> Table:
    """Return word → (word of another name, probability), likeliest first.

    Args:
        names_by_entity: for each entity its names, each as the classes of its words of meaning.
    """
    pairs = list(differences(names_by_entity))
    counts: Mapping[Pair, float] = {}
    table: Mapping[Pair, float] = {}
    for _ in range(ROUNDS):
        counts = expected_counts(pairs, table)
        totals: defaultdict[int, float] = defaultdict(float)
        for (word, _), count in counts.items():
            totals[word] += count
        table = {pair: count / totals[pair[0]] for pair, count in counts.items()}
    found: defaultdict[int, list[tuple[int, float]]] = defaultdict(list)
    for (word, other), probability in table.items():
        if counts[word, other] >= MIN_COUNT and probability >= MIN_PROBABILITY:
            found[word].append((other, probability))
    return {
        word: tuple(sorted(others, key=lambda pair: (-pair[1], pair[0]))[:MAX_TRANSLATIONS])
        for word, others in found.items()
    }


def differences(
    names_by_entity: Iterable[Iterable[frozenset[int]]],
) -> Iterable[tuple[Sequence[int], Sequence[int]]]:
    """Yield, in both directions, the words of one name that another lacks, and that one's own."""
    for names in names_by_entity:
        listed = sorted(set(names), key=sorted)[:MAX_NAMES]
        for first, second in combinations(listed, 2):
            left, right = sorted(first - second), sorted(second - first)
            if left and right:
                yield left, right
                yield right, left


def expected_counts(
    pairs: Iterable[tuple[Sequence[int], Sequence[int]]], table: Mapping[Pair, float]
) -> dict[Pair, float]:
    """How often each word is expected to explain each other one; all alike under an empty table."""
    counts: defaultdict[Pair, float] = defaultdict(float)
    for sources, targets in pairs:
        for target in targets:
            shares = [table.get((source, target), 0.0) for source in sources] if table else []
            total = sum(shares)
            for number, source in enumerate(sources):
                share = shares[number] / total if total else 1 / len(sources)
                if share:
                    counts[source, target] += share
    return counts
