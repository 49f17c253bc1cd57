"""Everything in a report that follows from its rows and from what the run declared.

`infact report` writes these sections and `infact verify` makes them again, so neither can say what
the rows don't.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ..artifacts import digest_of
from ..measures.answered_pools import AnsweredPool
from ..measures.arm_comparisons import compare_arms
from ..measures.arm_numbers import arm_numbers
from ..measures.arm_roles import BASE, arm_kind, in_order, pool_kind
from ..measures.edit_following import edit_following
from ..measures.numbers import rounded
from ..measures.phrasing_consistency import consistency
from ..measures.slice_accuracies import slice_accuracies
from ..measures.statistics import CONFIDENCE
from .targets import Target, check_targets
from .verdict import limitations, verdict

DIGEST_LENGTH = 16

Json = dict[str, Any]


@dataclass(frozen=True)
class Declared:
    """What a report's numbers follow from besides its rows.

    Args:
        primary: arm and pool of the comparison that counts as the result.
        targets: what the run is held to.
        seed: of the bootstrap.
        costs: of each arm, as recorded.
        perplexity: of each arm, as recorded.
        absent: arms that couldn't be asked, and why.
    """

    primary: tuple[str, str]
    targets: tuple[Target, ...]
    seed: int
    costs: Mapping[str, Json]
    perplexity: Mapping[str, Json]
    absent: Sequence[Json]


def derive(pools: Mapping[str, AnsweredPool], declared: Declared) -> Json:
    """The sections of a report by name.

    Args:
        pools: the report's rows, read.
        declared: by the project and by the stages before.
    """
    names = in_order(list(dict.fromkeys(arm for pool in pools.values() for arm in pool.arms)))
    seeds = sorted(
        {
            given.seed
            for pool in pools.values()
            for answers in pool.arms.values()
            for given in answers
        }
    )
    arm, pool = declared.primary
    report: Json = {
        "confidence": CONFIDENCE,
        "seeds": seeds,
        "seed_words": "one seed" if len(seeds) == 1 else f"{len(seeds)} seeds",
        "primary": {"arm": arm, "pool": pool, "declared": declared_digest(declared)},
        "pools": [_describe_pool(pool) for pool in pools.values()],
        "arms": [_describe_arm(name, pools, declared) for name in names],
        "absent": [dict(entry) for entry in declared.absent],
        **compare_arms(pools, names, declared.seed),
        "edits": edit_following(pools, names),
        "consistency": consistency(pools, names),
        "slices": slice_accuracies(pools, names),
    }
    report["checks"] = check_targets(report, declared.targets)
    report["verdict"] = verdict(report)
    report["limitations"] = limitations(report)
    return report


def declared_digest(declared: Declared) -> str:
    """Of what the project file declared before anything was measured: the result and its bounds."""
    arm, pool = declared.primary
    targets = [asdict(target) for target in declared.targets]
    document = {
        "arm": arm,
        "pool": pool,
        "base": BASE,
        "measure": "accuracy",
        "targets": targets,
    }
    return digest_of(document)[:DIGEST_LENGTH]


def _describe_pool(pool: AnsweredPool) -> Json:
    kind = pool_kind(pool.pool)
    return {
        "pool": pool.pool,
        "name": kind.name,
        "asks": kind.asks,
        "questions": len(pool.facts),
        "facts": len(set(pool.facts)),
        "subjects": len(set(pool.clusters.tolist())),
        "chance": rounded(pool.chance),
    }


def _describe_arm(name: str, pools: Mapping[str, AnsweredPool], declared: Declared) -> Json:
    kind = arm_kind(name)
    return {
        "name": name,
        "role": kind.role,
        "description": kind.description,
        "pools": {
            key: arm_numbers(pool, name, declared.seed)
            for key, pool in pools.items()
            if name in pool.arms
        },
        "cost": declared.costs.get(name),
        "perplexity": declared.perplexity.get(name),
    }
