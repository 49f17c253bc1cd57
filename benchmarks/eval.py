"""Scoring facts: infact against lm-pub-quiz and lm-evaluation-harness, each peer at its best batch.

    python benchmarks/eval.py CAUSAL [--masked ENCODER] [--facts 24] [--long-facts 6] [--turns 3]
                              [--json FILE]

CAUSAL is a causal model's folder; ENCODER a text encoder's, which gets a random output head: no side
is faster or slower for what the weights say. All sides score the same options of the same
statements in float32, in turns in one process; a ratio is the median over the turns of the side's
seconds over infact's. Choices are compared item by item, and every difference is printed with its gap.

  short       "The capital of France is [Y]." with 6 and with 26 options
  facts       the same after at least 128 tokens of facts
  ways        infact as it chooses against each of its ways alone, also on 2 and on long options:
              it should never take longer than scoring option by option, beyond 5 % of noise

The peers' batch sizes are chosen on some of the items, before the race. infact's costs of a pass are
measured before it, too; the seconds that takes are printed.
"""

import argparse
import json
import logging
import platform
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from eval_sides import (
    BATCH_TOKENS,
    LONG,
    Item,
    Scorer,
    Scores,
    harness,
    infact_causal,
    infact_masked,
    items,
    lm_pub_quiz,
    lm_pub_quiz_without_context,
    one_way,
)
from infact.models.base_model import load_causal_model, load_tokenizer
from infact.models.pass_costs import PassCosts, measure_costs
from transformers import AutoModelForMaskedLM

OURS = "infact"
BATCH_SIZES = (1, 8, 32, 64)
BUDGETS = (256, BATCH_TOKENS, 8192)  # of tokens, between which no choice may differ
SWEEP_SECONDS = 6.0  # a peer's batch size is chosen on as many items as take about so long


@dataclass(frozen=True)
class Side:
    """What one side did: `ratio` is its seconds over infact's; `differs` says where it chose otherwise."""

    name: str
    facts_per_second: float
    ratio: float
    differs: tuple[str, ...]


@dataclass(frozen=True)
class Race:
    title: str
    facts: int
    options: int
    sides: tuple[Side, ...]


def fastest(name: str, make: Callable[[int], Scorer], asked: Sequence[Item]) -> tuple[str, Scorer]:
    """A peer at the batch size that is fastest on some of the items, and what to call it."""
    started = time.perf_counter()
    make(BATCH_SIZES[1])(asked[:1])
    once = time.perf_counter() - started
    some = asked[: max(1, int(SWEEP_SECONDS / len(BATCH_SIZES) / once))]
    times = {}
    for size in BATCH_SIZES:
        scorer = make(size)
        started = time.perf_counter()
        scorer(some)
        times[size] = time.perf_counter() - started
    best = min(times, key=lambda size: times[size])
    return f"{name}, batch {best}", make(best)


def race(title: str, asked: Sequence[Item], sides: Mapping[str, Scorer], turns: int) -> Race:
    """Each side in turn, infact among them."""
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    scores: dict[str, Scores] = {}
    for turn in range(turns):
        names = list(sides) if turn % 2 == 0 else list(reversed(sides))
        for name in names:
            started = time.perf_counter()
            scores[name] = sides[name](asked)
            seconds[name].append(time.perf_counter() - started)
    own = np.array(seconds[OURS])
    found = tuple(
        Side(
            name,
            len(asked) / float(np.median(taken)),
            float(np.median(np.array(taken) / own)),
            differences(asked, scores[OURS], scores[name]),
        )
        for name, taken in seconds.items()
    )
    result = Race(title, len(asked), len(asked[0].options), found)
    show(result)
    return result


def differences(asked: Sequence[Item], own: Scores, other: Scores) -> tuple[str, ...]:
    """Items on which the two chose otherwise, with the gap by either's scores, in nats."""
    found = []
    for item, mine, theirs in zip(asked, own, other, strict=True):
        a, b = int(mine.argmax()), int(theirs.argmax())
        if a != b:
            gaps = f"{mine[a] - mine[b]:.1e} and {theirs[b] - theirs[a]:.1e} nats"
            found.append(f"{item.before}{item.options[a]} or {item.options[b]}: {gaps}")
    return tuple(found)


def show(result: Race) -> None:
    print(f"{result.title}: {result.facts} facts, {result.options} options", flush=True)
    for side in result.sides:
        alike = result.facts - len(side.differs)
        agreed = f"  {alike} of {result.facts} choices as infact's" if side.name != OURS else ""
        rate = f"{side.facts_per_second:8.2f} facts a second  {side.ratio:6.2f}"
        print(f"  {side.name:<36}{rate}{agreed}", flush=True)
        for difference in side.differs:
            print(f"      {difference}")


def causal_races(
    model: Any, tokenizer: Any, costs: PassCosts, given: argparse.Namespace, peers: Sequence[str]
) -> list[Race]:
    found = []
    for title, asked in (
        ("causal, short", items(given.facts, 6)),
        ("causal, short", items(given.facts, 26)),
        ("causal, facts", items(given.long_facts, 26, with_facts=True)),
    ):
        sides = {OURS: infact_causal(model, tokenizer, costs, BATCH_TOKENS)}
        if "lm_pub_quiz" in peers:
            make = lambda size: lm_pub_quiz(model, tokenizer, "CLM", size)  # noqa: E731
            sides |= [fastest("lm-pub-quiz", make, asked)]
        if "lm_eval" in peers:
            make = lambda size: harness(model, tokenizer, size)  # noqa: E731
            sides |= [fastest("lm-evaluation-harness", make, asked)]
        found.append(race(title, asked, sides, given.turns))
    return found


def way_races(
    model: Any, tokenizer: Any, costs: PassCosts, given: argparse.Namespace
) -> list[Race]:
    sides: dict[str, Scorer] = {OURS: infact_causal(model, tokenizer, costs, BATCH_TOKENS)}
    for way in ("tree", "shared", "one by one"):
        sides[way] = one_way(model, tokenizer, costs, way)
    few = max(1, given.facts // 2)
    return [
        race(title, asked, sides, given.turns)
        for title, asked in (
            ("ways, short", items(given.facts, 2)),
            ("ways, short", items(given.facts, 6)),
            ("ways, short", items(given.facts, 26)),
            ("ways, long options", items(few, 2, tail=LONG)),
            ("ways, longer options", items(max(1, few // 4), 6, tail=8 * LONG)),
            ("ways, facts", items(given.long_facts, 2, with_facts=True)),
            ("ways, facts", items(given.long_facts, 26, with_facts=True)),
        )
    ]


def masked_races(
    model: Any, tokenizer: Any, given: argparse.Namespace, peers: Sequence[str]
) -> list[Race]:
    found = []
    few = max(1, given.long_facts // 2)
    for title, asked, make in (
        ("masked, short", items(given.facts, 6), pub_quiz_masked),
        ("masked, short", items(max(1, given.facts // 2), 26), pub_quiz_masked),
        ("masked, facts", items(few, 26, with_facts=True), lm_pub_quiz_without_context),
    ):
        sides = {OURS: infact_masked(model, tokenizer, BATCH_TOKENS)}
        if "lm_pub_quiz" in peers:
            of_size = lambda size, make=make: make(model, tokenizer, size)  # noqa: E731
            sides |= [fastest("lm-pub-quiz", of_size, asked)]
        found.append(race(title, asked, sides, given.turns))
    return found


def pub_quiz_masked(model: Any, tokenizer: Any, size: int) -> Scorer:
    return lm_pub_quiz(model, tokenizer, "MLM", size)


def batch_differences(make: Callable[[int], Scorer], asked: Sequence[Item]) -> int:
    """On how many items infact's choice isn't the same at every batch size."""
    chosen = [[int(own.argmax()) for own in make(budget)(asked)] for budget in BUDGETS]
    return sum(len(set(of_item)) > 1 for of_item in zip(*chosen, strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("causal", type=Path)
    parser.add_argument("--masked", type=Path)
    parser.add_argument("--facts", type=int, default=24)
    parser.add_argument("--long-facts", type=int, default=6)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    began = time.perf_counter()
    peers = [name for name in ("lm_pub_quiz", "lm_eval") if find_spec(name)]
    packages = ["torch", "transformers", *(name.replace("_", "-") for name in peers)]
    versions = {"python": platform.python_version()} | {name: version(name) for name in packages}
    told = ", ".join(f"{name} {number}" for name, number in versions.items())
    print(f"{told}, {torch.get_num_threads()} threads, float32")
    print("last number: the side's seconds over infact's, median of the turns\n")
    tokenizer = load_tokenizer(given.causal)
    model = load_causal_model(given.causal, torch.float32)
    started = time.perf_counter()
    costs = measure_costs(model)
    measured = time.perf_counter() - started
    print(
        f"measured in {measured:.1f} s: a pass costs {1000 * costs.per_pass:.1f} ms, "
        f"a token {1000 * costs.per_token:.2f} ms, a pair {1e6 * costs.per_pair:.2f} µs\n"
    )
    races = causal_races(model, tokenizer, costs, given, peers)
    races += way_races(model, tokenizer, costs, given)
    asked = items(given.facts, 6) + items(given.long_facts, 6, with_facts=True)
    sized = lambda budget: infact_causal(model, tokenizer, costs, budget)  # noqa: E731
    differing = {"causal": batch_differences(sized, asked)}
    if given.masked:
        torch.manual_seed(0)  # of the output head
        words = load_tokenizer(given.masked)
        encoder = AutoModelForMaskedLM.from_pretrained(given.masked, local_files_only=True).eval()
        races += masked_races(encoder, words, given, peers)
        sized = lambda budget: infact_masked(encoder, words, budget)  # noqa: E731
        differing["masked"] = batch_differences(sized, items(given.facts, 6))
    print(f"choices that differ between batches of {BUDGETS} tokens: {differing}")
    print(f"{time.perf_counter() - began:.0f} s in all")
    if given.json:
        document = {
            "versions": versions,
            "threads": torch.get_num_threads(),
            "costs": asdict(costs),
            "races": [asdict(of) for of in races],
            "differing_between_batches": differing,
        }
        given.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
