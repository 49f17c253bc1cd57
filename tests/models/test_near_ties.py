"""The same option chosen in every batch, on numbers and on models whose options tie almost."""

from collections.abc import Iterable, Iterator

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from infact.models import masked_scoring, statement_scoring
from infact.models.near_ties import (
    CHECKED_FROM,
    TOLERANCE,
    relative_error,
    relative_gap,
    settle_near_ties,
    tolerance_of,
)
from infact.models.option_tree import OptionTree, merge_sequences
from infact.models.pass_costs import PassCosts
from infact.models.statement_scoring import tree_log_likelihoods
from transformers import BertConfig, BertForMaskedLM, LlamaConfig, LlamaForCausalLM

FLOAT = torch.float32
BATCH_TOKENS = (1, 60, 4096)
COSTS = [PassCosts(0.0, 1.0, 0.0), PassCosts(1e6, 1.0, 0.0), PassCosts(0.0, 0.0, 1.0)]


def chosen(scores: list[np.ndarray]) -> list[int]:
    return [int(own.argmax()) for own in scores]


@given(
    canonical=st.lists(
        st.lists(st.integers(-300, 0).map(lambda n: n / 1000 - 5), min_size=1, max_size=6),
        min_size=1,
        max_size=8,
    ),
    seed=st.integers(0, 2**32 - 1),
)
@settings(deadline=None)
def test_noise_within_the_tolerance_changes_no_choice(
    canonical: list[list[float]], seed: int
) -> None:
    """Scores a thousandth apart, and noise of up to a part of them."""
    exact = [np.array(own) for own in canonical]
    random = np.random.default_rng(seed)
    half = TOLERANCE[FLOAT] / 2 * 0.99
    noisy = [own + random.uniform(-half, half, len(own)) for own in exact]
    settled = settle_near_ties(noisy, lambda number: exact[number], FLOAT)
    assert chosen(settled) == chosen(exact)


def test_only_near_ties_are_scored_again_but_of_many_one_in_any_case() -> None:
    asked: list[int] = []

    def alone(number: int) -> np.ndarray:
        asked.append(number)
        return scores[number]

    scores = [np.array([-1.0, -1.5]), np.array([-2.0, -2.00001]), np.array([-3.0]), np.zeros(2)]
    settle_near_ties(scores, alone, FLOAT)
    assert asked == [3, 1]
    asked.clear()
    settle_near_ties(scores[:1], alone, FLOAT)
    assert asked == []
    scores = [np.array([-1.0, -1.5 - number]) for number in range(CHECKED_FROM)]
    settle_near_ties(scores, alone, FLOAT)
    assert asked == [0]


def test_an_error_that_is_seen_widens_the_tolerance() -> None:
    """Errors of 0.01: a near tie shows them, so the question after it is scored again too."""
    exact = [np.array([-1.0, -1.00001]), np.array([-1.0, -1.005])]
    noisy = [exact[0] + 0.01, exact[1] + [0.0, 0.01]]
    assert chosen(noisy) != chosen(exact)
    assert chosen(settle_near_ties(noisy, lambda number: exact[number], FLOAT)) == chosen(exact)
    assert chosen(settle_near_ties(noisy[1:], lambda number: exact[1], FLOAT)) == [1]


def test_the_first_of_equal_options_is_chosen() -> None:
    scores = [np.array([-2.0, -1.0, -1.0])]
    assert chosen(settle_near_ties(scores, lambda number: scores[number], FLOAT)) == [1]


@pytest.mark.parametrize(
    ("scores", "gap"),
    [([-1.0, -3.0, -2.0], 1.0), ([-10.0, -11.0], 0.1), ([-1.0, -1.0], 0.0), ([-4.0], np.inf)],
)
def test_gaps_are_parts_of_the_best_score(scores: list[float], gap: float) -> None:
    assert relative_gap(np.array(scores)) == pytest.approx(gap)


def test_errors_are_parts_of_the_best_score() -> None:
    assert relative_error(np.array([-10.0, -19.0]), np.array([-10.0, -20.0])) == 0.1
    assert relative_error(np.array([-0.1]), np.array([-0.2])) == pytest.approx(0.1)
    assert tolerance_of(torch.bfloat16) > tolerance_of(torch.float32) > tolerance_of(torch.float64)


SIZES = {
    "vocab_size": 60,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "initializer_range": 0.2,
    "max_position_embeddings": 64,
}
TWINS = range(20, 60)  # tokens that the models below can hardly tell apart


def blur(weight: torch.Tensor) -> None:
    """Make the twins' rows equal up to the last bits."""
    with torch.no_grad():
        noise = 1 + 2e-8 * torch.randn(len(TWINS), weight.shape[1], dtype=torch.float64)
        weight[TWINS.start : TWINS.stop] = (weight[TWINS.start].double() * noise).float()


def almost_tied_trees() -> list[OptionTree]:
    """Options of twins after prompts of many lengths."""
    random = np.random.default_rng(0)
    trees = []
    for _ in range(12):
        prompt = random.integers(1, 20, random.integers(2, 24)).tolist()
        twins = random.choice(TWINS, size=(6, 2), replace=False).tolist()
        trees.append(merge_sequences([prompt + pair for pair in twins], [len(prompt)] * 6))
    return trees


def verdicts(found: Iterable[list[np.ndarray]]) -> set[tuple[int, ...]]:
    return {tuple(chosen(scores)) for scores in found}


def test_batches_change_no_verdict_of_a_causal_model(monkeypatch) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = LlamaConfig(**SIZES, num_key_value_heads=2, pad_token_id=0)
        model = LlamaForCausalLM(config).eval()
        blur(model.lm_head.weight)
        blur(model.model.embed_tokens.weight)
    trees = almost_tied_trees()

    def scores() -> Iterator[list[np.ndarray]]:
        for size in BATCH_TOKENS:
            for costs in COSTS:
                yield tree_log_likelihoods(model, trees, size, costs)

    assert len(verdicts(scores())) == 1
    monkeypatch.setattr(statement_scoring, "settle_near_ties", lambda scores, *_: scores)
    assert len(verdicts(scores())) > 1, "the case needs options that rounding decides between"


def test_batches_change_no_verdict_of_a_masked_model(monkeypatch) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = BertForMaskedLM(BertConfig(**SIZES)).eval()
        blur(model.cls.predictions.decoder.weight)
        model.bert.embeddings.word_embeddings.weight.data = model.cls.predictions.decoder.weight
    random = np.random.default_rng(0)
    asked = []
    for _ in range(12):
        before = random.integers(1, 20, random.integers(2, 24)).tolist()
        twins = random.choice(TWINS, size=(6, 2), replace=False).tolist()
        asked.append([rows_of([*before, *pair, 7]) for pair in twins])
    monkeypatch.setattr(masked_scoring, "masked_rows", lambda tokenizer, text, context: text)

    def scores() -> Iterator[list[np.ndarray]]:
        for size in BATCH_TOKENS:
            yield masked_scoring.pseudo_log_likelihoods(
                model, Padded(), asked, [""] * len(asked), size
            )

    assert len(verdicts(scores())) == 1
    monkeypatch.setattr(masked_scoring, "settle_near_ties", lambda scores, *_: scores)
    assert len(verdicts(scores())) > 1, "the case needs options that rounding decides between"


class Padded:
    """As much of a tokenizer as scoring reads of rows that are made already."""

    pad_token_id = 0


def rows_of(tokens: list[int]) -> list[masked_scoring.MaskedRow]:
    masked = [
        tuple(3 if at == place else t for at, t in enumerate(tokens))
        for place in range(len(tokens))
    ]
    return [masked_scoring.MaskedRow(row, place, tokens[place]) for place, row in enumerate(masked)]
