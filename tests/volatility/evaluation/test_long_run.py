import numpy as np
import pytest
from scipy.signal import lfilter

from volatility.evaluation.long_run import bandwidth_for, long_run_covariance


def test_is_recovered_from_a_simulated_autoregression():
    # Both series have coefficient .5: long-run covariance 4 times that of the noise.
    noise = np.random.default_rng(1).multivariate_normal([0, 0], [[1, 0.6], [0.6, 2]], 40_000)
    values = lfilter([1.0], [1.0, -0.5], noise, axis=0)
    found = long_run_covariance(values, bandwidth_for(40_000))
    # With bandwidth 260 of 40,000 the relative standard error is sqrt(4 / 3 * 260 / 40000) = 9 %.
    assert found == pytest.approx(4 * np.array([[1, 0.6], [0.6, 2]]), rel=0.25)


def test_a_column_has_the_variance_it_has_alone():
    values = np.random.default_rng(2).standard_normal((200, 1)) * [1.0, -3.0]
    both = long_run_covariance(values, 19)
    alone = long_run_covariance(values[:, :1], 19)
    assert both == pytest.approx(alone * np.outer([1, -3], [1, -3]))


def test_is_never_negative():
    for seed in range(20):
        values = np.random.default_rng(seed).standard_normal((12, 8))
        assert np.linalg.eigvalsh(long_run_covariance(values, 5)).min() > -1e-12


def test_constants_do_not_vary():
    assert long_run_covariance(np.ones((20, 2)), 6) == pytest.approx(np.zeros((2, 2)))


@pytest.mark.parametrize(
    ("nobs", "horizon", "expected"), [(100, 1, 13), (10, 1, 5), (10, 22, 8), (1_000, 22, 64)]
)
def test_bandwidths(nobs, horizon, expected):
    assert bandwidth_for(nobs, horizon) == expected


def autoregression(coefficient):
    noise = np.random.default_rng(3).standard_normal(60)
    return lfilter([1.0], [1.0, -coefficient], noise)


@pytest.mark.parametrize(("coefficient", "taken"), [(1.0, 0.85), (-0.7, 0.0)])
def test_the_autoregression_is_neither_too_strong_nor_negative(coefficient, taken):
    values = autoregression(coefficient) + 3 * (coefficient == 1) * np.arange(60)
    assert long_run_covariance(values[:, None], 7) == pytest.approx(bartlett(values, 7, taken))


def test_the_autoregression_is_by_least_squares():
    values = autoregression(0.4)
    centred = values - values.mean()
    fitted = centred[1:] @ centred[:-1] / (centred[:-1] @ centred[:-1])
    assert 0.2 < fitted < 0.6
    assert long_run_covariance(values[:, None], 7) == pytest.approx(bartlett(values, 7, fitted))


def bartlett(values, bandwidth, coefficient):
    """The sum of weighted autocovariances, one by one."""
    centred = values - values.mean()
    residuals = centred[1:] - coefficient * centred[:-1]
    residuals = residuals - residuals.mean()
    nobs = len(residuals)
    total = residuals @ residuals / nobs
    for lag in range(1, bandwidth):
        weight = 1 - lag / bandwidth
        total += 2 * weight * (residuals[lag:] @ residuals[:-lag]) / nobs
    return total / (1 - coefficient) ** 2
