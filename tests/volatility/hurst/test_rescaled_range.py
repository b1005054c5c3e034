import math

import numpy as np
import pytest

from volatility.hurst.calibration import rescaled_range_expectation
from volatility.hurst.rescaled_range import SCALES, mean_rescaled_range


def test_rescaled_range_by_hand():
    # (1, 1, -2): mean 0, profile 1, 2, 0; range 2; deviation sqrt(6 / 3).
    assert mean_rescaled_range(np.array([1.0, 1, -2]), 3) == pytest.approx(2 / math.sqrt(2))


def test_windows_without_variation_are_left_out():
    increments = np.array([0.0, 0, 0, 1, 1, -2])
    assert mean_rescaled_range(increments, 3) == pytest.approx(math.sqrt(2))
    assert mean_rescaled_range(np.zeros(6), 3) == 0.0


def anis_lloyd(scale: int) -> float:
    """Expected rescaled range of independent normal increments, Anis & Lloyd (1976)."""
    ratio = math.exp(math.lgamma((scale - 1) / 2) - math.lgamma(scale / 2)) / math.sqrt(math.pi)
    return ratio * sum(math.sqrt((scale - i) / i) for i in range(1, scale))


def test_simulated_expectation_is_that_of_anis_and_lloyd_at_one_half():
    expected = [math.log(anis_lloyd(scale)) for scale in SCALES]
    # Standard error of the simulation is below 0.004 at the longest windows.
    np.testing.assert_allclose(rescaled_range_expectation()(0.5), expected, atol=0.012)


def test_expectation_rises_with_the_exponent():
    expectation = rescaled_range_expectation()
    rises = [np.ptp(expectation(hurst)) for hurst in (0.0, 0.1, 0.33, 0.5, 0.9)]
    assert rises == sorted(rises)
