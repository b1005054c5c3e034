import numpy as np
import pytest

from volatility.errors import InvalidInput
from volatility.simulation.fractional import (
    fgn_autocovariance,
    fractional_brownian_motion,
    fractional_gaussian_noise,
    rough_log_volatility,
)


def test_autocovariance_by_hand():
    # H = 1/2: independent. H = 1/4, lag 1: (2^0.5 - 2 + 0) / 2; lag 2: (3^0.5 - 2 * 2^0.5 + 1) / 2.
    assert fgn_autocovariance(0.5, 3) == pytest.approx([1, 0, 0], abs=1e-15)
    expected = [1, (2**0.5 - 2) / 2, (3**0.5 - 2 * 2**0.5 + 1) / 2]
    assert fgn_autocovariance(0.25, 3) == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize("hurst", [0.05, 0.3, 0.5, 0.9])
@pytest.mark.parametrize("nobs", [1, 5, 8])
def test_covariance_of_noise_is_exact(hurst, nobs):
    paths = 100_000
    noise = fractional_gaussian_noise(hurst, nobs, np.random.default_rng(1), paths)
    found = noise.T @ noise / paths
    autocovariance = fgn_autocovariance(hurst, nobs)
    lags = np.abs(np.subtract.outer(np.arange(nobs), np.arange(nobs)))
    # Five standard errors of a product moment, at most sqrt(2 / paths) each.
    np.testing.assert_allclose(found, autocovariance[lags], atol=5 * np.sqrt(2 / paths))


@pytest.mark.parametrize("hurst", [0.1, 0.7])
def test_variance_of_the_path_grows_as_a_power(hurst):
    path = fractional_brownian_motion(hurst, 64, np.random.default_rng(2), 40_000)
    times = np.arange(1, 65)
    np.testing.assert_allclose(path.var(axis=0), times ** (2 * hurst), rtol=0.04)


def test_paths_are_independent_and_repeatable():
    first = fractional_gaussian_noise(0.2, 500, np.random.default_rng(3), 4)
    again = fractional_gaussian_noise(0.2, 500, np.random.default_rng(3), 4)
    np.testing.assert_array_equal(first, again)
    correlations = np.atleast_2d(np.corrcoef(first))[np.triu_indices(4, 1)]
    assert np.abs(correlations).max() < 4 / np.sqrt(500)


@pytest.mark.parametrize("hurst", [0.0, 1.0, -0.1])
def test_exponents_outside_the_unit_interval_are_refused(hurst):
    with pytest.raises(InvalidInput, match="hurst"):
        fractional_gaussian_noise(hurst, 10, np.random.default_rng(0))


def test_no_paths_are_refused():
    with pytest.raises(InvalidInput, match="paths is 0"):
        fractional_gaussian_noise(0.3, 10, np.random.default_rng(0), paths=0)


@pytest.mark.parametrize(
    ("hurst", "expected"),
    [
        # Var = nu² Gamma(2H + 1) / (2 alpha^2H), Cheridito, Kawaguchi & Maejima (2003).
        (0.1, 0.3**2 * 0.918169 / (2 * 0.1**0.2)),
        (0.5, 0.3**2 / (2 * 0.1)),
    ],
)
def test_mean_reverting_volatility_is_stationary(hurst, expected):
    path = rough_log_volatility(
        hurst, 300, np.random.default_rng(4), paths=3_000, mean_reversion=0.1, steps_per_day=4
    )
    assert path.shape == (3_000, 1_200)
    variance = path.var(axis=0)
    assert variance[0] == pytest.approx(expected, rel=0.1)
    assert variance[-1] == pytest.approx(expected, rel=0.1)
    assert path.mean() == pytest.approx(np.log(0.01), abs=0.02)


def test_volatility_without_reversion_scales_by_the_day():
    path = rough_log_volatility(
        0.3, 2, np.random.default_rng(5), paths=20_000, steps_per_day=8, vol_of_vol=0.4
    )
    change = path[:, 15] - path[:, 7]
    assert change.std() == pytest.approx(0.4, rel=0.02)
