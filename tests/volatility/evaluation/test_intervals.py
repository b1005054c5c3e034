import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from volatility.errors import TooFewObservations, UnsupportedLevel
from volatility.evaluation.intervals import (
    LEVELS,
    MINIMUM,
    WINDOW,
    conformal_offsets,
    rolling_offsets,
)


def test_offsets_are_order_statistics():
    # 199 residuals, level 0.8: ranks 200 * 0.1 = 20 and 200 * 0.9 = 180
    residuals = np.random.default_rng(1).permutation(np.arange(1.0, 200.0))
    assert conformal_offsets(residuals, 0.8) == (20.0, 180.0)
    # level 0.95: ranks 5 and 195
    assert conformal_offsets(residuals, 0.95) == (5.0, 195.0)


def test_ranks_widen_where_they_are_not_whole():
    # 150 residuals, level 0.9: floor(7.55) = 7 and ceil(143.45) = 144
    assert conformal_offsets(np.arange(1.0, 151.0), 0.9) == (7.0, 144.0)


def test_each_tail_has_its_own_quantile():
    skewed = np.random.default_rng(2).exponential(size=WINDOW)
    lower, upper = conformal_offsets(skewed, 0.9)
    median = float(np.median(skewed))
    assert upper - median > 2 * (median - lower)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("nobs", [MINIMUM, 137, WINDOW])
def test_coverage_of_the_next_residual_is_at_least_nominal(level, nobs):
    # Of nobs + 1 exchangeable values each is equally often the newest: take every one in turn.
    values = np.random.default_rng(3).standard_normal(nobs + 1)
    inside = 0
    for newest in range(nobs + 1):
        lower, upper = conformal_offsets(np.delete(values, newest), level)
        inside += lower <= values[newest] <= upper
    assert level - 1e-12 <= inside / (nobs + 1) <= level + 3 / (nobs + 1)


def test_wider_levels_nest():
    residuals = np.random.default_rng(4).standard_t(3, size=WINDOW)
    bounds = [conformal_offsets(residuals, level) for level in LEVELS]
    lower, upper = zip(*bounds, strict=True)
    assert list(lower) == sorted(lower, reverse=True)
    assert list(upper) == sorted(upper)


def test_rolling_offsets_are_those_of_the_window_before():
    residuals = np.random.default_rng(5).standard_normal(WINDOW + 60)
    residuals[40] = residuals[41]  # a tie, which the sliding window has to drop once
    offsets = rolling_offsets(residuals, (0.8, 0.95))
    assert offsets.shape == (WINDOW + 60, 2, 2)
    assert np.isnan(offsets[:MINIMUM]).all()
    for date in range(MINIMUM, len(residuals)):
        past = residuals[max(0, date - WINDOW) : date]
        for at, level in enumerate((0.8, 0.95)):
            assert tuple(offsets[date, at]) == conformal_offsets(past, level)


def test_a_residual_counts_once_its_horizon_has_ended():
    # Three sessions ahead, the forecast of sessions t to t + 2 is made after session t - 1: the
    # newest residual known then is that of t - 3 to t - 1, so those of t - 2 and t - 1 are not.
    residuals = np.random.default_rng(8).standard_normal(WINDOW + 60)
    offsets = rolling_offsets(residuals, (0.8,), horizon=3)
    assert np.isnan(offsets[: MINIMUM + 2]).all()
    for date in range(MINIMUM + 2, len(residuals)):
        known = residuals[: date - 2][-WINDOW:]
        assert tuple(offsets[date, 0]) == conformal_offsets(known, 0.8)


def test_a_horizon_beyond_the_sample_has_no_intervals():
    assert np.isnan(rolling_offsets(np.zeros(150), (0.8,), horizon=200)).all()


@settings(max_examples=25)
@given(st.integers(MINIMUM, 180), st.floats(-50, 50))
def test_a_residual_changes_no_offset_of_its_own_date_or_before(date, value):
    residuals = np.random.default_rng(6).standard_normal(200)
    changed = residuals.copy()
    changed[date:] = value
    np.testing.assert_array_equal(
        rolling_offsets(residuals, (0.9,))[: date + 1],
        rolling_offsets(changed, (0.9,))[: date + 1],
    )


@pytest.mark.parametrize("call", [conformal_offsets, lambda r, level: rolling_offsets(r, (level,))])
def test_a_level_that_is_not_offered_is_refused(call):
    with pytest.raises(UnsupportedLevel, match=r"0\.85; choose from 0\.5, 0\.6"):
        call(np.zeros(WINDOW), 0.85)


def test_too_few_residuals_are_refused():
    with pytest.raises(TooFewObservations, match="needs 100 past forecast errors; got 99"):
        conformal_offsets(np.zeros(MINIMUM - 1), 0.8)
