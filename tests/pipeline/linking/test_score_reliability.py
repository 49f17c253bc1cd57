"""Bins of equal mass, the calibration error by plain counting, and thresholds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from infact.pipeline.linking.score_reliability import equal_mass_places, reliability, sweep

from .test_link_measures import document, link

SCORES = st.lists(st.sampled_from([0.1, 0.25, 0.5, 0.7, 0.71, 0.9]) | st.floats(0, 1), min_size=1)


@given(SCORES, st.integers(1, 6))
def test_bins_are_runs_of_scores_of_about_one_size(scores, most):
    scores = np.array(scores)
    places = equal_mass_places(scores, most)
    count = places.max() + 1
    assert set(places) == set(range(count))
    assert count <= most
    order = np.argsort(scores, kind="stable")
    assert (np.diff(places[order]) >= 0).all()
    for score in set(scores.tolist()):
        assert len(set(places[scores == score])) == 1
    if len(set(scores.tolist())) == len(scores):
        sizes = np.bincount(places)
        assert sizes.max() - sizes.min() <= 1


def test_the_error_is_the_mean_distance_of_right_from_score():
    # Two bins apart: score 0.6 right once in four, score 0.9 always.
    low = [document([(0, 1, 1)], [link(0, 1, 1 if n == 0 else 2, 0.6)], str(n)) for n in range(4)]
    high = [document([(0, 1, 1)], [link(0, 1, 1, 0.9)], str(n + 4)) for n in range(4)]
    found = reliability(low + high)
    assert [(each.n, each.confidence, each.accuracy) for each in found.bins] == [
        (4, pytest.approx(0.6), 0.25),
        (4, pytest.approx(0.9), 1.0),
    ]
    assert found.error.estimate == pytest.approx((0.35 + 0.1) / 2)
    assert found.error.low <= found.error.estimate <= found.error.high
    assert reliability([document([(0, 1, 1)], [])]) is None


def test_scores_that_hold_what_they_say_have_a_small_error():
    random = np.random.default_rng(0)
    scores = random.uniform(0.3, 1, 2000)
    right = random.uniform(size=2000) < scores
    documents = [
        document([(0, 1, 1)], [link(0, 1, 1 if hit else 2, float(score))], str(n))
        for n, (score, hit) in enumerate(zip(scores, right, strict=True))
    ]
    found = reliability(documents, resamples=200)
    assert len(found.bins) == 10
    assert found.error.estimate < 0.04
    assert found.error.low < 0.01


def test_a_sweep_keeps_links_from_each_threshold_on():
    links = [link(n, n + 1, 1 if n % 2 else 2, 0.5 + n / 100) for n in range(40)]
    gold = [(n, n + 1, 1) for n in range(40)]
    found = sweep([document(gold, links, text="x" * 40)])
    assert len(found) == 20
    assert found[0].score == 0.5
    assert found[0].measure.linked == 40
    for each in found:
        kept = [one for one in links if one.score >= each.score]
        assert each.measure.linked == len(kept)
        assert each.measure.right == sum(one.entity == 1 for one in kept)
    assert sweep([document(gold, [], text="x" * 40)]) == ()
