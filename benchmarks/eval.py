"""Scoring facts: infact against lm-pub-quiz and lm-evaluation-harness, each peer at its best batch.

    python benchmarks/eval.py CAUSAL [--masked ENCODER] [--facts 40] [--turns 2]

CAUSAL is a causal model's folder; ENCODER a text encoder's, which gets a random output head: no peer
is faster or slower for what the weights say. All sides score the same options of the same
statements in float32, turn by turn in one process, and their choices are compared item by item.

  short 6, short 26   "The capital of France is [Y]." with 6 and 26 options
  facts 26            the same after at least 128 tokens of facts
"""

import argparse
import json
import logging
import platform
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import infact
import numpy as np
import torch
from infact.models.base_model import load_causal_model, load_tokenizer
from infact.models.masked_scoring import pseudo_log_likelihoods
from infact.models.statement_scoring import statement_log_likelihoods
from transformers import AutoModelForMaskedLM

CAPITALS = Path(infact.__file__).parent / "data" / "general" / "facts.jsonl"
BATCH_SIZES = (1, 8, 32, 64)
SWEEP = 6  # items on which a peer's batch size is chosen
FACT_LINES = 22  # 128 tokens and more
BATCH_TOKENS = 2048

Scores = list[np.ndarray]
Scorer = Callable[[Sequence["Item"]], Scores]


@dataclass(frozen=True)
class Item:
    """A statement with a slot, its options, and what is read before it."""

    context: str
    before: str
    options: tuple[str, ...]
    after: str

    @property
    def statements(self) -> list[str]:
        return [f"{self.before}{option}{self.after}" for option in self.options]


def items(count: int, option_count: int, with_facts: bool) -> list[Item]:
    """The first `count` capitals; the options are the first `option_count` ones and the answer."""
    rows = [json.loads(line) for line in CAPITALS.read_text(encoding="utf-8").splitlines()]
    pairs = [(row["subject"], row["answer"]) for row in rows if row["topic"] == "capital"]
    found = []
    for number, (country, capital) in enumerate(pairs[:count]):
        others = [other for _, other in pairs if other != capital][: option_count - 1]
        told = [pairs[(number + 7 * step) % len(pairs)] for step in range(FACT_LINES)]
        lines = "".join(f"{place}, capital: {city}.\n" for place, city in told)
        found.append(
            Item(
                f"Facts:\n{lines}\n" if with_facts else "",
                f"The capital of {country} is ",
                tuple(sorted([capital, *others])),
                ".",
            )
        )
    return found


def ours(model: Any, tokenizer: Any, masked: bool) -> Scorer:
    score = pseudo_log_likelihoods if masked else statement_log_likelihoods

    def run(asked: Sequence[Item]) -> Scores:
        contexts = [item.context for item in asked]
        return score(model, tokenizer, [i.statements for i in asked], contexts, BATCH_TOKENS)

    return run


def lm_pub_quiz(model: Any, tokenizer: Any, kind: str, batch_size: int) -> Scorer:
    from lm_pub_quiz import Evaluator

    evaluator = Evaluator.from_model(model, model_type=kind, tokenizer=tokenizer, device="cpu")

    def run(asked: Sequence[Item]) -> Scores:
        return [
            np.array(
                evaluator.evaluate_instance(
                    template=f"{item.context}{item.before}[Y]{item.after}",
                    answers=item.options,
                    reduction="sum",
                    batch_size=batch_size,
                )
            )
            for item in asked
        ]

    return run


def harness(model: Any, tokenizer: Any, batch_size: int) -> Scorer:
    from lm_eval.api.instance import Instance
    from lm_eval.models.huggingface import HFLM

    # The same first token as the other two.
    scorer = HFLM(
        model, tokenizer=tokenizer, batch_size=batch_size, add_bos_token=True, device="cpu"
    )

    def run(asked: Sequence[Item]) -> Scores:
        requests = [
            Instance(
                "loglikelihood",
                {},
                (item.context + item.before.rstrip(), f" {option}{item.after}"),
                number,
            )
            for number, item in enumerate(asked)
            for option in item.options
        ]
        found = iter(scorer.loglikelihood(requests, disable_tqdm=True))
        return [np.array([next(found)[0] for _ in item.options]) for item in asked]

    return run


def fastest(make: Callable[[int], Scorer], asked: Sequence[Item]) -> tuple[int, Scorer]:
    """The peer at the batch size that is fastest on some of the items."""
    times = {}
    for size in BATCH_SIZES:
        scorer = make(size)
        started = time.perf_counter()
        scorer(asked[:SWEEP])
        times[size] = time.perf_counter() - started
    best = min(times, key=lambda size: times[size])
    return best, make(best)


def race(title: str, asked: Sequence[Item], sides: dict[str, Scorer], turns: int) -> None:
    """Each side in turn; facts a second, the ratio, and the choices that agree."""
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    scores: dict[str, Scores] = {}
    for _ in range(turns):
        for name, scorer in sides.items():
            started = time.perf_counter()
            scores[name] = scorer(asked)
            seconds[name].append(time.perf_counter() - started)
    print(f"{title}: {len(asked)} facts, {len(asked[0].options)} options")
    rates = {name: len(asked) / float(np.median(of)) for name, of in seconds.items()}
    own = scores["infact"]
    for name, rate in rates.items():
        alike = sum(a.argmax() == b.argmax() for a, b in zip(own, scores[name], strict=True))
        agreed = f"{alike} of {len(asked)} choices as infact's" if name != "infact" else ""
        print(f"  {name:<32} {rate:7.2f} facts a second  {rates['infact'] / rate:6.2f}  {agreed}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("causal", type=Path)
    parser.add_argument("--masked", type=Path)
    parser.add_argument("--facts", type=int, default=40)
    parser.add_argument("--turns", type=int, default=2)
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    peers = [name for name in ("lm_pub_quiz", "lm_eval") if find_spec(name)]
    packages = ["torch", "transformers", *(name.replace("_", "-") for name in peers)]
    told = ", ".join(f"{name} {version(name)}" for name in packages)
    print(f"python {platform.python_version()}, {told}, {torch.get_num_threads()} threads, float32")
    print("last column but one: infact's rate over the side's\n")
    model, tokenizer = (
        load_causal_model(arguments.causal, torch.float32),
        load_tokenizer(arguments.causal),
    )
    for option_count, with_facts in ((6, False), (26, False), (26, True)):
        asked = items(arguments.facts, option_count, with_facts)
        sides: dict[str, Scorer] = {"infact": ours(model, tokenizer, masked=False)}
        if "lm_pub_quiz" in peers:
            size, found = fastest(lambda n: lm_pub_quiz(model, tokenizer, "CLM", n), asked)
            sides[f"lm-pub-quiz, batch {size}"] = found
        if "lm_eval" in peers:
            size, found = fastest(lambda n: harness(model, tokenizer, n), asked)
            sides[f"lm-evaluation-harness, batch {size}"] = found
        race(f"causal, {'facts' if with_facts else 'short'}", asked, sides, arguments.turns)
    if arguments.masked:
        race_masked(arguments, "lm_pub_quiz" in peers)


def race_masked(arguments: argparse.Namespace, with_peer: bool) -> None:
    torch.manual_seed(0)  # of the output head
    tokenizer = load_tokenizer(arguments.masked)
    model = AutoModelForMaskedLM.from_pretrained(arguments.masked, local_files_only=True).eval()
    for option_count in (6, 26):
        asked = items(arguments.facts, option_count, with_facts=False)
        sides = {"infact": ours(model, tokenizer, masked=True)}
        if with_peer:
            size, found = fastest(lambda n: lm_pub_quiz(model, tokenizer, "MLM", n), asked)
            sides[f"lm-pub-quiz, batch {size}"] = found
        race("masked, short", asked, sides, arguments.turns)


if __name__ == "__main__":
    main()
