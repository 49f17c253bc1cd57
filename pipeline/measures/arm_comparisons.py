"""Arms against the base, controls against their arms, and the base against itself."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from .answered_pools import AnsweredPool
from .arm_roles import BASE, CONTROLS, REPEAT, ControlPair
from .numbers import rounded
from .statistics import make_calls, paired_comparison, share_of_gain

ROUNDED = ("difference", "low", "high", "detectable")

Json = dict[str, Any]


def compare_arms(pools: Mapping[str, AnsweredPool], names: Sequence[str], seed: int) -> Json:
    """Every arm against the base and every control against its arm; one Holm family for all.

    The base asked again is no arm of the experiment: it stands under `repeat`.
    """
    comparisons = [
        {"arm": name, "baseline": BASE, "pool": key, **paired_entry(pool, BASE, name, seed)}
        for key, pool in pools.items()
        for name in names
        if name not in (BASE, REPEAT) and {name, BASE} <= set(pool.arms)
    ]
    controls = [
        _control(pools[pair.pool], pair, seed)
        for pair in CONTROLS
        if pair.pool in pools and {BASE, pair.arm, pair.control} <= set(pools[pair.pool].arms)
    ]
    declared = comparisons + controls
    calls = make_calls([(entry["clustered_p"], entry["low"], entry["high"]) for entry in declared])
    for entry, call in zip(declared, calls, strict=True):
        entry |= asdict(call)
    return {"comparisons": comparisons, "controls": controls, "repeat": _repeat(pools)}


def paired_entry(pool: AnsweredPool, before: str, after: str, seed: int) -> Json:
    """One arm against another in a pool."""
    found = asdict(paired_comparison(pool.right(before), pool.right(after), pool.clusters, seed))
    return {key: rounded(value) if key in ROUNDED else value for key, value in found.items()}


def _control(pool: AnsweredPool, pair: ControlPair, seed: int) -> Json:
    base, real, control = (pool.right(name) for name in (BASE, pair.arm, pair.control))
    share = share_of_gain(base, real, control, pool.clusters, seed)
    return {
        "control": pair.control,
        "arm": pair.arm,
        "pool": pair.pool,
        "gain": rounded(np.mean(control - base)),
        "real_gain": rounded(np.mean(real - base)),
        "share": None if share is None else rounded(share.estimate),
        "share_low": None if share is None else rounded(share.low),
        "share_high": None if share is None else rounded(share.high),
        **paired_entry(pool, pair.control, pair.arm, seed),
    }


def _repeat(pools: Mapping[str, AnsweredPool]) -> list[Json]:
    """A/A: in each pool, how many questions the base answered differently when asked again."""
    return [
        {
            "pool": key,
            "n": len(pool.facts),
            "changed": int(np.sum(pool.arms[BASE][0].chosen != pool.arms[REPEAT][0].chosen)),
            "difference": rounded(np.mean(pool.right(REPEAT) - pool.right(BASE))),
        }
        for key, pool in pools.items()
        if {BASE, REPEAT} <= set(pool.arms)
    ]
