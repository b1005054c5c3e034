import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from volatility.errors import TooFewObservations, UnsupportedLevel, UnsupportedQuantile
from volatility.evaluation.intervals import (
    LEVELS,
    MINIMUM,
    WINDOW,
    conformal_offsets,
    effective_nobs,
    ordered_offsets,
    ordered_quantiles,
    rolling_coverage,
    rolling_offsets,
    rolling_quantiles,
    scale_errors,
)
from volatility.evaluation.losses import coverage_score


def test_500_errors_over_22_sessions_are_worth_43() -> None:
    assert [effective_nobs(500, it) for it in (1, 5, 22)] == [500, 166, 43]


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
    # Between the smallest and the largest of nobs lie (nobs - 1) / (nobs + 1) of the next.
    nominal = min(level, (nobs - 1) / (nobs + 1))
    assert nominal - 1e-12 <= inside / (nobs + 1) <= nominal + 3 / (nobs + 1)


def test_wider_levels_nest():
    residuals = np.random.default_rng(4).standard_t(3, size=WINDOW)
    bounds = [conformal_offsets(residuals, level) for level in LEVELS]
    lower, upper = zip(*bounds, strict=True)
    assert list(lower) == sorted(lower, reverse=True)
    assert list(upper) == sorted(upper)


def test_the_scale_is_the_root_of_an_exponential_mean_of_absolute_errors():
    # a: 0.36, then 0.36 + (0.81 - 0.36) / 45 = 0.37, then 0.37 + (0.01 - 0.37) / 45 = 0.362
    errors, scales = scale_errors(np.array([-0.81, 0.01]), start=0.36)
    np.testing.assert_allclose(scales, np.sqrt([0.36, 0.37, 0.362]), rtol=1e-14)
    np.testing.assert_allclose(errors, [-0.81 / 0.6, 0.01 / np.sqrt(0.37)], rtol=1e-14)


def test_a_scale_knows_no_error_before_its_horizon_has_ended():
    residuals = np.random.default_rng(9).standard_normal(50)
    errors, scales = scale_errors(residuals, horizon=5)
    np.testing.assert_array_equal(scales, scale_errors(residuals).scales)
    np.testing.assert_array_equal(errors[:5], residuals[:5] / scales[0])
    np.testing.assert_array_equal(errors[5:], residuals[5:] / scales[1:46])


def test_rolling_offsets_are_those_of_the_window_before():
    residuals = np.random.default_rng(5).standard_normal(WINDOW + 60)
    errors, scales = scale_errors(residuals)
    offsets = rolling_offsets(residuals, (0.8, 0.95))
    assert offsets.shape == (WINDOW + 60, 2, 2)
    assert np.isnan(offsets[:MINIMUM]).all()
    for date in range(MINIMUM, len(residuals)):
        past = errors[max(0, date - WINDOW) : date]
        for at, level in enumerate((0.8, 0.95)):
            expected = scales[date] * np.array(conformal_offsets(past, level))
            np.testing.assert_array_equal(offsets[date, at], expected)


def test_equal_errors_leave_the_window_one_at_a_time():
    offsets = rolling_offsets(np.zeros(WINDOW + 60), (0.8,))
    assert (offsets[MINIMUM:] == 0).all()


def test_rows_before_the_first_wanted_are_left_out():
    residuals = np.random.default_rng(5).standard_normal(WINDOW + 200)
    for horizon in (1, 5):
        whole = rolling_quantiles(residuals, (0.1,), horizon)
        for since in (0, 150, WINDOW + 100, len(residuals)):
            part = rolling_quantiles(residuals, (0.1,), horizon, since)
            np.testing.assert_array_equal(part[since:], whole[since:])
            assert np.isnan(part[:since]).all()


def test_a_residual_counts_once_its_horizon_has_ended():
    # Three sessions ahead, the forecast of sessions t to t + 2 is made after session t - 1: the
    # newest residual known then is that of t - 3 to t - 1, so those of t - 2 and t - 1 are not.
    residuals = np.random.default_rng(8).standard_normal(WINDOW + 60)
    errors, scales = scale_errors(residuals, 3)
    offsets = rolling_offsets(residuals, (0.8,), horizon=3)
    assert np.isnan(offsets[: MINIMUM + 2]).all()
    for date in range(MINIMUM + 2, len(residuals)):
        known = errors[: date - 2][-WINDOW:]
        expected = scales[date - 2] * np.array(conformal_offsets(known, 0.8, 3))
        np.testing.assert_array_equal(offsets[date, 0], expected)


def test_errors_that_share_sessions_count_for_fewer():
    # Five sessions ahead three errors are worth one: rank (250 + 3) * 0.1 - 1 = 24.3, not 25.1
    residuals = np.arange(1.0, 251.0)
    assert conformal_offsets(residuals, 0.8, horizon=5) == (24.0, 227.0)
    # 22 ahead 11.5 are: (250 + 11.5) * 0.025 - 5.25 = 1.29
    assert conformal_offsets(residuals, 0.95, horizon=22) == (1.0, 250.0)


def test_overlapping_errors_are_covered_as_separate_ones_are():
    horizon, nobs = 22, 250
    noise = np.random.default_rng(10).standard_normal((2000, nobs + 2 * horizon))
    sums = np.lib.stride_tricks.sliding_window_view(noise, horizon, axis=1).sum(axis=-1)
    past, following = np.sort(sums[:, :nobs], axis=1), sums[:, nobs + horizon - 1]
    found = {}
    for ahead in (1, horizon):
        lower, upper = np.array([ordered_offsets(row, 0.8, ahead) for row in past]).T
        found[ahead] = np.mean((lower <= following) & (following <= upper))
    assert found[1] < 0.77
    assert abs(found[horizon] - 0.8) < 0.03


def heteroskedastic(seed):
    """Residuals whose size drifts within a factor of two, and forecasts that go with it."""
    rng = np.random.default_rng(seed)
    drift, steps = np.zeros(6000), 0.03 * rng.standard_normal(6000)
    for at in range(1, 6000):
        drift[at] = 0.995 * drift[at - 1] + steps[at]
    return 0.6 * np.exp(drift) * rng.standard_normal(6000), drift


def test_a_drift_of_the_errors_is_followed_in_every_third_of_the_forecasts():
    spread: dict[str, list[float]] = {"scaled": [], "plain": []}
    for seed in range(4):
        residuals, forecast = heteroskedastic(seed)
        offsets = {"scaled": rolling_offsets(residuals, (0.8,))[:, 0]}
        offsets["plain"] = plain_offsets(residuals, 0.8)
        order = WINDOW + np.argsort(forecast[WINDOW:])
        for name, bounds in offsets.items():
            inside = (bounds[:, 0] <= residuals) & (residuals <= bounds[:, 1])
            by_third = [inside[third].mean() for third in np.array_split(order, 3)]
            spread[name].append(max(by_third) - min(by_third))
    assert np.mean(spread["plain"]) > 0.12
    assert np.mean(spread["scaled"]) < 0.65 * np.mean(spread["plain"])


def plain_offsets(residuals, level):
    """What unscaled residuals of the window before would give."""
    windows = np.lib.stride_tricks.sliding_window_view(residuals, WINDOW)[:-1]
    ordered = np.sort(windows, axis=1)
    rank = int((WINDOW + 1) * (1 - level) / 2 + 1e-9)
    missing = np.full((WINDOW, 2), np.nan)
    return np.concatenate([missing, ordered[:, [rank - 1, -rank]]])


def test_exchangeable_residuals_are_covered_as_named():
    residuals = np.random.default_rng(11).standard_t(5, size=20_000)
    offsets = rolling_offsets(residuals, LEVELS)
    inside = (offsets[..., 0] <= residuals[:, None]) & (residuals[:, None] <= offsets[..., 1])
    np.testing.assert_allclose(inside[WINDOW:].mean(axis=0), LEVELS, atol=0.012)


def test_quantiles_are_the_bounds_of_intervals():
    ordered = np.sort(np.random.default_rng(12).standard_normal(WINDOW))
    for horizon in (1, 5):
        for level in (0.5, 0.8, 0.95):
            tail = (1 - level) / 2
            found = ordered_quantiles(ordered, (tail, 1 - tail), horizon)
            assert tuple(found) == ordered_offsets(ordered, level, horizon)
    middle = ordered_quantiles(np.arange(1.0, 501.0), (0.5,))
    assert middle == [250.5]


def test_quantiles_increase_with_their_probability():
    ordered = np.sort(np.random.default_rng(13).standard_normal(137))
    found = ordered_quantiles(ordered, np.linspace(0.01, 0.99, 99).tolist())
    assert (np.diff(found) >= 0).all()
    # 1 / 138 is the smallest that 137 errors tell, and its mirror the largest
    edges = ordered_quantiles(ordered, (1 / 138, 137 / 138))
    assert tuple(edges) == (ordered[0], ordered[-1])


@pytest.mark.parametrize("probability", [0.0, 0.0019, 0.9981, 1.0, np.nan])
def test_a_quantile_further_out_than_the_errors_is_refused(probability):
    message = "500 past forecast errors do not tell .* between 0.0020 and 0.9980"
    with pytest.raises(UnsupportedQuantile, match=message):
        ordered_quantiles(np.zeros(WINDOW), (0.5, probability))


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
    with pytest.raises(TooFewObservations, match="got 99"):
        ordered_quantiles(np.zeros(MINIMUM - 1), (0.5,))


@pytest.mark.parametrize("horizon", [1, 5, 22])
def test_coverage_is_that_of_the_intervals(horizon):
    rng = np.random.default_rng(5)
    residuals = np.exp(0.5 * rng.standard_normal(900)) * rng.standard_normal(900)
    offsets = rolling_offsets(residuals, LEVELS, horizon)
    for dates in (np.arange(500, 900), np.arange(MINIMUM + horizon - 1, 400)):
        errors = scale_errors(residuals, horizon).errors
        found = rolling_coverage(errors, LEVELS, horizon, dates)
        expected = [
            coverage_score(residuals[dates], offsets[dates, at]) for at in range(len(LEVELS))
        ]
        assert found.tolist() == expected
