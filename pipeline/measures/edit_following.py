"""When the graph is edited, does the answer follow? Pools S (swapped) and D (deleted)."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...kg.questions.pools import DELETED, SWAPPED
from .answered_pools import AnsweredPool, SeedAnswers
from .arm_roles import BASE, REPEAT
from .cluster_bootstrap import Values
from .numbers import interval_entry
from .statistics import accuracy_interval

Json = dict[str, Any]


def edit_following(pools: Mapping[str, AnsweredPool], names: Sequence[str]) -> list[Json]:
    """For each arm asked about edited facts: shares with intervals, None where not measured.

    `followed` is the share of swapped facts answered by the graph's new object, `stayed` by its old
    one; `returned` the share of deleted facts on which the arm chooses what the base chooses.
    """
    swapped, deleted = pools.get(SWAPPED), pools.get(DELETED)
    entries = []
    for name in names:
        followed = stayed = returned = None
        if swapped is not None and name in swapped.arms:
            seeds = swapped.arms[name]
            followed = _share(swapped, [given.right for given in seeds])
            stayed = _share(swapped, [given.chosen == swapped.before for given in seeds])
        if deleted is not None and name != BASE and {name, BASE} <= set(deleted.arms):
            returned = _share(deleted, _as_the_base(deleted, name))
        if name != REPEAT and (followed or returned):
            entries.append(
                {"arm": name, "followed": followed, "stayed": stayed, "returned": returned}
            )
    return entries


def _as_the_base(pool: AnsweredPool, arm: str) -> list[Values]:
    """Whether each seed chose as the base with that seed, or its first one, did."""
    base: dict[int, SeedAnswers] = {given.seed: given for given in pool.arms[BASE]}
    first = pool.arms[BASE][0]
    return [given.chosen == base.get(given.seed, first).chosen for given in pool.arms[arm]]


def _share(pool: AnsweredPool, by_seed: Sequence[Values]) -> Json:
    values = np.mean(by_seed, axis=0)
    return interval_entry(accuracy_interval(values, pool.clusters), "share")
