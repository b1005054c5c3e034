"""The variogram of log volatility, as it is."""

import numpy as np
from numpy.typing import NDArray

from volatility.arrays import FloatArray
from volatility.hurst.calibration import calibrated
from volatility.hurst.estimate import ConstantSeries, HurstEstimate, ScalingFit, check_path
from volatility.hurst.scaling import MINIMUM_POINTS, fit_line, scaling_points

MAX_LAG = 20  # sessions, a month: beyond it mean reversion bends the line


def variogram(log_volatility: FloatArray, level: float = 0.95) -> HurstEstimate:
    r"""Hurst exponent from the growth of the mean squared difference with the lag.

    Parameters
    ----------
    log_volatility : (nobs,) path of log volatility, in levels.
    level : nominal coverage of the interval, in (0, 1).

    Returns
    -------
    Estimate whose points are :math:`\gamma(\tau)` at lags of 1 … 20 sessions.

    Raises
    ------
    InvalidInput, HistoryTooShort, ConstantSeries : see :func:`check_path`.

    Notes
    -----
    .. math:: \gamma(\tau) = E (X_{t + \tau} - X_t)^2 = \nu^2 \tau^{2H}

    exactly, at every lag, so nothing is corrected. Measurement noise adds the same amount to
    every lag and pulls the exponent down: see :func:`variogram_corrected`. Lags weigh inversely to
    their size, since in logs they crowd at the coarse end.

    References
    ----------
    Gatheral, Jaisson & Rosenbaum (2018), Quantitative Finance 18(6), with q = 2.
    """
    path = check_path(log_volatility)
    return calibrated("variogram", variogram_fit(path), len(path), level)


def variogram_fit(path: FloatArray) -> ScalingFit:
    """Line behind :func:`variogram`, for a path that has been checked: (nobs,)."""
    return fit_power_law(mean_squared_differences(path), noise=0.0)


def mean_squared_differences(path: FloatArray, max_lag: int = MAX_LAG) -> FloatArray:
    """Mean squared difference at lags 1 … max_lag: (max_lag,)."""
    differences = (path[lag:] - path[:-lag] for lag in range(1, max_lag + 1))
    return np.array([change @ change / len(change) for change in differences])


def running_mean_squared_differences(path: FloatArray, counts: NDArray[np.int64]) -> FloatArray:
    """The same of the oldest values of a path, for each of several counts: (counts, `MAX_LAG`).

    Sums of all counts are running sums, and agree with those of each alone up to rounding.
    """
    found = np.empty((len(counts), MAX_LAG))
    for lag in range(1, MAX_LAG + 1):
        sums = np.cumsum(np.square(path[lag:] - path[:-lag]))
        found[:, lag - 1] = sums[counts - lag - 1] / (counts - lag)
    return found


def fit_power_law(values: FloatArray, noise: float) -> ScalingFit:
    """Line through the logs of a variogram less a constant.

    Parameters
    ----------
    values : (lags,) mean squared differences at lags 1, 2, …
    noise : what measurement noise adds to each of them; less than the smallest.

    Notes
    -----
    A log is as precise as its argument's relative error, so lags weigh with the squared share of
    the variogram that is not noise. A path that repeats itself exactly does not differ from itself
    at some lags; these are left out.

    Raises
    ------
    ConstantSeries : fewer than three lags are left.
    """
    lags = np.arange(1.0, len(values) + 1)[values > 0]
    values = values[values > 0]
    if len(values) < MINIMUM_POINTS:
        raise ConstantSeries(
            "the path repeats itself at nearly every lag: it has no scaling exponent",
            field="log_volatility",
            needed=f"differences at {MINIMUM_POINTS} lags or more",
        )
    corrected = values - noise
    weights = (corrected / values) ** 2 / lags
    slope, intercept, fit_quality = fit_line(np.log(lags), np.log(corrected), weights)
    return ScalingFit(
        hurst=slope / 2,
        slope=slope,
        intercept=intercept,
        r_squared=fit_quality,
        points=scaling_points(lags, values, corrected),
    )
