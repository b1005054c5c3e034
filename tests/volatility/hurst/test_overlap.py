import numpy as np
import pytest

from tests.volatility.hurst.paths import brownian_paths
from volatility.hurst.overlap import autocorrelations, overlapping_window
from volatility.measures.daily import rolling_std


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
