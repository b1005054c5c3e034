import numpy as np

from tests.volatility.hurst.paths import brownian_paths
from volatility.hurst.bands import multitaper_spectrum
from volatility.hurst.robust import upper_bound
from volatility.simulation.fractional import rough_log_volatility

PATHS = 40


def share_below_one_half(paths):
    return np.mean([upper_bound(path) < 0.5 for path in paths])


def test_rough_paths_are_bounded_and_the_bound_lies_above_the_truth():
    bounds = np.array([upper_bound(path) for path in brownian_paths(0.1)[:PATHS]])
    assert np.mean(bounds < 0.5) >= 0.8
    assert np.mean(bounds >= 0.1) >= 0.95


def test_brownian_factors_are_not_bounded_below_one_half():
    # A test of five percent, two-sided: at most 4 of 40 by accident.
    rng = np.random.default_rng(1)
    factor = rough_log_volatility(0.5, 1_500, rng, paths=PATHS, mean_reversion=1 / 20)
    noise = rng.standard_normal(factor.shape)
    assert share_below_one_half(brownian_paths(0.5)[:PATHS]) <= 0.1
    assert share_below_one_half(factor) <= 0.1
    assert share_below_one_half(factor + 0.3 * noise) <= 0.1
    assert share_below_one_half(0.05 * brownian_paths(0.5)[:PATHS] + 0.3 * noise) <= 0.1


def test_noise_alone_bounds_nothing():
    noise = np.random.default_rng(2).standard_normal((PATHS, 1_500))
    assert np.median([upper_bound(path) for path in noise]) == 1.0


def test_level_moves_the_bound():
    path = brownian_paths(0.1)[0]
    assert upper_bound(path, 0.5) < upper_bound(path, 0.9) < upper_bound(path, 0.99)


def test_spectrum_of_a_stationary_series_does_not_leak():
    # Differences of white noise have f = 2 (1 - cos) / 2 pi, next to nothing at low frequencies.
    noise = np.random.default_rng(3).standard_normal((200, 1_000))
    spectra = np.mean([multitaper_spectrum(np.diff(path))[1] for path in noise], axis=0)
    frequencies = multitaper_spectrum(np.diff(noise[0]))[0]
    expected = (1 - np.cos(frequencies)) / np.pi
    np.testing.assert_allclose(spectra[5:].mean(), expected[5:].mean(), rtol=0.05)
    assert spectra[5:15].mean() < 2 * expected[5:15].mean()
