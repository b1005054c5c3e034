from importlib import import_module

import numpy as np
import pytest

from tests.volatility.hurst.paths import brownian_paths
from volatility.errors import UnknownMeasure
from volatility.hurst import variogram, variogram_corrected
from volatility.hurst.noise import MeasurementNoise
from volatility.hurst.variogram import mean_squared_differences
from volatility.simulation.fractional import rough_log_volatility
from volatility.simulation.regression import intraday_returns

module = import_module("volatility.hurst.variogram_corrected")  # a function hides it in its package


def seen_through(path, intraday_nobs, rng):
    """Log volatility measured by realized variance of so many returns."""
    return path + 0.5 * np.log(rng.chisquare(intraday_nobs, path.shape) / intraday_nobs)


@pytest.mark.parametrize(("hurst", "intraday_nobs"), [(0.1, 78), (0.3, 78), (0.5, 288), (0.5, 78)])
def test_recovery_and_coverage_under_noise(hurst, intraday_nobs):
    paths = seen_through(0.3 * brownian_paths(hurst), intraday_nobs, np.random.default_rng(1))
    found = [variogram_corrected(path, "realized_variance", intraday_nobs) for path in paths]
    errors = np.array([one.hurst for one in found]) - hurst
    ignoring = np.array([variogram(path).hurst for path in paths]) - hurst
    assert abs(errors.mean()) < 0.01
    assert abs(errors.mean()) < abs(ignoring.mean()) / 3
    covered = [one.interval[0] <= hurst <= one.interval[1] for one in found]
    assert np.mean(covered) >= 0.90


def test_volatility_that_moves_within_the_day():
    # What should be found is the exponent of the day's integrated variance, seen without error.
    rng = np.random.default_rng(2)
    path = rough_log_volatility(0.1, 1_500, rng, paths=30, steps_per_day=78)
    rv = np.square(intraday_returns(path, 78, rng)).sum(axis=-1)
    integrated = np.exp(2 * path).reshape(30, 1_500, 78).mean(axis=-1)
    truth = [variogram(day).hurst for day in 0.5 * np.log(integrated)]
    plain = [variogram(day).hurst for day in 0.5 * np.log(rv)]
    corrected = [
        variogram_corrected(day, "realized_variance", 78).hurst for day in 0.5 * np.log(rv)
    ]
    assert np.mean(plain) < np.mean(truth) - 0.04
    assert np.mean(corrected) == pytest.approx(np.mean(truth), abs=0.03)


def test_without_noise_to_speak_of_it_is_the_variogram():
    path = brownian_paths(0.3)[0]
    corrected = variogram_corrected(path, "realized_variance", 10**9)
    assert corrected.hurst == pytest.approx(variogram(path).hurst, abs=1e-6)
    assert corrected.interval == pytest.approx(variogram(path).interval, abs=1e-6)


@pytest.mark.parametrize(
    ("measure", "intraday_nobs", "reason"),
    [
        ("squared_return", None, "one return a day is refused"),
        ("realized_variance", 1, "one return a day is refused"),
        ("realized_variance", None, "needs intraday_nobs"),
        ("realized_kernel", 78, "not known"),
        ("rolling_std", None, "not known"),
    ],
)
def test_measures_that_cannot_be_corrected_give_a_reason_and_no_number(
    measure, intraday_nobs, reason
):
    found = variogram_corrected(brownian_paths(0.1)[0], measure, intraday_nobs)
    assert reason in found.reason
    assert found.hurst is None
    assert found.standard_error is None
    assert found.interval is None
    assert found.points == ()


def test_noise_that_leaves_nothing_gives_a_reason_and_no_number():
    noise = np.random.default_rng(3).standard_normal(1_000) * 0.3
    found = variogram_corrected(noise, "parkinson")
    assert found.hurst is None
    assert "at most 80% can be taken out" in found.reason


def test_unknown_measures_are_refused():
    with pytest.raises(UnknownMeasure, match="garman-klass"):
        variogram_corrected(brownian_paths(0.1)[0], "garman-klass")


# Five values that repeat themselves: at lags of 5 they differ by little, at others by much.
CYCLE = np.tile(np.random.default_rng(7).standard_normal(5), 200)
REPEATED = CYCLE + 0.1 * np.random.default_rng(8).standard_normal(1_000)


@pytest.mark.parametrize(("share", "known"), [(1.0, False), (0.999, True)])
def test_noise_as_large_as_the_smallest_difference_leaves_nothing(share, known, monkeypatch):
    variance = share * mean_squared_differences(REPEATED).min() / 2
    noise = MeasurementNoise(variance, variance)
    monkeypatch.setattr(module, "log_volatility_noise", lambda *_: noise)
    assert (variogram_corrected(REPEATED, "parkinson").hurst is not None) == known


@pytest.mark.parametrize(("share", "upper"), [(1.0, True), (0.999, False)])
def test_an_interval_reaches_to_one_where_more_noise_would_leave_nothing(share, upper, monkeypatch):
    smallest = mean_squared_differences(REPEATED).min()
    noise = MeasurementNoise(smallest / 20, share * smallest / 2)
    monkeypatch.setattr(module, "log_volatility_noise", lambda *_: noise)
    assert (variogram_corrected(REPEATED, "parkinson").interval[1] == 1.0) == upper


@pytest.mark.parametrize(("excess", "known"), [(1.0 - 1e-9, True), (1.0 + 1e-9, False)])
def test_four_fifths_of_the_changes_may_be_noise(excess, known, monkeypatch):
    path = brownian_paths(0.3)[0]
    values = mean_squared_differences(path)
    variance = 0.8 * excess * values[0] / 2
    noise = MeasurementNoise(variance, variance)
    monkeypatch.setattr(module, "log_volatility_noise", lambda *_: noise)
    assert (variogram_corrected(path, "parkinson").hurst is not None) == known
