import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from infact.pipeline.measures.effects import Effect, mean_effects
from scipy import stats

NUMBERS = st.floats(-30, 30).map(lambda value: round(value, 3))


def test_the_interval_is_the_one_in_the_tables() -> None:
    """1, 2, 3, 4: mean 2.5, standard error 0.6455, t of 3 degrees of freedom 3.1824."""
    (effect,) = mean_effects(np.array([[1.0], [2.0], [3.0], [4.0]]))
    assert effect.mean == 2.5
    assert effect.low == pytest.approx(2.5 - 3.18245 * 0.645497, abs=1e-4)
    assert effect.high == pytest.approx(2.5 + 3.18245 * 0.645497, abs=1e-4)


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=2, max_size=9))
def test_columns_are_scipys_one_sample_intervals(rows: list[tuple[float, float]]) -> None:
    draws = np.array(rows)
    for column, effect in zip(draws.T, mean_effects(draws), strict=True):
        assert effect.mean == pytest.approx(column.mean(), abs=1e-9)
        if np.ptp(column) == 0:
            assert effect.low == pytest.approx(effect.high, abs=1e-9)
            continue
        expected = stats.ttest_1samp(column, 0).confidence_interval(0.95)
        assert (effect.low, effect.high) == pytest.approx(tuple(expected), rel=1e-6, abs=1e-9)


def test_an_effect_is_shown_when_its_interval_is_clear_of_zero_as_printed() -> None:
    assert Effect(-2.0, -3.0, -1.0).shown
    assert Effect(0.5, 0.01, 1.0).shown
    assert not Effect(-2.0, -5.0, 1.0).shown
    assert not Effect(0.0, 0.0, 0.0).shown
    assert not Effect(-0.1, -0.2, -0.004).shown, "its end is printed as 0.00"


def test_intervals_hold_the_true_mean_as_often_as_they_say() -> None:
    random = np.random.default_rng(0)
    draws = random.normal(-1.0, 0.5, size=(6, 4000))
    held = [effect.low <= -1.0 <= effect.high for effect in mean_effects(draws)]
    assert 0.94 < np.mean(held) < 0.96


def test_one_draw_tells_no_spread() -> None:
    with pytest.raises(ValueError, match="no spread"):
        mean_effects(np.array([[1.0]]))
