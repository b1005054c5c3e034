"""Straight lines through logs, with a known finite-scale departure taken out."""

from collections.abc import Callable

import numpy as np

from volatility.arrays import FloatArray
from volatility.hurst.estimate import ConstantSeries, ScalingFit, ScalingPoint

# At 0 the exact expectations are those of white noise; at 1, a straight line, they vanish.
HURST_BOUNDS = (0.0, 0.99)
MINIMUM_POINTS = 3
_TOLERANCE = 1e-8
_MAX_ITERATIONS = 60


def geometric_scales(smallest: int, largest: int, ratio: float) -> tuple[int, ...]:
    """Distinct integers from smallest to at most largest, each about `ratio` times the last."""
    count = int(np.log(largest / smallest) / np.log(ratio) + 1e-9) + 1
    return tuple(dict.fromkeys(round(smallest * ratio**i) for i in range(count)))


def both_ends(values: FloatArray, length: int) -> FloatArray:
    """Adjoining windows of one length, laid from the first value on and from the last value back.

    Parameters
    ----------
    values : (nobs,)
    length : values in a window, at most nobs.

    Returns
    -------
    (2 * (nobs // length), length): between them the windows use every value.
    """
    span = len(values) // length * length
    return np.concatenate([values[:span], values[len(values) - span :]]).reshape(-1, length)


def fit_line(x: FloatArray, y: FloatArray, weights: FloatArray) -> tuple[float, float, float]:
    """Weighted least-squares line.

    Parameters
    ----------
    x, y, weights : (points,)

    Returns
    -------
    slope, intercept and weighted R².
    """
    shares = weights / weights.sum()
    x_mean, y_mean = float(shares @ x), float(shares @ y)
    dx, dy = x - x_mean, y - y_mean
    slope = float((shares * dx) @ dy) / float((shares * dx) @ dx)
    return slope, y_mean - slope * x_mean, r_squared(y, y_mean + slope * dx, shares)


def r_squared(y: FloatArray, fitted: FloatArray, shares: FloatArray) -> float:
    """Weighted share of the spread of y about its mean that the fitted values explain."""
    spread = float(shares @ (y - shares @ y) ** 2)
    return 1.0 - float(shares @ (y - fitted) ** 2) / spread if spread > 0 else 0.0


def find_zero(function: Callable[[float], float], lower: float, upper: float) -> float:
    """Zero of a decreasing function, or the bound that it lies beyond.

    Notes
    -----
    Regula falsi, the Illinois variant: the kept end's value is halved, so that neither end stalls.

    References
    ----------
    Dowell & Jarratt (1971), BIT 11(2).
    """
    at_lower, at_upper = function(lower), function(upper)
    if at_lower <= 0:
        return lower
    if at_upper >= 0:
        return upper
    kept = 0
    for _ in range(_MAX_ITERATIONS):
        middle = (lower * at_upper - upper * at_lower) / (at_upper - at_lower)
        value = function(middle)
        if abs(value) < _TOLERANCE or upper - lower < _TOLERANCE:
            return middle
        if value > 0:
            lower, at_lower = middle, value
            at_upper *= 0.5 if kept > 0 else 1.0
            kept = 1
        else:
            upper, at_upper = middle, value
            at_lower *= 0.5 if kept < 0 else 1.0
            kept = -1
    return middle


def fit_scaling_law(
    scales: FloatArray,
    values: FloatArray,
    weights: FloatArray,
    log_expected: Callable[[float], FloatArray],
    law: tuple[float, float],
) -> ScalingFit:
    r"""Exponent of a power law that sampled paths follow only at large scales.

    Parameters
    ----------
    scales, values, weights : (points,) from fine to coarse.
    log_expected : log of the statistic's expectation at each scale given the exponent, up to a
        constant.
    law : multiplier :math:`m` and offset :math:`a` of the law
        ``value ~ scale ** (m * hurst + a)``.

    Returns
    -------
    The line through the corrected logs; its slope is :math:`m H + a`.

    Raises
    ------
    ConstantSeries : the statistic is positive at fewer than three scales.

    Notes
    -----
    What is taken from each log value is the departure of the exact expectation from the law,
    :math:`\log E_H(s) - (m H + a) \log s`. It depends on the exponent sought: the exponent is the
    one at which the slope of the corrected line and the law agree.
    """
    positive = values > 0
    if np.count_nonzero(positive) < MINIMUM_POINTS:
        raise ConstantSeries(
            "the path fluctuates at too few scales to have a scaling exponent",
            field="log_volatility",
            needed=f"fluctuations at {MINIMUM_POINTS} scales or more",
        )
    x, y, w = np.log(scales[positive]), np.log(values[positive]), weights[positive]
    contrast = w * (x - w @ x / w.sum())

    def disagreement(hurst: float) -> float:
        return float(contrast @ (y - log_expected(hurst)[positive]))

    hurst = find_zero(disagreement, *HURST_BOUNDS)
    multiplier, offset = law
    departure = log_expected(hurst)[positive] - (multiplier * hurst + offset) * x
    corrected = y - (departure - departure[-1])
    slope, intercept, fit_quality = fit_line(x, corrected, w)
    return ScalingFit(
        hurst=hurst,
        slope=slope,
        intercept=intercept,
        r_squared=fit_quality,
        points=scaling_points(scales[positive], values[positive], np.exp(corrected)),
    )


def scaling_points(
    scales: FloatArray, values: FloatArray, corrected: FloatArray
) -> tuple[ScalingPoint, ...]:
    """Points from three arrays of the same length, in plain numbers."""
    triples = zip(scales.tolist(), values.tolist(), corrected.tolist(), strict=True)
    return tuple(ScalingPoint(scale, value, fixed) for scale, value, fixed in triples)
