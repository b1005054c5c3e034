import numpy as np
import pytest

from tests.volatility.hurst.paths import brownian_paths
from volatility.hurst.overlap import autocorrelations, exponential_decay, overlapping_window
from volatility.measures.daily import rolling_std
from volatility.simulation.multiscale import autoregression, exponential_average


@pytest.mark.parametrize("window", [10, 22, 24, 60])
@pytest.mark.parametrize("nobs", [600, 3_000])
def test_the_window_of_a_rolling_deviation_is_found(window, nobs):
    returns = np.random.default_rng(window).standard_normal(nobs)
    assert overlapping_window(np.log(rolling_std(returns, window, 252))) == window


def test_the_window_is_found_when_volatility_moves_too():
    rng = np.random.default_rng(1)
    returns = np.exp(0.3 * brownian_paths(0.1)[0]) * rng.standard_normal(1_500)
    assert overlapping_window(np.log(rolling_std(returns, 22, 252))) == 22


@pytest.mark.parametrize("hurst", [0.1, 0.3, 0.5])
@pytest.mark.parametrize("nobs", [150, 1_500])
def test_none_is_found_in_fractional_brownian_motion(hurst, nobs):
    assert all(overlapping_window(path[:nobs]) is None for path in brownian_paths(hurst))


def test_a_weekly_season_is_not_a_window():
    path = brownian_paths(0.1)[0]
    weekend = np.tile([0.0, 0, 0, 0, 0, -2, -2], 215)[:1_500]
    assert overlapping_window(path + weekend) is None


def test_autocorrelations_by_hand():
    # Deviations -1, 1, -1, 1: products at lags 0, 1, 2 are 4, -3, 2.
    found = autocorrelations(np.array([0.0, 2, 0, 2]), 2)
    assert found == pytest.approx([1, -3 / 4, 2 / 4])


@pytest.mark.parametrize("decay", [0.9, 0.94, 0.97])
@pytest.mark.parametrize("nobs", [300, 1_500])
def test_an_exponential_average_of_returns_is_found(decay, nobs):
    rng = np.random.default_rng(7)
    for volatility in (np.zeros(nobs), 0.3 * brownian_paths(0.1)[0][:nobs]):
        returns = np.exp(volatility) * rng.standard_normal((20, nobs))
        paths = 0.5 * np.log(exponential_average(returns**2, decay))[:, 100:]
        found = [exponential_decay(path) for path in paths]
        assert found == pytest.approx([decay] * 20, abs=0.005)


def test_an_exponential_average_of_realized_variance_is_found():
    rng = np.random.default_rng(8)
    rv = np.exp(0.6 * brownian_paths(0.1)[:20]) * rng.chisquare(78, (20, 1_500)) / 78
    paths = 0.5 * np.log(exponential_average(rv, 0.94))[:, 100:]
    assert np.mean([exponential_decay(path) is not None for path in paths]) >= 0.9


def test_a_path_that_never_falls_is_no_average():
    steps = np.random.default_rng(3).exponential(size=400)
    assert exponential_decay(np.cumsum(steps)) is None


def test_jumps_up_that_revert_are_taken_for_an_average_unless_seen_with_noise():
    rng = np.random.default_rng(10)
    jumps = exponential_average(rng.chisquare(1, (20, 1_700)), 0.95)[:, 200:]
    paths = 0.5 * jumps / jumps.std()
    assert all(exponential_decay(path) is not None for path in paths)
    noisy = paths + 0.25 * rng.standard_normal(paths.shape)  # of a range, about
    assert all(exponential_decay(path) is None for path in noisy)


def test_no_average_is_found_in_gaussian_volatility_or_with_jumps():
    rng = np.random.default_rng(9)
    factor = autoregression(0.98, 1_500, rng, 50)
    two = factor + autoregression(0.5, 1_500, rng, 50)
    # Squared returns, whose logs have a long tail downwards, and jumps upwards.
    noisy = factor + np.log(np.abs(rng.standard_normal((50, 1_500))))
    jumps = factor + 3 * (rng.random((50, 1_500)) < 0.01)
    for paths in (brownian_paths(0.1)[:50], factor, two, noisy, jumps):
        assert all(exponential_decay(path) is None for path in paths)
        assert all(exponential_decay(path[:250]) is None for path in paths)
