"""The report as data: answers, costs, facts and manifests become one JSON-able dictionary.

The page, the Markdown and the table on the terminal only write what stands here, so they can't
disagree. Shares are rounded to four decimals once, here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from .artifacts import Manifest
from .paired_answers import PoolAnswers, align_answers
from .report_arms import BASE, CONTROLS, ControlPair, arm_kind, in_order, pool_kind
from .report_checks import Target, check_targets
from .report_provenance import describe_provenance
from .report_samples import sample_facts
from .report_verdict import LIMITATIONS, verdict
from .report_words import clean_text
from .statistics import (
    CONFIDENCE,
    Interval,
    PairedComparison,
    accuracy_interval,
    holm,
    paired_comparison,
    share_of_gain,
)

FORMAT = "infact report 1"
SIGNIFICANCE = 1 - CONFIDENCE
DECIMALS = 4

Json = dict[str, Any]


@dataclass(frozen=True)
class ReportInputs:
    """What a report is made from.

    Args:
        title: the project's name.
        answers: answers.parquet of the eval stage.
        facts: facts.parquet of the facts stage.
        costs: costs.json, by arm.
        perplexity: perplexity.json, by arm.
        sources: sources.json of the graph.
        manifests: of the stages that led here, by stage.
        model: the base model as the project file names it.
        primary: arm and pool of the comparison that counts as the result.
        seed: of the bootstrap and of the sample facts.
        targets: what the run is held to.
    """

    title: str
    answers: pa.Table
    facts: pa.Table
    costs: Mapping[str, Json]
    perplexity: Mapping[str, Json]
    sources: Sequence[Json]
    manifests: Mapping[str, Manifest]
    model: str
    primary: tuple[str, str]
    seed: int
    targets: tuple[Target, ...] = ()


def build_report(inputs: ReportInputs) -> Json:
    """Everything that the report says, in numbers and sentences.

    Raises:
        UserError: arms answered different facts (see paired_answers.py).
    """
    pools = align_answers(inputs.answers)
    names = in_order(list(dict.fromkeys(arm for pool in pools.values() for arm in pool.right)))
    seeds = sorted(set(inputs.answers["seed"].to_pylist()))
    report: Json = {
        "format": FORMAT,
        "title": clean_text(inputs.title),
        "seeds": seeds,
        "seed_words": "one seed" if len(seeds) == 1 else f"{len(seeds)} seeds",
        "confidence": CONFIDENCE,
        "primary": {"arm": inputs.primary[0], "pool": inputs.primary[1]},
        "pools": [_describe_pool(pool) for pool in pools.values()],
        "arms": [_describe_arm(name, pools, inputs) for name in names],
        **_compare(pools, names, inputs.seed),
        "slices": [row for pool in pools.values() for row in _slices(pool, names)],
    }
    report["checks"] = check_targets(report, inputs.targets)
    report["samples"] = sample_facts(inputs.answers, inputs.facts, pools, names, inputs.seed)
    report["provenance"] = describe_provenance(
        inputs.sources, inputs.manifests, inputs.model, inputs.seed
    )
    report["verdict"] = verdict(report)
    report["limitations"] = list(LIMITATIONS)
    return report


def _describe_pool(pool: PoolAnswers) -> Json:
    kind = pool_kind(pool.pool)
    return {
        "pool": pool.pool,
        "name": kind.name,
        "asks": kind.asks,
        "questions": len(pool.questions),
        "facts": len({fact for fact, _ in pool.questions}),
        "subjects": len(np.unique(pool.clusters)),
        "chance": round(pool.chance, DECIMALS),
    }


def _describe_arm(name: str, pools: Mapping[str, PoolAnswers], inputs: ReportInputs) -> Json:
    kind = arm_kind(name)
    return {
        "name": clean_text(name),
        "role": kind.role,
        "description": kind.description,
        "pools": {
            key: _accuracies(pool, name) for key, pool in pools.items() if name in pool.right
        },
        "cost": inputs.costs.get(name),
        "perplexity": inputs.perplexity.get(name),
    }


def _accuracies(pool: PoolAnswers, arm: str) -> Json:
    chosen = _interval(accuracy_interval(pool.right[arm], pool.clusters))
    by_seed = list(pool.seed_accuracy[arm].values())
    deviation = round(float(np.std(by_seed, ddof=1)), DECIMALS) if len(by_seed) > 1 else None
    free = None
    if arm in pool.generated:
        asked = ~np.isnan(pool.generated[arm])
        values = pool.generated[arm][asked]
        disagreement = np.mean((values > 0.5) != (pool.right[arm][asked] > 0.5))
        free = {
            **_interval(accuracy_interval(values, pool.clusters[asked])),
            "disagreement": round(float(disagreement), DECIMALS),
        }
    return {**chosen, "seed_deviation": deviation, "generation": free}


def _interval(interval: Interval) -> Json:
    return {
        "accuracy": round(interval.estimate, DECIMALS),
        "low": round(interval.low, DECIMALS),
        "high": round(interval.high, DECIMALS),
        "n": interval.n,
    }


def _compare(pools: Mapping[str, PoolAnswers], names: list[str], seed: int) -> Json:
    """Every arm against the base and every control against its arm; one Holm family for all."""
    comparisons = [
        {"arm": clean_text(name), "baseline": BASE, "pool": key, **_paired(pool, BASE, name, seed)}
        for key, pool in pools.items()
        for name in names
        if name != BASE and name in pool.right and BASE in pool.right
    ]
    controls = [
        _control(pools[pair.pool], pair, seed)
        for pair in CONTROLS
        if pair.pool in pools and {BASE, pair.arm, pair.control} <= set(pools[pair.pool].right)
    ]
    declared = comparisons + controls
    corrected = holm([entry["mcnemar_p"] for entry in declared])
    for entry, p in zip(declared, corrected, strict=True):
        entry["holm_p"] = p
        apart = entry["low"] > 0 or entry["high"] < 0
        entry["beyond_chance"] = bool(p < SIGNIFICANCE and apart)
    return {"comparisons": comparisons, "controls": controls}


def _paired(pool: PoolAnswers, before: str, after: str, seed: int) -> Json:
    pair: PairedComparison = paired_comparison(
        pool.right[before], pool.right[after], pool.clusters, seed
    )
    rounded = ("difference", "low", "high", "detectable")
    return {
        key: round(value, DECIMALS) if key in rounded else value
        for key, value in asdict(pair).items()
    }


def _control(pool: PoolAnswers, pair: ControlPair, seed: int) -> Json:
    base, real, control = (pool.right[name] for name in (BASE, pair.arm, pair.control))
    share = share_of_gain(base, real, control, pool.clusters, seed)
    return {
        "control": pair.control,
        "arm": pair.arm,
        "pool": pair.pool,
        "gain": round(float(np.mean(control - base)), DECIMALS),
        "real_gain": round(float(np.mean(real - base)), DECIMALS),
        "share": None if share is None else round(share.estimate, DECIMALS),
        "share_low": None if share is None else round(share.low, DECIMALS),
        "share_high": None if share is None else round(share.high, DECIMALS),
        **_paired(pool, pair.control, pair.arm, seed),
    }


def _slices(pool: PoolAnswers, names: list[str]) -> list[Json]:
    labels, counts = np.unique(pool.relations, return_counts=True)
    return [
        {
            "relation": clean_text(str(label)) or "without a relation",
            "pool": pool.pool,
            "n": int(n),
            "arms": {
                clean_text(name): _interval(
                    accuracy_interval(
                        pool.right[name][pool.relations == label],
                        pool.clusters[pool.relations == label],
                    )
                )
                for name in names
                if name in pool.right
            },
        }
        for label, n in sorted(zip(labels, counts, strict=True), key=lambda row: -row[1])
    ]
