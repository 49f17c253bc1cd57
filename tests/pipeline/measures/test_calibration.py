"""Calibration against plain loops, its intervals against what they promise in simulation."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from infact.pipeline.measures.calibration import BINS, calibration, risk_coverage
from sklearn.metrics import brier_score_loss


def clustered(
    random: np.random.Generator, truth: Callable[[np.ndarray], np.ndarray], clusters: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Confidence, right and cluster; half of the answers of a cluster share their luck."""
    labels = np.repeat(np.arange(clusters), random.integers(1, 4, clusters))
    confidence = 0.1 + 0.9 * random.beta(2, 1.5, len(labels))
    own = random.random(len(labels))
    luck = np.where(random.random(len(labels)) < 0.5, random.random(clusters)[labels], own)
    return confidence, (luck < truth(confidence)).astype(float), labels


# how often an answer of some confidence is right
TRUTHS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "calibrated": lambda confidence: confidence,
    "too sure": lambda confidence: np.clip(confidence - 0.1, 0, 1),
    "not sure enough below, too sure above": lambda confidence: 0.3 + 0.5 * confidence,
}


@pytest.mark.parametrize("name", TRUTHS)
def test_intervals_hold_the_truth_as_often_as_they_say(name: str) -> None:
    truth, random = TRUTHS[name], np.random.default_rng(0)
    many = 0.1 + 0.9 * random.beta(2, 1.5, 1_000_000)
    places = np.minimum((many * BINS).astype(int), BINS - 1)
    gaps = np.bincount(places, truth(many) - many, BINS) / len(many)
    error = np.abs(gaps).sum()
    brier = np.mean(truth(many) * (1 - many) ** 2 + (1 - truth(many)) * many**2)
    trials, held = 250, np.zeros(2)
    for trial in range(trials):
        found = calibration(*clustered(random, truth, 200), seed=trial, resamples=250)
        held[0] += found.error.low <= error + 1e-9 and error - 1e-9 <= found.error.high
        held[1] += found.brier.low <= brier <= found.brier.high
    assert 0.92 <= held[0] / trials <= 0.98
    assert 0.92 <= held[1] / trials <= 0.98


def test_errors_by_hand() -> None:
    confidence = np.array([0.95, 0.95, 0.95, 0.95, 0.45, 0.45])
    right = np.array([1.0, 1.0, 1.0, 0.0, 1.0, 1.0])
    found = calibration(confidence, right, np.arange(6), seed=0)
    assert found.error.estimate == pytest.approx(4 / 6 * 0.2 + 2 / 6 * 0.55)
    assert [(entry.n, entry.accuracy) for entry in found.bins] == [(2, 1.0), (4, 0.75)]
    assert found.confidence == pytest.approx(4.7 / 6)


@settings(deadline=None, max_examples=50)
@given(
    st.lists(
        st.tuples(st.integers(0, 1000), st.booleans(), st.integers(0, 9)), min_size=1, max_size=60
    )
)
def test_calibration_is_the_plain_loop(answers: list[tuple[int, bool, int]]) -> None:
    thousandths, right, labels = (np.array(column) for column in zip(*answers, strict=True))
    confidence, right = thousandths / 1000, right.astype(float)
    found = calibration(confidence, right, labels, seed=0, resamples=20)
    error = 0.0
    for place in range(BINS):
        top = 1.1 if place == BINS - 1 else (place + 1) / BINS
        inside = [at for at in range(len(right)) if place / BINS <= round(confidence[at], 9) < top]
        if inside:
            gap = np.mean(right[inside]) - np.mean(confidence[inside])
            error += len(inside) / len(right) * abs(gap)
    assert found.error.estimate == pytest.approx(error)
    assert 0 <= found.error.low <= found.error.estimate <= found.error.high <= 1
    assert found.brier.estimate == pytest.approx(brier_score_loss(right, confidence, pos_label=1))


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=40), st.data())
def test_risk_and_coverage_is_the_mean_over_all_orders_of_equals(
    answers: list[tuple[int, bool]], data: st.DataObject
) -> None:
    sure, right = (np.array(column, dtype=float) for column in zip(*answers, strict=True))
    points, area = risk_coverage(sure / 10, right)
    order = data.draw(st.permutations(range(len(sure))))
    again, same_area = risk_coverage(sure[order] / 10, right[order])
    assert np.array(again) == pytest.approx(np.array(points))
    assert same_area == pytest.approx(area)
    risks = []
    for k in range(1, len(sure) + 1):
        errors = 0.0
        for level in sorted(set(sure), reverse=True):
            inside = right[sure == level]
            before = int(np.sum(sure > level))
            taken = min(max(k - before, 0), len(inside))
            errors += taken * np.mean(1 - inside)  # expected number of errors among them
        risks.append(errors / k)
    assert area == pytest.approx(np.mean(risks))
    assert points[-1] == pytest.approx((1.0, 1 - right.mean()))
    assert len(points) <= 20


def test_an_arm_that_knows_when_it_is_right_has_the_smaller_area() -> None:
    right = np.array([1.0] * 50 + [0.0] * 50)
    knows, guesses = np.linspace(1, 0, 100), np.full(100, 0.5)
    assert risk_coverage(knows, right)[1] < risk_coverage(guesses, right)[1] / 2


def test_one_subject_and_one_bin_are_no_division_by_zero() -> None:
    found = calibration(np.full(3, 0.5), np.ones(3), np.zeros(3), seed=0)
    assert found.error.estimate == pytest.approx(0.5)
    exact = calibration(np.ones(4), np.ones(4), np.arange(4), seed=0)
    assert (exact.error.estimate, exact.error.low, exact.error.high) == (0, 0, 0)


def test_no_answer_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one"):
        calibration(np.array([]), np.array([]), np.array([]), seed=0)
