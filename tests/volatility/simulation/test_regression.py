import numpy as np
import pytest

from volatility.errors import InvalidInput
from volatility.measures.intraday import bipower_variation, realized_variance
from volatility.simulation.regression import har_process, intraday_returns, regression_process


def test_intraday_returns_add_up_to_the_variance_of_the_day():
    path = np.full((2, 3 * 500), np.log(0.02))
    returns = intraday_returns(path, 500, np.random.default_rng(6))
    assert returns.shape == (2, 3, 500)
    rv = np.square(returns).sum(axis=-1)
    # Relative standard error sqrt(2 / 500) = 0.063 of each of the six days.
    assert rv == pytest.approx(0.02**2, rel=0.25)


@pytest.mark.parametrize("scale", ["levels", "logs"])
def test_har_coefficients_come_back_by_least_squares(scale):
    coefficients = [1e-5, 0.35, 0.3, 0.25] if scale == "levels" else [-1.0, 0.4, 0.3, 0.2]
    rv = har_process(coefficients, 60_000, np.random.default_rng(7), scale=scale)[0]
    assert rv.min() > 0
    y = rv if scale == "levels" else np.log(rv)
    means = [np.convolve(y, np.ones(lag) / lag, "valid")[22 - lag : -1] for lag in (1, 5, 22)]
    weights = 1 / np.sum(means, axis=0) if scale == "levels" else np.ones(len(y) - 22)
    design = np.column_stack([np.ones(len(y) - 22), *means]) * weights[:, None]
    found = np.linalg.lstsq(design, y[22:] * weights, rcond=None)[0]
    assert found[1:] == pytest.approx(coefficients[1:], abs=0.03)


def test_har_coefficients_must_be_stationary_and_complete():
    rng = np.random.default_rng(8)
    with pytest.raises(InvalidInput, match="stationary"):
        har_process([0.1, 0.5, 0.3, 0.2], 10, rng)
    with pytest.raises(InvalidInput, match="3 coefficients for 3 lags"):
        har_process([0.1, 0.5, 0.3], 10, rng)


def test_a_regression_process_has_the_mean_that_it_is_given():
    # Two days of memory: rv = 2e-5 + 0.5 rv(-1) + 0.3 mean(rv(-1), rv(-2)), so a mean of 1e-4.
    coefficients = {"mean_1": 0.5, "mean_2": 0.3}
    returns = regression_process(coefficients, 2e-5, 20_000, np.random.default_rng(1))
    assert returns.shape == (20_000, 24)
    rv = realized_variance(returns)
    assert rv.mean() == pytest.approx(1e-4, rel=0.05)
    expected = 2e-5 + 0.5 * rv[1:-1] + 0.3 * (rv[1:-1] + rv[:-2]) / 2
    surprise = rv[2:] - expected
    deviations = surprise / expected
    # 24 squared normals: mean 0 within four standard errors, variance 2 / 24.
    assert abs(deviations.mean()) < 4 * np.sqrt(2 / 24 / len(rv))
    assert deviations.var() == pytest.approx(2 / 24, rel=0.05)
    assert abs(np.corrcoef(deviations, expected)[0, 1]) < 4 / np.sqrt(len(rv))


def test_a_regression_process_has_the_jumps_that_it_is_given():
    returns = regression_process(
        {"mean_1": 0.0},
        1e-4,
        20_000,
        np.random.default_rng(2),
        steps_per_day=96,
        jump_share=0.3,
        jump_probability=0.1,
    )
    # A tenth of the days have a jump of squared size 3e-4, beside a variance of 7e-5.
    assert realized_variance(returns).mean() == pytest.approx(1e-4, rel=0.03)
    assert (np.abs(returns).max(axis=1) > 0.012).mean() == pytest.approx(0.1, abs=0.01)
    assert np.median(bipower_variation(returns)) == pytest.approx(7e-5, rel=0.05)
    times = np.abs(returns).argmax(axis=1)[np.abs(returns).max(axis=1) > 0.012]
    assert times.mean() == pytest.approx(47.5, abs=4 * 28 / np.sqrt(2_000))  # at any time of day


def test_a_regression_process_in_logs_reacts_to_losses():
    coefficients = {"mean_1": 0.5, "negative_mean_1:return": -20.0}
    returns = regression_process(coefficients, -4.6, 20_000, np.random.default_rng(3), scale="logs")
    log_rv, daily = np.log(realized_variance(returns)), returns.sum(axis=1)
    surprise = log_rv[1:] - (-4.6 + 0.5 * log_rv[:-1] - 20.0 * np.minimum(daily[:-1], 0.0))
    # The log of a mean of 24 squared normals has mean digamma(12) - log(12) = -0.0423 and
    # variance trigamma(12) = 0.0869.
    assert surprise.mean() == pytest.approx(-0.0423, abs=4 * np.sqrt(0.0869 / 20_000))
    assert abs(np.corrcoef(surprise, daily[:-1])[0, 1]) < 4 / np.sqrt(20_000)


def test_coefficients_that_lead_nowhere_are_refused():
    with pytest.raises(InvalidInput, match="a variance of -1e-05"):
        regression_process({"mean_1": 0.0}, -1e-5, 10, np.random.default_rng(0))
    with pytest.raises(InvalidInput, match=r"a variance of .*e\+"):
        regression_process({"mean_1": 3.0}, 1e-4, 5_000, np.random.default_rng(0))
