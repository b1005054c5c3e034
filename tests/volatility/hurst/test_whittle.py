import numpy as np
import pytest
from scipy.special import gamma, zeta

from tests.volatility.hurst.paths import brownian_paths
from volatility.hurst import whittle
from volatility.hurst.whittle import FgnSpectrum, periodogram
from volatility.simulation.fractional import fgn_autocovariance


@pytest.mark.parametrize("hurst", [0.01, 0.1, 0.5, 0.9, 0.99])
def test_spectrum_against_the_hurwitz_zeta_function(hurst):
    frequencies = np.linspace(1e-3, np.pi, 400)
    x, s = frequencies / (2 * np.pi), 2 * hurst + 1
    expected = 2 * (1 - np.cos(frequencies)) * (zeta(s, x) + zeta(s, 1 - x))
    np.testing.assert_allclose(FgnSpectrum(frequencies)(hurst), expected, rtol=1e-6)


def test_spectrum_is_the_transform_of_the_autocovariance():
    hurst, size = 0.3, 4_096
    frequencies = 2 * np.pi * np.arange(1, size // 2) / size
    constant = gamma(2 * hurst + 1) * np.sin(np.pi * hurst) / (2 * np.pi) ** (2 * hurst + 2)
    density = constant * FgnSpectrum(frequencies)(hurst)
    for lag, covariance in enumerate(fgn_autocovariance(hurst, 3)):
        integral = 2 * np.sum(density * np.cos(lag * frequencies)) * 2 * np.pi / size
        assert integral == pytest.approx(covariance, abs=2e-3)


def test_periodogram_adds_up_to_the_variance():
    noise = np.random.default_rng(1).standard_normal(1_001)
    frequencies, power = periodogram(noise)
    assert len(power) == 500
    assert 0 < frequencies[0] < frequencies[-1] < np.pi
    assert 4 * np.pi * power.sum() / 1_001 == pytest.approx(noise.var())


def test_standard_error_is_that_of_the_information():
    # n I(H) / (4 pi) with I(H) the integral of the squared log-derivative about its mean.
    hurst, nobs = 0.3, 1_500
    frequencies = 2 * np.pi * np.arange(1, nobs // 2) / nobs
    spectrum = FgnSpectrum(frequencies)
    slope = (np.log(spectrum(hurst + 1e-4)) - np.log(spectrum(hurst - 1e-4))) / 2e-4
    expected = 1 / np.sqrt(np.sum((slope - slope.mean()) ** 2))
    found = np.mean([whittle(path).standard_error for path in brownian_paths(hurst)])
    assert found == pytest.approx(expected, rel=0.08)


def test_points_are_the_spectrum_over_periods():
    found = whittle(brownian_paths(0.1)[0])
    assert found.scales[0] < 3
    assert found.scales[-1] > 500
    # Rough increments have little power at long periods: f ~ period^(2H - 1).
    assert found.points[-1].value < found.points[0].value
