import math

import numpy as np
import pytest
from infact.models.platt_scaling import SHRINKAGE, fit_platt_scale, log_odds
from scipy.optimize import minimize


def drawn(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Log-probabilities, relations and truth: σ(0.5 + 0.6·logit p − 1·[relation 1])."""
    random = np.random.default_rng(seed)
    own = random.uniform(0.01, 0.99, count)
    relations = random.integers(0, 2, count)
    odds = 0.5 + 0.6 * np.log(own / (1 - own)) - 1.0 * (relations == 1)
    return np.log(own), relations, random.random(count) < 1 / (1 + np.exp(-odds))


def test_it_finds_the_scale_that_the_truth_was_drawn_by() -> None:
    logs, relations, true = drawn(20_000)
    scale = fit_platt_scale(logs, relations, true, 2)
    assert scale.slope == pytest.approx(0.6, abs=0.05)
    assert scale.intercept + scale.of_relation[0] == pytest.approx(0.5, abs=0.1)
    assert scale.of_relation[0] - scale.of_relation[1] == pytest.approx(1.0, abs=0.1)
    new_logs, new_relations, new_true = drawn(20_000, seed=1)
    likely = scale.probabilities(new_logs, new_relations)
    for low in np.arange(0, 1, 0.1):
        inside = (likely >= low) & (likely < low + 0.1)
        if inside.sum() > 500:
            assert new_true[inside].mean() == pytest.approx(likely[inside].mean(), abs=0.05)


def test_it_is_the_least_of_the_loss() -> None:
    """The module's formula, example by example, minimised without a gradient."""
    logs, relations, true = drawn(60)
    positive = int(true.sum())

    def loss(numbers: np.ndarray) -> float:
        total = SHRINKAGE / 2 * float((numbers[2:] ** 2).sum())
        for log, relation, right in zip(logs, relations, true, strict=True):
            odds = math.log(math.exp(log) / (1 - math.exp(log)))
            p = 1 / (1 + math.exp(-(numbers[0] + numbers[1] * odds + numbers[2 + relation])))
            aim = (positive + 1) / (positive + 2) if right else 1 / (len(true) - positive + 2)
            total -= aim * math.log(p) + (1 - aim) * math.log(1 - p)
        return total

    found = fit_platt_scale(logs, relations, true, 2)
    numbers = np.array([found.intercept, found.slope, *found.of_relation])
    best = minimize(loss, np.array([0, 1, 0, 0.0]), method="Nelder-Mead", options={"maxiter": 4000})
    assert loss(numbers) == pytest.approx(best.fun, abs=1e-4)


def test_nothing_is_certain() -> None:
    logs, relations = np.log(np.array([0.9, 0.9, 0.1, 0.1])), np.zeros(4, dtype=int)
    scale = fit_platt_scale(logs, relations, np.array([True, True, False, False]), 1)
    likely = scale.probabilities(np.array([0.0, -1e9]), np.zeros(2, dtype=int))
    assert 0 < likely[1] < likely[0] < 1
    assert np.isfinite(log_odds(np.array([0.0, -1e9]))).all()


def test_a_relation_without_examples_has_the_common_line() -> None:
    logs, relations, true = drawn(200)
    scale = fit_platt_scale(logs, relations, true, 3)
    assert scale.of_relation[2] == pytest.approx(0.0, abs=1e-9)


def test_no_example_is_an_error() -> None:
    nothing = np.empty(0)
    with pytest.raises(ValueError, match="at least one"):
        fit_platt_scale(nothing, nothing.astype(int), nothing.astype(bool), 1)
