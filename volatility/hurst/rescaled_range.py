"""Rescaled range analysis of the increments of log volatility."""

import numpy as np

from volatility.arrays import FloatArray
from volatility.hurst.calibration import calibrated, rescaled_range_expectation
from volatility.hurst.estimate import HurstEstimate, ScalingFit, check_path
from volatility.hurst.scaling import both_ends, fit_scaling_law, geometric_scales

SMALLEST, LARGEST = 8, 512  # sessions; two years is where daily volatility stops scaling
RATIO = 1.35
MINIMUM_WINDOWS = 4  # the coarsest scale still averages this many windows
SCALES = geometric_scales(SMALLEST, LARGEST, RATIO)


def rescaled_range(log_volatility: FloatArray, level: float = 0.95) -> HurstEstimate:
    r"""Hurst exponent by Hurst's rescaled range.

    The analysis is one of **increments**, which are taken of the path that is given. For a series
    that is noise-like already, pass its cumulated sum.

    Parameters
    ----------
    log_volatility : (nobs,) path of log volatility, in levels.
    level : nominal coverage of the interval, in (0, 1).

    Returns
    -------
    Estimate whose points are the mean rescaled ranges :math:`R/S(s)`.

    Raises
    ------
    InvalidInput, HistoryTooShort, ConstantSeries : see :func:`check_path`.

    Notes
    -----
    In each window of :math:`s` increments, :math:`R` is the range of their cumulated deviations
    from the window's mean and :math:`S` their standard deviation; :math:`R/S \propto s^H`.

    The plain slope is 0.09 too high at :math:`H = 0.1`. Anis & Lloyd gave the exact expectation
    for independent increments, which mends it at :math:`H = 0.5` alone. Here the same correction
    is made at every exponent: the expectation over windows of fractional Gaussian noise, simulated
    once and shipped, equals theirs at one half. Points weigh as the number of their windows.

    References
    ----------
    Hurst (1951), Transactions of the American Society of Civil Engineers 116; Anis & Lloyd (1976),
    Biometrika 63(1).
    """
    path = check_path(log_volatility)
    return calibrated("rescaled_range", rescaled_range_fit(path), len(path), level)


def rescaled_range_fit(path: FloatArray) -> ScalingFit:
    """Line behind :func:`rescaled_range`, for a path that has been checked: (nobs,)."""
    increments = np.diff(path)
    scales = [scale for scale in SCALES if scale * MINIMUM_WINDOWS <= len(increments)]
    lengths = np.array(scales, dtype=np.float64)
    values = np.array([mean_rescaled_range(increments, scale) for scale in scales])
    expectation = rescaled_range_expectation()

    def log_expected(hurst: float) -> FloatArray:
        return expectation(hurst)[: len(scales)]

    return fit_scaling_law(lengths, values, 1 / lengths, log_expected, law=(1.0, 0.0))


def mean_rescaled_range(increments: FloatArray, scale: int) -> float:
    """Mean over windows of `scale` increments; windows without variation are left out."""
    windows = both_ends(increments, scale)
    deviations = windows - windows.mean(axis=1, keepdims=True)
    spread = np.sqrt(np.einsum("ij,ij->i", deviations, deviations) / scale)
    profile = np.cumsum(deviations, axis=1)
    varies = spread > 0
    if not varies.any():
        return 0.0
    return float(np.mean(np.ptp(profile, axis=1)[varies] / spread[varies]))
