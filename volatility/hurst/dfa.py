"""Detrended fluctuation analysis of the increments of log volatility."""

from functools import lru_cache

import numpy as np

from volatility.arrays import FloatArray
from volatility.hurst.calibration import calibrated
from volatility.hurst.estimate import HurstEstimate, ScalingFit, check_path
from volatility.hurst.scaling import both_ends, fit_scaling_law, geometric_scales

SMALLEST, LARGEST = 5, 512  # sessions; two years is where daily volatility stops scaling
RATIO = 1.35
MINIMUM_WINDOWS = 4  # the coarsest scale still averages this many windows


def dfa(log_volatility: FloatArray, level: float = 0.95) -> HurstEstimate:
    r"""Hurst exponent by detrended fluctuation analysis of order one.

    The analysis is one of **increments**: its profile, the cumulated increments, is the path that
    is given. For a series that is noise-like already, pass its cumulated sum.

    Parameters
    ----------
    log_volatility : (nobs,) path of log volatility, in levels.
    level : nominal coverage of the interval, in (0, 1).

    Returns
    -------
    Estimate whose points are the fluctuations :math:`F(s)`.

    Raises
    ------
    InvalidInput, HistoryTooShort, ConstantSeries : see :func:`check_path`.

    Notes
    -----
    .. math:: F^2(s) = \frac1{N s} \sum_{v=1}^{N} \sum_{i=1}^{s}
        \left(X_{v,i} - \hat a_v - \hat b_v i\right)^2, \qquad F(s) \propto s^H

    The power law holds at large scales only, and at :math:`H \approx 0.1` windows of ten sessions
    are far from large: the textbook slope is 0.05 too high there. Detrending is a projection, so
    the expectation under fractional Brownian motion is exact at every scale,
    :math:`E F^2(s) = \sum_k c_s(k) k^{2H}`, and the departure is taken out; see
    :func:`fit_scaling_law`. Points weigh as the number of their windows.

    References
    ----------
    Peng et al. (1994), Physical Review E 49(2); Kantelhardt et al. (2001), Physica A 295(3-4), on
    the correction of short scales; Kantelhardt et al. (2002), Physica A 316, for windows from both
    ends.
    """
    path = check_path(log_volatility)
    return calibrated("dfa", dfa_fit(path), len(path), level)


def dfa_fit(path: FloatArray) -> ScalingFit:
    """Line behind :func:`dfa`, for a path that has been checked: (nobs,)."""
    scales = geometric_scales(SMALLEST, min(LARGEST, len(path) // MINIMUM_WINDOWS), RATIO)
    lengths = np.array(scales, dtype=np.float64)
    fluctuations = np.sqrt([squared_fluctuation(path, scale) for scale in scales])
    coefficients = expectation_coefficients(scales)
    log_lags = np.log(np.arange(1, scales[-1]))

    def log_expected(hurst: float) -> FloatArray:
        return np.asarray(0.5 * np.log(coefficients @ np.exp(2 * hurst * log_lags)))

    return fit_scaling_law(lengths, fluctuations, 1 / lengths, log_expected, law=(1.0, 0.0))


def squared_fluctuation(path: FloatArray, scale: int) -> float:
    """Mean squared residual of straight lines fitted to windows of `scale` values of the path."""
    windows = both_ends(path, scale)
    centred = windows - windows.mean(axis=1, keepdims=True)
    time = np.arange(scale) - (scale - 1) / 2
    trends = centred @ time
    residual = np.vdot(centred, centred) - trends @ trends / (time @ time)
    return float(residual) / windows.size


@lru_cache(maxsize=64)
def expectation_coefficients(scales: tuple[int, ...]) -> FloatArray:
    r"""What each lag's variogram adds to the expected squared fluctuation.

    Parameters
    ----------
    scales : window lengths, increasing.

    Returns
    -------
    (scales, largest scale - 1) coefficients :math:`c_s(k)` of :math:`k^{2H}`.

    Notes
    -----
    The residual is :math:`x' P x` with a projection :math:`P` that removes constants, so its
    expectation is :math:`-\frac12 \sum_{ij} P_{ij} |i - j|^{2H}`; the coefficients are minus the
    sums of the diagonals of :math:`P`, over the window's length.
    """
    coefficients = np.zeros((len(scales), scales[-1] - 1))
    for row, scale in enumerate(scales):
        time = np.arange(scale) - (scale - 1) / 2
        products = np.correlate(time, time, "full")[scale:] / (time @ time)
        level = 1 - np.arange(1, scale) / scale
        coefficients[row, : scale - 1] = (level + products) / scale
    return coefficients
