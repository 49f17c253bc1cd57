"""Does an arm answer the same fact alike, whatever the phrasing? (Elazar et al. 2021, ParaRel.)

Legend: n questions, f facts asked in several phrasings, p pairs of phrasings of one fact.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .answered_pools import AnsweredPool
from .arm_roles import REPEAT
from .cluster_bootstrap import Values
from .numbers import interval_entry, rounded
from .statistics import accuracy_interval

MOST_PHRASINGS = 20  # that are listed one by one, those asked most often

Json = dict[str, Any]


@dataclass(frozen=True)
class _Phrasings:
    """The questions about facts that were asked in several phrasings.

    `questions` (n',) are their numbers in the pool and `fact` (n',) the number of each one's fact;
    `first` and `second` (p,) are the numbers of two questions about one fact, `pair_fact` (p,) its
    number; `clusters` (f,).
    """

    questions: NDArray[np.intp]
    fact: NDArray[np.intp]
    first: NDArray[np.intp]
    second: NDArray[np.intp]
    pair_fact: NDArray[np.intp]
    clusters: NDArray[np.int64]


def consistency(pools: Mapping[str, AnsweredPool], names: Sequence[str]) -> list[Json]:
    """An entry for each pool and arm where facts were asked in two or more phrasings.

    `same_choice` is the share of pairs of phrasings under which the same option was chosen, every
    fact counting alike; `spread` is the accuracy under a relation's best phrasing minus that under
    its worst, averaged over relations (chance alone makes it larger than 0 on few facts).
    """
    return [
        {"pool": pool.pool, "arm": name, **_entry(pool, name, phrasings)}
        for pool in pools.values()
        if (phrasings := _phrasings(pool)) is not None
        for name in names
        if name in pool.arms and name != REPEAT
    ]


def _phrasings(pool: AnsweredPool) -> _Phrasings | None:
    by_fact: dict[str, list[int]] = {}
    for number, fact in enumerate(pool.facts):
        by_fact.setdefault(fact, []).append(number)
    several = [numbers for numbers in by_fact.values() if len(numbers) > 1]
    if not several:
        return None
    pairs = [
        (fact, first, second)
        for fact, numbers in enumerate(several)
        for first, second in combinations(numbers, 2)
    ]
    pair_fact, first, second = np.array(pairs).T
    return _Phrasings(
        questions=np.concatenate(several),
        fact=np.repeat(np.arange(len(several)), [len(numbers) for numbers in several]),
        first=first,
        second=second,
        pair_fact=pair_fact,
        clusters=pool.clusters[[numbers[0] for numbers in several]],
    )


def _entry(pool: AnsweredPool, arm: str, phrasings: _Phrasings) -> Json:
    seeds = pool.arms[arm]
    same = [given.chosen[phrasings.first] == given.chosen[phrasings.second] for given in seeds]
    both = [given.right[phrasings.first] * given.right[phrasings.second] for given in seeds]
    right = [given.right[phrasings.questions] for given in seeds]
    counts = np.bincount(phrasings.fact)
    sums = [np.bincount(phrasings.fact, row) for row in right]
    alike = _by_fact(np.mean(same, axis=0), phrasings)
    found = interval_entry(accuracy_interval(alike, phrasings.clusters), "same_choice")
    listed, spread = _by_phrasing(pool, np.mean(right, axis=0), phrasings)
    return {
        "facts": found.pop("n"),
        **found,
        "both_right": rounded(_by_fact(np.mean(both, axis=0), phrasings).mean()),
        "all_right": rounded(np.mean([total == counts for total in sums])),
        "any_right": rounded(np.mean([total > 0 for total in sums])),
        "phrasings": len(listed),
        "by_phrasing": listed[:MOST_PHRASINGS],
        "spread": spread,
    }


def _by_fact(values: Values, phrasings: _Phrasings) -> Values:
    """(f,) mean over each fact's pairs of phrasings."""
    return np.bincount(phrasings.pair_fact, values) / np.bincount(phrasings.pair_fact)


def _by_phrasing(
    pool: AnsweredPool, right: Values, phrasings: _Phrasings
) -> tuple[list[Json], float | None]:
    """Accuracy under each phrasing, most asked first, and the mean spread within a relation."""
    names, codes = np.unique(pool.templates[phrasings.questions], return_inverse=True)
    counts = np.bincount(codes)
    accuracy = np.bincount(codes, right) / counts
    order = sorted(range(len(names)), key=lambda at: (-counts[at], names[at]))
    listed = [
        {"template": str(names[at]), "accuracy": rounded(accuracy[at]), "n": int(counts[at])}
        for at in order
    ]
    _, relations = np.unique(pool.relations[phrasings.questions], return_inverse=True)
    used, places = np.unique(relations * len(names) + codes, return_inverse=True)
    means = np.bincount(places, right) / np.bincount(places)
    relation_of = used // len(names)  # of each relation and phrasing, in order
    starts = np.unique(relation_of, return_index=True)[1]
    ranges = np.maximum.reduceat(means, starts) - np.minimum.reduceat(means, starts)
    several = np.bincount(relation_of) > 1
    return listed, rounded(ranges[several].mean()) if several.any() else None
