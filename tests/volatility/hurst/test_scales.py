import numpy as np
import pytest
from scipy.optimize import minimize

from tests.volatility.hurst.paths import brownian_paths
from volatility.hurst.bands import banded_spectrum
from volatility.hurst.likelihood import maximise
from volatility.hurst.noise import NoiseBounds
from volatility.hurst.scales import compare_scales
from volatility.hurst.spectra import Factors, Fractional, Har
from volatility.simulation.multiscale import (
    autoregression,
    heterogeneous_autoregression,
    log_correlated,
)

NONE = NoiseBounds(0.0, 0.0)
COSINE = np.cos(np.geomspace(1e-3, np.pi, 40_000))
# Parameters of each model, away from limits and from the grid of exponents.
MODELS = {
    Factors: [-2.0, np.log(0.5), -1.0, np.log(0.02), -3.0],
    Fractional: [-2.0, np.log(0.02), -0.5, 0.137],
    Har: [-2.0, -0.5, 0.35, 0.3, 0.2],
}


def wins(paths, noise=NONE):
    return np.mean([compare_scales(path, noise).fractional_wins for path in paths])


@pytest.mark.parametrize("model", MODELS)
def test_slopes_are_those_of_the_log_density(model):
    density, parameters = model(COSINE[::400]), np.array([MODELS[model]])
    step = 1e-6 * np.eye(parameters.shape[1])
    up, down = (np.log(density(parameters + sign * step)[0]) for sign in (1, -1))
    np.testing.assert_allclose(density(parameters)[1][0], (up - down) / 2e-6, atol=2e-5)


def test_densities_integrate_to_the_variance_of_the_increments():
    frequencies = np.arccos(COSINE)
    noise, fast, slow = 0.1, (0.6, 0.3), (0.99, 0.02)
    # Var of the increments of an AR(1) with innovation variance v: 2 v / (1 + phi); of noise: 2 s.
    expected = 2 * noise + sum(2 * v / (1 + phi) for phi, v in (fast, slow))
    logs = [np.log(noise)]
    for phi, variance in (fast, slow):
        logs += [np.log(-np.log(phi)), np.log(variance)]
    found = 2 * np.trapezoid(Factors(COSINE)(np.array([logs]))[0][0], frequencies)
    assert found == pytest.approx(expected, rel=2e-3)


def test_a_driver_that_hardly_reverts_is_fractional_noise():
    # Increments of fractional Brownian motion have variance 1; the interpolation takes 0.13.
    frequencies = np.arccos(COSINE)
    parameters = np.array([[np.log(1e-9), np.log(5e-4), 0.0, 0.13]])
    found = 2 * np.trapezoid(Fractional(COSINE)(parameters)[0][0], frequencies)
    assert found == pytest.approx(1.0, abs=0.02)


def test_a_har_process_of_one_lag_is_a_factor():
    one = Har(COSINE)(np.array([[-2.0, -1.0, 0.9, 0.0, 0.0]]))[0]
    factor = Factors(COSINE)(np.array([[-2.0, np.log(-np.log(0.9)), -1.0]]))[0]
    np.testing.assert_allclose(one, factor, rtol=1e-10)


@pytest.mark.parametrize("model", MODELS)
def test_the_maximum_is_the_one_that_scipy_finds(model):
    path = brownian_paths(0.1)[3] + 0.8 * np.random.default_rng(1).standard_normal(1_500)
    spectrum = banded_spectrum(path)
    density, start = model(spectrum.cosine), np.array([MODELS[model]])
    starts = start + np.random.default_rng(2).normal(0, 0.5, (6, start.shape[1]))
    limits = np.array([[-8.0, 3.0]] * start.shape[1])
    if model is Fractional:
        limits[3] = (0.01, 0.5)
    found, value = maximise(spectrum, density, starts, limits)

    def loss(parameters):
        return -float(spectrum.log_likelihood(density(parameters[None])[0])[0])

    options = {"maxiter": 4_000, "maxfev": 4_000, "xatol": 1e-5, "fatol": 1e-7}
    best = minimize(loss, found, method="Nelder-Mead", bounds=limits, options=options)
    fresh = minimize(loss, start[0], method="Nelder-Mead", bounds=limits, options=options)
    assert value == pytest.approx(-min(best.fun, fresh.fun), abs=0.05)


def test_parameters_are_recovered():
    rng = np.random.default_rng(2)
    rough = compare_scales(0.3 * brownian_paths(0.1, 5_000, 20)[0], NONE).fractional
    assert rough.hurst == pytest.approx(0.1, abs=0.02)
    assert rough.variance == pytest.approx(0.09, rel=0.1)
    factors = 0.5 * autoregression(0.99, 20_000, rng)[0] + 0.3 * autoregression(0.5, 20_000, rng)[0]
    two = compare_scales(factors, NONE).two_factors
    assert np.exp(-np.array(two.reversion)) == pytest.approx([0.5, 0.99], abs=0.03)
    assert two.variance[0] == pytest.approx(0.09 * 0.75, rel=0.1)
    har = heterogeneous_autoregression((0.35, 0.35, 0.25), 20_000, rng)[0]
    assert compare_scales(har, NONE).har.coefficients == pytest.approx((0.35, 0.35, 0.25), abs=0.06)


def test_noise_stays_within_its_bounds():
    path = brownian_paths(0.1)[0] + 0.5 * np.random.default_rng(3).standard_normal(1_500)
    found = compare_scales(path, NoiseBounds(0.24, 0.3))
    fits = (found.fractional, found.one_factor, found.two_factors, found.har)
    assert all(0.2399 < fit.noise_variance < 0.3001 for fit in fits)
    assert found.noise == NoiseBounds(0.24, 0.3)


def test_bounds_that_the_data_speak_against_are_given_up():
    path = brownian_paths(0.5)[0] + 2.0 * np.random.default_rng(4).standard_normal(1_500)
    found = compare_scales(path, NoiseBounds(0.01, 0.02))
    assert not found.noise.known
    assert found.declared_misfit > np.log(1_500) - 4.3
    assert found.fractional.noise_variance == pytest.approx(4.0, rel=0.2)


def test_a_fractional_path_without_error_wins():
    assert wins(brownian_paths(0.1)[:40]) >= 0.65
    assert wins(brownian_paths(0.1, 5_000, 20)) >= 0.8


def test_without_the_size_of_the_noise_nothing_is_told_apart():
    assert wins(brownian_paths(0.1)[:40], NoiseBounds()) <= 0.05


def test_a_few_scales_hardly_ever_win():
    rng = np.random.default_rng(5)
    har = heterogeneous_autoregression((0.35, 0.35, 0.25), 1_500, rng, 40)
    two = autoregression(0.99, 1_500, rng, 40) + 0.6 * autoregression(0.6, 1_500, rng, 40)
    assert wins(har) <= 0.1
    assert wins(two) <= 0.1
    assert wins(autoregression(0.98, 1_500, rng, 40)) <= 0.1
    assert wins(log_correlated(1_500, rng, paths=40)) <= 0.15


def test_a_short_sample_asks_for_more():
    paths = brownian_paths(0.1)[:3]
    margins = [compare_scales(paths[0][:nobs], NONE).margin for nobs in (300, 500, 1_500)]
    assert margins == sorted(margins, reverse=True)
    assert compare_scales(paths[1], NoiseBounds()).margin > margins[-1]
