"""A small world of facts: entities with one object a relation, and a model whose states are clear."""

import copy
import re
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from infact.models.fact_memory import TokenFact
from infact.models.fusion_adapter import STRATEGIES
from infact.models.fusion_training import POINTERS

RELATIONS = ("capital", "continent", "currency", "river")
TRAINED_ON, ENTITIES = 100, 120  # the others are never trained on
SYLLABLES = ("ba", "do", "ki", "lu", "me", "no", "pa", "ri", "su", "ta", "ve", "zo")


# Of a test over both, in either order: "…[GPT2-attention]".
FAMILY_AND_STRATEGY = re.compile(
    r"test_(?:fused_model|pointers_on_families)\.py::.*\[(\w+)-(\w+)\]"
)


STRATEGY_NAMES = (*STRATEGIES, *POINTERS)


@dataclass(frozen=True)
class World:
    """Prompts, answers and facts: one row for each entity and relation."""

    prompts: list[str]
    answers: list[str]
    facts: list[list[TokenFact]]


@pytest.fixture(scope="module")
def calm_model(tiny_model):
    """A base whose states tell the current token clearly, as random layers at full size do not."""
    calm = copy.deepcopy(tiny_model)
    with torch.no_grad():
        for layer in calm.base_model.layers:
            layer.self_attn.o_proj.weight.mul_(0.1)
            layer.mlp.down_proj.weight.mul_(0.1)
    return calm


@pytest.fixture(scope="module")
def world(tiny_tokenizer) -> World:
    random = np.random.default_rng(5)

    def words() -> list[str]:
        """A word for each relation, no syllable in two: one entity's labels don't begin alike."""
        mixed = random.permutation(SYLLABLES).reshape(len(RELATIONS), -1)
        return ["".join(syllables).capitalize() for syllables in mixed]

    prompts, answers, facts = [], [], []
    for _ in range(ENTITIES):
        name, objects = words()[0], words()
        memory = [
            TokenFact(number, -1, tuple(tiny_tokenizer(f" {text}\n")["input_ids"]))
            for number, text in enumerate(objects)
        ]
        for relation, text in zip(RELATIONS, objects, strict=True):
            prompts.append(f"{name}, {relation}")
            answers.append(text)
            facts.append(memory)
    return World(prompts, answers, facts)


@pytest.fixture(scope="module")
def facts(tiny_tokenizer) -> list[TokenFact]:
    """Facts of three relations, the first without a vector."""
    labels = ("Oslo, Norway", "Lima", "Oslo", "Paris")
    return [
        TokenFact(number % 3, number - 1, tuple(tiny_tokenizer(f" {label}\n")["input_ids"]))
        for number, label in enumerate(labels)
    ]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The table of families and strategies: how many tests of each pair ran, and how many failed."""
    found: dict[str, dict[str, Counter[str]]] = {}
    for outcome in ("passed", "failed", "error"):
        for report in terminalreporter.stats.get(outcome, []):
            if match := FAMILY_AND_STRATEGY.search(getattr(report, "nodeid", "")):
                strategy, family = sorted(match.groups(), key=STRATEGY_NAMES.__contains__)[::-1]
                found.setdefault(family, {}).setdefault(strategy, Counter())[outcome] += 1
    if not found:
        return
    strategies = sorted({strategy for row in found.values() for strategy in row})
    terminalreporter.section("fusion strategies that ran on each family: tests passed")
    terminalreporter.write_line(f"{'':<12}" + "".join(f"{name:>13}" for name in strategies))
    for family, row in found.items():
        cells = (_cell(row.get(name, Counter())) for name in strategies)
        terminalreporter.write_line(f"{family:<12}" + "".join(f"{cell:>13}" for cell in cells))


def _cell(outcomes: Counter[str]) -> str:
    failed = outcomes["failed"] + outcomes["error"]
    return f"{outcomes['passed'] or '–'}" + (f", {failed} failed" if failed else "")
