"""What tests of many models share, by hand."""

import numpy as np
import pytest

from volatility.errors import TooFewObservations
from volatility.evaluation.long_run import bandwidth_for, long_run_covariance
from volatility.evaluation.many_models import deviations_of, largest, resample, twins

LOSSES = np.linspace(0.1, 0.4, 40)


def test_the_first_of_models_with_the_same_losses_stands_for_them() -> None:
    found = twins(
        {
            "a": LOSSES,
            "b": LOSSES[::-1],
            "c": LOSSES * (1 + 1e-9),
            "d": LOSSES[::-1].copy(),
            "e": LOSSES * (1 + 1e-7),
        }
    )
    assert found == {"a": "a", "b": "b", "c": "a", "d": "b", "e": "e"}


def test_one_date_is_enough_to_tell_two_models_apart() -> None:
    other = LOSSES.copy()
    other[7] += 1e-6
    assert twins({"a": LOSSES, "b": other}) == {"a": "a", "b": "b"}


def test_means_are_drawn_with_the_covariance_of_the_long_run() -> None:
    rng = np.random.default_rng(1)
    losses = {name: rng.exponential(size=200) * scale for name, scale in (("a", 1.0), ("b", 3.0))}
    found = resample(losses, 1, 100_000, 5)
    table = np.column_stack(list(losses.values()))
    common = table - table.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(found.means, common.mean(axis=0))
    bandwidth = bandwidth_for(200, 1)
    expected = long_run_covariance(common, bandwidth) / 200
    np.testing.assert_allclose(found.covariance, expected)
    assert found.share == bandwidth / 199
    assert found.noise.shape == (2, 100_000)
    assert found.noise.dtype == np.float32
    # Of 100,000 draws a variance is known to half a percent.
    np.testing.assert_allclose(np.cov(found.noise), expected, rtol=0.03)
    again = resample(losses, 1, 100_000, 5)
    np.testing.assert_array_equal(again.noise, found.noise)
    assert (resample(losses, 1, 100_000, 6).noise != found.noise).any()


def test_forecasts_further_ahead_are_correlated_for_longer() -> None:
    losses = {"a": LOSSES, "b": LOSSES**2}
    assert resample(losses, 22, 10, 0).share > resample(losses, 1, 10, 0).share
    with pytest.raises(TooFewObservations):
        resample({"a": LOSSES[:1], "b": LOSSES[:1]}, 1, 10, 0)


def test_what_is_no_variance_divides_by_no_zero() -> None:
    found = deviations_of(np.array([4.0, 0.0, -1e-20]))
    assert found[0] == 2.0
    assert (found[1:] == np.finfo(np.float32).tiny).all()


def test_the_largest_of_each_draw() -> None:
    noise = [np.array(it, np.float32) for it in ([1.0, -4.0, 0.0], [3.0, 2.0, -6.0])]
    less = np.array([1.0, 0.0, -2.0], np.float32)
    # Less and divided: 0, -4, 2 over 1, and 2, 2, -4 over 2.
    scale = np.array([1.0, 2.0])
    assert largest(noise, less, scale).tolist() == [1.0, 1.0, 2.0]
    assert largest(noise, less, scale, np.array([0.0, -3.0])).tolist() == [0.0, -2.0, 2.0]
