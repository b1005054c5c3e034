import numpy as np
import pytest

from volatility.errors import InvalidInput
from volatility.simulation.multiscale import (
    autoregression,
    exponential_average,
    heterogeneous_autoregression,
    log_correlated,
    markov_switching,
)


def correlation(paths, lag):
    return np.mean(paths[:, lag:] * paths[:, :-lag]) / np.mean(paths**2)


def test_an_autoregression_is_stationary_with_unit_variance():
    paths = autoregression(0.9, 50, np.random.default_rng(1), 20_000)
    assert paths[:, 0].var() == pytest.approx(1, rel=0.03)
    assert paths[:, -1].var() == pytest.approx(1, rel=0.03)
    assert correlation(paths, 3) == pytest.approx(0.9**3, abs=0.01)


def test_a_har_process_is_that_of_its_regression():
    path = heterogeneous_autoregression((0.4, 0.3, 0.2), 40_000, np.random.default_rng(2))[0]
    windows = np.lib.stride_tricks.sliding_window_view(path[:-1], 22)
    regressors = np.stack([windows[:, -1], windows[:, -5:].mean(axis=1), windows.mean(axis=1)])
    found = np.linalg.lstsq(regressors.T, path[22:], rcond=None)[0]
    assert found == pytest.approx([0.4, 0.3, 0.2], abs=0.04)


def test_log_correlations_are_those_asked_for():
    paths = log_correlated(
        400, np.random.default_rng(3), paths=4_000, intermittency=0.05, integral_scale=100
    )
    assert np.mean(paths**2) == pytest.approx(0.05 * np.log(100), rel=0.02)
    assert np.mean(paths[:, 9:] * paths[:, :-9]) == pytest.approx(0.05 * np.log(10), rel=0.05)
    assert np.mean(paths[:, 150:] * paths[:, :-150]) == pytest.approx(0, abs=0.01)


def test_switching_factors_have_their_variance_and_memory():
    paths = markov_switching(
        300, np.random.default_rng(4), paths=4_000, components=1, multiplier=1.5, fastest=0.3
    )
    assert set(np.unique(paths)) == {0.5 * np.log(1.5), 0.5 * np.log(0.5)}
    centred = paths - 0.25 * np.log(1.5 * 0.5)
    assert correlation(centred, 2) == pytest.approx(0.7**2, abs=0.02)


def test_an_exponential_average_by_hand():
    found = exponential_average(np.array([[1.0, 2.0, 4.0]]), 0.5)
    assert found.tolist() == [[1.0, 1.5, 2.75]]


@pytest.mark.parametrize("draw", [log_correlated, markov_switching])
def test_nothing_is_not_simulated(draw):
    with pytest.raises(InvalidInput, match="nobs is 0; needed: 1 or more") as caught:
        draw(0, np.random.default_rng(5))
    assert (caught.value.field, caught.value.found, caught.value.needed) == ("nobs", 0, "1 or more")
