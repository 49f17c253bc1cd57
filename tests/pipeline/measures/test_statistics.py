"""Each statistic against plain mathematics, and against what it promises in simulation."""

from itertools import product
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from infact.pipeline.measures.cluster_bootstrap import cluster_bootstrap_means
from infact.pipeline.measures.seed_variance import seed_variance
from infact.pipeline.measures.statistics import (
    accuracy_interval,
    clustered_mcnemar,
    exact_mcnemar,
    holm,
    make_calls,
    paired_comparison,
    share_of_gain,
)
from scipy import stats
from statsmodels.stats.proportion import proportion_confint


def clustered_answers(
    random: np.random.Generator, accuracy: float, clusters: int
) -> tuple[np.ndarray, np.ndarray]:
    """Answers whose clusters of one to five questions share a beta-distributed accuracy."""
    sizes = random.integers(1, 6, clusters)
    labels = np.repeat(np.arange(clusters), sizes)
    chances = random.beta(accuracy * 3, (1 - accuracy) * 3, clusters)
    return (random.random(len(labels)) < chances[labels]).astype(float), labels


@pytest.mark.parametrize(("accuracy", "clusters"), [(0.15, 80), (0.5, 80), (0.9, 120)])
def test_accuracy_intervals_hold_the_truth_as_often_as_they_say(
    accuracy: float, clusters: int
) -> None:
    random = np.random.default_rng(0)
    held = 0
    for _ in range(1500):
        interval = accuracy_interval(*clustered_answers(random, accuracy, clusters))
        held += interval.low <= accuracy <= interval.high
    assert 0.93 <= held / 1500 <= 0.97


def test_difference_intervals_hold_the_truth_as_often_as_they_say() -> None:
    random = np.random.default_rng(1)
    held = 0
    for trial in range(1000):
        before, labels = clustered_answers(random, 0.3, 100)
        learns = random.random(100)[labels] < 0.4  # whole clusters are learnt together
        after = np.where(learns, 1.0, before)
        result = paired_comparison(before, after, labels, seed=trial, resamples=300)
        held += result.low <= 0.4 * 0.7 <= result.high
    assert 0.93 <= held / 1000 <= 0.97


def equal_arms(
    random: np.random.Generator, count: int, together: bool, subjects: int = 150
) -> tuple[list[np.ndarray], np.ndarray]:
    """Arms of one accuracy on 300 questions about so many subjects.

    Either a subject is as hard for every arm, or each arm happens to know a subject or not.
    """
    labels = np.arange(300) % subjects
    level = random.random(subjects)
    arms = []
    for _ in range(count):
        own = random.random(subjects) if together else level
        arms.append((random.random(300) < own[labels]).astype(float))
    return arms, labels


@pytest.mark.usefixtures("_no_garbage_collection")
@pytest.mark.parametrize("together", [False, True])
def test_arms_that_only_differ_by_chance_are_called_different_in_one_of_twenty(
    together: bool,
) -> None:
    """As the report calls them: corrected p and interval both; and by the interval alone."""
    random, trials = np.random.default_rng(2), 1500
    called = by_interval = 0
    for trial in range(trials):
        (before, after), labels = equal_arms(random, 2, together)
        result = paired_comparison(before, after, labels, seed=trial, resamples=500)
        called += make_calls([(result.clustered_p, result.low, result.high)])[0].beyond_chance
        by_interval += result.low > 0 or result.high < 0
    assert 0.04 <= called / trials <= 0.06
    assert 0.04 <= by_interval / trials <= 0.06


@pytest.mark.usefixtures("_no_garbage_collection")
@pytest.mark.parametrize("together", [False, True])
def test_among_many_comparisons_one_is_called_different_in_at_most_one_of_twenty(
    together: bool,
) -> None:
    """Six arms against one base, none different, with Holm's correction over the six."""
    random, trials = np.random.default_rng(3), 250
    called = plain = 0
    for trial in range(trials):
        (before, *others), labels = equal_arms(random, 7, together)
        found = [paired_comparison(before, after, labels, trial, resamples=300) for after in others]
        calls = make_calls([(each.clustered_p, each.low, each.high) for each in found])
        called += any(call.beyond_chance for call in calls)
        plain += min(each.clustered_p for each in found) < 0.05
    assert 0.01 <= called / trials <= 0.055
    assert plain / trials > 0.12  # without the correction


def test_questions_taken_one_by_one_would_call_too_much() -> None:
    """Why the decision isn't left to McNemar's test by question."""
    random, trials, called = np.random.default_rng(4), 400, 0
    for _ in range(trials):
        (before, after), labels = equal_arms(random, 2, together=True, subjects=75)
        called += paired_comparison(before, after, labels, 0, resamples=2).mcnemar_p < 0.05
    assert called / trials > 0.1


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(-1, 1), st.integers(0, 6)), min_size=1, max_size=30))
def test_clustered_mcnemar_is_the_count_of_all_sign_flips(answers: list[tuple[int, int]]) -> None:
    change, labels = (np.array(column) for column in zip(*answers, strict=True))
    sums = [abs(int(change[labels == label].sum())) for label in np.unique(labels)]
    total = abs(int(change.sum()))
    flips = [
        abs(sum(s * t for s, t in zip(sums, signs, strict=True)))
        for signs in product((1, -1), repeat=len(sums))
    ]
    beyond, at = sum(f > total for f in flips), sum(f == total for f in flips)
    expected = 1.0 if not any(sums) else (beyond + at / 2) / len(flips)
    assert clustered_mcnemar(change.astype(float), labels) == pytest.approx(expected)
    thirds = clustered_mcnemar(change / 3, labels)  # as with three seeds
    assert thirds == pytest.approx(expected)


@given(st.integers(0, 60), st.integers(0, 60))
def test_with_one_question_a_subject_it_is_the_mid_p_of_the_binomial(
    gained: int, lost: int
) -> None:
    change = np.array([1.0] * gained + [-1.0] * lost + [0.0])
    found = clustered_mcnemar(change, np.arange(len(change)))
    if gained + lost == 0:
        assert found == 1.0
        return
    exact = stats.binomtest(gained, gained + lost).pvalue
    at = stats.binom.pmf(gained, gained + lost, 0.5)
    mid = exact - (at if gained != lost else at / 2)
    assert found == pytest.approx(mid, abs=1e-9)
    assert found <= exact_mcnemar(gained, lost) + 1e-12


def test_clustering_widens_the_interval() -> None:
    right = np.tile([1.0, 0.0], 50)
    apart = accuracy_interval(right, np.arange(100))
    together = accuracy_interval(np.sort(right), np.arange(100) // 5)
    assert together.high - together.low > 1.8 * (apart.high - apart.low)


def test_interval_of_independent_answers_is_near_wilson() -> None:
    right = np.array([1.0] * 300 + [0.0] * 700)
    interval = accuracy_interval(right, np.arange(1000))
    assert (interval.low, interval.high) == pytest.approx(
        proportion_confint(300, 1000, method="wilson"), abs=5e-4
    )


def test_perfect_accuracy_is_not_certain() -> None:
    interval = accuracy_interval(np.ones(40), np.arange(40))
    assert interval.estimate == interval.high == 1.0
    assert 0.88 < interval.low < 0.95


def test_no_change_at_all_still_has_an_interval() -> None:
    same = np.array([1.0, 0.0] * 30)
    result = paired_comparison(same, same, np.arange(60), seed=0)
    unseen = 1 - 0.025 ** (1 / 60)
    assert (result.low, result.difference, result.high) == pytest.approx((-unseen, 0, unseen))
    assert (result.gained, result.lost, result.mcnemar_p) == (0, 0, 1.0)


def test_one_cluster_says_nothing() -> None:
    interval = accuracy_interval(np.array([1.0, 0.0]), np.array([7, 7]))
    assert (interval.low, interval.high) == (0.0, 1.0)
    result = paired_comparison(np.zeros(2), np.array([1.0, 0.0]), np.array([7, 7]), seed=0)
    assert (result.low, result.high) == (-1.0, 1.0)


def test_nothing_asked_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one"):
        accuracy_interval(np.array([]), np.array([]))
    with pytest.raises(ValueError, match="paired"):
        paired_comparison(np.ones(2), np.ones(3), np.arange(2), seed=0)


@given(st.integers(0, 40), st.integers(0, 40))
def test_mcnemar_is_the_binomial_sum(gained: int, lost: int) -> None:
    changes = gained + lost
    tail = sum(comb(changes, k) for k in range(min(gained, lost) + 1)) / 2**changes
    assert exact_mcnemar(gained, lost) == pytest.approx(min(1.0, 2 * tail))


def test_holm_by_hand() -> None:
    # sorted .01 .02 .03 .04, times 4 3 2 1 = .04 .06 .06 .04, each at least the one before
    assert holm([0.03, 0.01, 0.04, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([]) == []


def test_bootstrap_is_the_plain_loop() -> None:
    random = np.random.default_rng(3)
    values, labels = random.random((2, 30)), random.integers(0, 8, 30)
    means = cluster_bootstrap_means(values, labels, seed=5, resamples=40)
    names = np.unique(labels)
    draws = np.random.default_rng(5).integers(len(names), size=(40, len(names)))
    for mean, draw in zip(means, draws, strict=True):
        questions = [i for code in draw for i in np.flatnonzero(labels == names[code])]
        assert mean == pytest.approx(values[:, questions].mean(axis=1))


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(0, 5)), min_size=1))
def test_counts_add_up_and_explain_the_difference(
    answers: list[tuple[bool, bool, int]],
) -> None:
    before, after, labels = (np.array(column) for column in zip(*answers, strict=True))
    result = paired_comparison(
        before.astype(float), after.astype(float), labels, seed=0, resamples=50
    )
    assert result.gained + result.kept + result.lost + result.missed == result.n == len(answers)
    assert result.difference == pytest.approx((result.gained - result.lost) / result.n)
    assert -1 <= result.low <= result.high <= 1


def test_the_detectable_difference_is_detected_in_four_of_five() -> None:
    random = np.random.default_rng(4)
    labels = np.arange(400)
    before = (random.random(400) < 0.3).astype(float)
    planned = paired_comparison(before, np.where(labels % 10 == 0, 1 - before, before), labels, 0)
    effect, found = planned.detectable, 0
    up, down = 0.05 + effect / 2, 0.05 - effect / 2  # a tenth changes, as in the plan
    for trial in range(400):
        coin = random.random(400)
        change = np.where(coin < up, 1.0, np.where(coin > 1 - down, -1.0, 0.0))
        before, after = -np.minimum(change, 0), np.maximum(change, 0)
        result = paired_comparison(before, after, labels, seed=trial, resamples=300)
        found += result.low > 0
    assert 0.72 <= found / 400 <= 0.88


def test_share_of_gain() -> None:
    base, labels = np.zeros(200), np.arange(200)
    real, control = (labels < 160).astype(float), (labels % 10 == 0).astype(float)
    share = share_of_gain(base, real, control, labels, seed=0)
    assert share is not None
    assert share.estimate == pytest.approx(20 / 160)
    assert share.low < share.estimate < share.high
    assert share_of_gain(base, base, control, labels, seed=0) is None


def test_the_variance_between_seeds_is_told_from_that_of_the_questions() -> None:
    random, found = np.random.default_rng(5), []
    labels = np.repeat(np.arange(200), 2)
    for _ in range(300):
        ease = random.random(200)[labels] * 0.4 + 0.3
        luck = random.normal(0, 0.05, 4)  # of accuracy, from seed to seed
        right = (random.random((4, 400)) < ease + luck[:, None]).astype(float)
        component = seed_variance(right, labels)
        assert component is not None
        found.append(component.between)
    assert np.mean(found) == pytest.approx(0.05**2, rel=0.15)


def test_seeds_that_only_draw_other_questions_have_little_of_the_variance() -> None:
    random, shares = np.random.default_rng(6), []
    for _ in range(100):
        right = (random.random((5, 600)) < 0.5).astype(float)
        component = seed_variance(right, np.arange(600))
        assert component is not None
        shares.append(component.share)
    assert np.mean(shares) < 0.2
    apart = seed_variance(
        np.array([[1.0] * 500 + [0.0] * 100, [0.0] * 500 + [1.0] * 100]), np.arange(600)
    )
    assert apart is not None
    assert apart.share > 0.9
    assert seed_variance(right[:1], np.arange(600)) is None
