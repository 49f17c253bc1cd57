"""What `benchmarks/fuse.py --json` wrote, as one table: means over seeds, with the least and the most.

    python benchmarks/fuse_table.py late-*.json attention-*.json

A row is an arm of a strategy; n is its number of seeds. Pools T, M, I and S in per cent right among ten
options; free answers to T, M and S in per cent right; KL in nats a token; seconds of training.
"""

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

Arm = Mapping[str, Any]
POOLS = ("T", "M", "I", "S")
FREE = ("T", "M", "S")
SHARED = ("base", "base + prompt")  # asked beside every strategy, of the same questions


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+", type=Path)
    runs = [run for path in parser.parse_args().files for run in json.loads(path.read_text())]
    rows: dict[str, dict[int, Arm]] = {}
    for run in runs:
        for arm, measured in run["arms"].items():
            rows.setdefault(_name(run, arm), {})[run["seed"]] = measured
    heads = "".join(f"{pool:>12}" for pool in POOLS) + "".join(
        f"{f'free {pool}':>12}" for pool in FREE
    )
    print(f"{'':<34}{'n':>2}{heads}{'KL':>8}{'trained':>9}")
    for name, by_seed in rows.items():
        arms = list(by_seed.values())
        pools = "".join(f"{_spread(arms, _right(pool)):>12}" for pool in POOLS)
        free = "".join(f"{_spread(arms, _freely(pool)):>12}" for pool in FREE)
        change, seconds = _mean(arms, "kl", 3), _mean(arms, "seconds", 0)
        print(f"{name:<34}{len(arms):>2}{pools}{free}{change:>8}{seconds:>8}s")


def _name(run: Mapping[str, Any], arm: str) -> str:
    if arm in SHARED:
        return arm
    said = run["strategy"]
    if run["vectors"] != "graph":
        said += f", {run['vectors']}"
    if run.get("predicted"):
        said += f", {run['predicted']} predicted"
    if run.get("swapped") != 0.5:
        said += f", {run.get('swapped', 0):g} swapped"
    if run.get("unrelated"):
        said += f", {run['unrelated']} unrelated"
    return said if arm == "fused" else f"{said}: {arm}"


def _right(pool: str) -> Callable[[Arm], float | None]:
    return lambda arm: arm["pools"].get(pool, {}).get("accuracy")


def _freely(pool: str) -> Callable[[Arm], float | None]:
    return lambda arm: arm["free"].get(pool)


def _spread(arms: Sequence[Arm], of: Callable[[Arm], float | None]) -> str:
    """Mean, and the least and the most where there are several."""
    found = [100 * value for arm in arms if (value := of(arm)) is not None]
    if not found:
        return "–"
    mean = f"{fmean(found):.0f}"
    return mean if len(found) == 1 else f"{mean} {min(found):.0f}–{max(found):.0f}"


def _mean(arms: Sequence[Arm], key: str, digits: int) -> str:
    found = [arm[key] for arm in arms if arm.get(key) is not None]
    return f"{fmean(found):.{digits}f}" if found else "–"


if __name__ == "__main__":
    main()
