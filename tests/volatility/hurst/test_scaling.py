import numpy as np
import pytest

from volatility.hurst import ConstantSeries
from volatility.hurst.scaling import (
    both_ends,
    find_zero,
    fit_line,
    fit_scaling_law,
    geometric_scales,
)


def test_scales_grow_geometrically_and_stay_within():
    assert geometric_scales(5, 41, 1.35) == (5, 7, 9, 12, 17, 22, 30, 41)


def test_windows_from_both_ends_use_every_value():
    windows = both_ends(np.arange(7.0), 3)
    assert windows.tolist() == [[0, 1, 2], [3, 4, 5], [1, 2, 3], [4, 5, 6]]


def test_weighted_line_by_hand():
    # Weight 2 on (0, 0), 1 on (1, 1) and (2, 0): covariance 1/16 over variance 11/16.
    x, y, weights = np.array([0.0, 1, 2]), np.array([0.0, 1, 0]), np.array([2.0, 1, 1])
    slope, intercept, r_squared = fit_line(x, y, weights)
    expected = np.polyfit(x, y, 1, w=np.sqrt(weights))
    assert (slope, intercept) == pytest.approx(tuple(expected))
    assert slope == pytest.approx(1 / 11)
    assert 0 <= r_squared < 1


def test_zero_of_a_decreasing_function_or_the_bound_it_lies_beyond():
    assert find_zero(lambda x: 0.3 - x**3, 0.0, 1.0) == pytest.approx(0.3 ** (1 / 3), abs=1e-6)
    assert find_zero(lambda x: -1.0 - x, 0.0, 1.0) == 0.0
    assert find_zero(lambda x: 2.0 - x, 0.0, 1.0) == 1.0


def test_a_known_departure_from_the_law_is_taken_out():
    scales = np.array([2.0, 4, 8, 16, 32])
    values = 3 * scales**0.35 * (1 + 1 / scales)

    def log_expected(hurst):
        return hurst * np.log(scales) + np.log1p(1 / scales)

    fit = fit_scaling_law(scales, values, np.ones(5), log_expected, law=(1.0, 0.0))
    assert fit.hurst == pytest.approx(0.35, abs=1e-6)
    assert fit.slope == pytest.approx(0.35, abs=1e-6)
    assert fit.r_squared == pytest.approx(1.0)
    assert fit.points[0].value == pytest.approx(values[0])
    assert fit.points[0].corrected < fit.points[0].value
    assert fit.points[-1].corrected == pytest.approx(values[-1])


def test_scales_without_fluctuation_are_left_out_while_three_remain():
    scales = np.array([2.0, 4, 8, 16])
    values = np.array([0.0, 2, 4, 8])

    def log_expected(hurst):
        return hurst * np.log(scales)

    fit = fit_scaling_law(scales, values, np.ones(4), log_expected, law=(1.0, 0.0))
    assert len(fit.points) == 3
    with pytest.raises(ConstantSeries, match="at too few scales"):
        fit_scaling_law(scales, 0 * values, np.ones(4), log_expected, law=(1.0, 0.0))
