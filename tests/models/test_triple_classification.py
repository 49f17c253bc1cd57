import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from infact.models.triple_classification import (
    best_threshold,
    classification_metrics,
    fit_thresholds,
)

LABELLED = st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=1, max_size=12)


def right(threshold: float, scores: list[float], labels: list[bool]) -> int:
    return sum((score >= threshold) == label for score, label in zip(scores, labels, strict=True))


@settings(max_examples=200, deadline=None)
@given(labelled=LABELLED)
def test_no_threshold_is_right_more_often(labelled) -> None:
    scores, labels = [float(score) for score, _ in labelled], [label for _, label in labelled]
    found = best_threshold(np.array(scores), np.array(labels))
    tried = [-np.inf, np.inf, *(k / 2 for k in range(-8, 9))]
    most = max(right(threshold, scores, labels) for threshold in tried)
    assert right(found, scores, labels) == most


def test_a_relation_without_examples_takes_what_is_best_over_all() -> None:
    scores = np.array([0.0, 1.0, 10.0, 11.0])
    true = np.array([False, True, False, True])
    found = fit_thresholds(scores, np.array([0, 0, 2, 2]), true, relation_count=3)
    assert found.tolist() == [0.5, best_threshold(scores, true), 10.5]
    with pytest.raises(ValueError, match="at least one"):
        fit_thresholds(scores[:0], np.empty(0, int), true[:0], 1)


def test_metrics_are_those_counted_by_hand() -> None:
    said = np.array([True, True, True, False, False])
    true = np.array([True, True, False, True, False])
    found = classification_metrics(said, true)
    assert found.accuracy == pytest.approx(3 / 5)
    assert (found.precision, found.recall, found.f1) == pytest.approx((2 / 3, 2 / 3, 2 / 3))
    nothing = classification_metrics(np.zeros(2, bool), np.array([True, False]))
    assert (nothing.precision, nothing.recall, nothing.f1, nothing.accuracy) == (0, 0, 0, 0.5)
    with pytest.raises(ValueError, match="no verdicts"):
        classification_metrics(said[:0], true[:0])
