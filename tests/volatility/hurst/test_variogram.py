import numpy as np
import pytest

from volatility.hurst.variogram import (
    fit_power_law,
    mean_squared_differences,
    running_mean_squared_differences,
)


def test_mean_squared_differences_by_hand():
    # Lag 1: (1 + 4 + 1) / 3; lag 2: (9 + 9) / 2.
    values = mean_squared_differences(np.array([0.0, 1, 3, 4]), max_lag=2)
    assert values == pytest.approx([2.0, 9.0])


def test_running_sums_are_those_of_each_part_alone_and_know_nothing_later():
    path = np.random.default_rng(0).standard_normal(400).cumsum()
    counts = np.array([21, 125, 126, 400])
    found = running_mean_squared_differences(path, counts)
    alone = [mean_squared_differences(path[:count]) for count in counts]
    np.testing.assert_allclose(found, alone, rtol=1e-12)
    path[126:] += 5.0
    np.testing.assert_array_equal(running_mean_squared_differences(path, counts)[:3], found[:3])


def test_a_power_law_is_read_exactly():
    lags = np.arange(1.0, 21)
    fit = fit_power_law(0.3 * lags**0.24, noise=0.0)
    assert fit.hurst == pytest.approx(0.12)
    assert np.exp(fit.intercept) == pytest.approx(0.3)
    assert fit.r_squared == pytest.approx(1.0)


def test_a_power_law_under_noise_is_read_exactly_when_the_noise_is_known():
    lags = np.arange(1.0, 21)
    values = 0.1 * lags**0.6 + 0.2
    assert fit_power_law(values, noise=0.2).hurst == pytest.approx(0.3)
    assert fit_power_law(values, noise=0.0).hurst < 0.17
