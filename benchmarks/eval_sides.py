"""What benchmarks/eval.py races: the items, infact in each of its ways, and the peers."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import infact
import numpy as np
from infact.models.masked_scoring import masked_rows, pseudo_log_likelihoods
from infact.models.option_scoring import option_scores
from infact.models.pass_costs import PassCosts
from infact.models.read_out import own_read_out
from infact.models.scoring_ways import Planner, Way, planned_states
from infact.models.statement_scoring import statement_log_likelihoods, statement_tree

CAPITALS = Path(infact.__file__).parent / "data" / "general" / "facts.jsonl"
FACT_LINES = 22  # 128 tokens and more
BATCH_TOKENS = 2048
LONG = ", a city with a long history that many travellers from near and far have written about"

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


def items(count: int, option_count: int, with_facts: bool = False, tail: str = "") -> list[Item]:
    """The first `count` capitals; the options are the first `option_count` ones and the answer.

    Args:
        count: of items.
        option_count: of options.
        with_facts: whether facts, the answer not among them, are read before each.
        tail: what is added to each option.
    """
    rows = [json.loads(line) for line in CAPITALS.read_text(encoding="utf-8").splitlines()]
    pairs = [(row["subject"], row["answer"]) for row in rows if row["topic"] == "capital"]
    found = []
    for number, (country, capital) in enumerate(pairs[:count]):
        others = [other for _, other in pairs if other != capital][: option_count - 1]
        told = [pairs[(number + 7 * step) % len(pairs)] for step in range(1, FACT_LINES + 1)]
        lines = "".join(f"{place}, capital: {city}.\n" for place, city in told)
        options = tuple(city + tail for city in sorted([capital, *others]))
        context = f"Facts:\n{lines}\n" if with_facts else ""
        found.append(Item(context, f"The capital of {country} is ", options, "."))
    return found


def infact_causal(model: Any, tokenizer: Any, costs: PassCosts, budget: int) -> Scorer:
    """infact as users get it: the way chosen by cost, near ties settled."""

    def run(asked: Sequence[Item]) -> Scores:
        statements, contexts = [i.statements for i in asked], [i.context for i in asked]
        return statement_log_likelihoods(model, tokenizer, statements, contexts, budget, costs)

    return run


def one_way(model: Any, tokenizer: Any, costs: PassCosts, way: Way) -> Scorer:
    """infact confined to one way of scoring, near ties left as they are."""

    def run(asked: Sequence[Item]) -> Scores:
        trees = [statement_tree(tokenizer, item.statements, item.context) for item in asked]
        plan = Planner(trees, costs, BATCH_TOKENS, frozenset({way})).plan()
        states = planned_states(model, trees, plan, BATCH_TOKENS, lambda done: None)
        return option_scores(model, states, trees, [own_read_out])[0]

    return run


def infact_masked(model: Any, tokenizer: Any, budget: int) -> Scorer:
    def run(asked: Sequence[Item]) -> Scores:
        statements, contexts = [i.statements for i in asked], [i.context for i in asked]
        return pseudo_log_likelihoods(model, tokenizer, statements, contexts, budget)

    return run


def lm_pub_quiz(model: Any, tokenizer: Any, kind: str, batch_size: int) -> Scorer:
    """lm-pub-quiz as it comes: of a masked model it scores the context's tokens as well."""
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


def lm_pub_quiz_without_context(model: Any, tokenizer: Any, batch_size: int) -> Scorer:
    """lm-pub-quiz's masked scorer told to score the statement's tokens only, as infact does.

    As it comes it would mask every token of the facts too: many times the work, another measure.
    """
    from lm_pub_quiz import Evaluator

    evaluator: Any = Evaluator.from_model(
        model, model_type="MLM", tokenizer=tokenizer, device="cpu"
    )

    def run(asked: Sequence[Item]) -> Scores:
        found = []
        for item in asked:
            texts = [item.context + statement for statement in item.statements]
            batch = tokenizer(
                texts,
                return_tensors="pt",
                padding=True,
                return_special_tokens_mask=True,
                return_length=True,
            )
            masks = np.zeros(batch["input_ids"].shape, dtype=bool)
            for number, statement in enumerate(item.statements):
                rows = masked_rows(tokenizer, statement, item.context)
                masks[number, [row.place for row in rows]] = True
            scores = evaluator.score_statements(
                batch, scoring_masks=masks.tolist(), batch_size=batch_size
            )
            found.append(np.array([sum(own) for own in scores]))
        return found

    return run


def harness(model: Any, tokenizer: Any, batch_size: int) -> Scorer:
    from lm_eval.api.instance import Instance
    from lm_eval.models.huggingface import HFLM

    scorer = HFLM(model, tokenizer=tokenizer, batch_size=batch_size, device="cpu")
    # The same first token as the other two, in words: asked for by `add_bos_token`, it is missing
    # where a tokenizer knows the token and doesn't add it (SmolLM2's).
    begin = tokenizer.bos_token or ""

    def run(asked: Sequence[Item]) -> Scores:
        requests = [
            Instance(
                "loglikelihood",
                {},
                (begin + item.context + item.before.rstrip(), f" {option}{item.after}"),
                number,
            )
            for number, item in enumerate(asked)
            for option in item.options
        ]
        found = iter(scorer.loglikelihood(requests, disable_tqdm=True))
        return [np.array([next(found)[0] for _ in item.options]) for item in asked]

    return run
