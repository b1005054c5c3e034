"""Windows of past values, and weighted means over them.

The same row gives the same value to the last bit, alone or in a batch, from the shortest sufficient
history or from a long one: each is a sum over one contiguous row, never a difference of running
sums.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from volatility.arrays import FloatArray
from volatility.errors import HistoryTooShort


def windows(values: FloatArray, lookback: int) -> FloatArray:
    """Every run of ``lookback`` consecutive values.

    Parameters
    ----------
    values : (n,), oldest first.
    lookback : values a window.

    Returns
    -------
    (n - lookback + 1, lookback), C-contiguous; row i ends with value i + lookback - 1.

    Raises
    ------
    HistoryTooShort : fewer than ``lookback`` values.
    """
    _check_length(len(values), lookback, f"a window of {lookback} sessions")
    view = np.lib.stride_tricks.sliding_window_view(np.asarray(values, np.float64), lookback)
    return np.ascontiguousarray(view)


def trailing_means(windows: FloatArray, lags: Sequence[int]) -> FloatArray:
    r"""Means over the last ``lag`` sessions of each window, the regressors of HAR.

    Parameters
    ----------
    windows : (batch, lookback).
    lags : sessions a mean; (1, 5, 22) for HAR.

    Returns
    -------
    (batch, len(lags)), in the unit of the windows.

    Raises
    ------
    HistoryTooShort : a lag is longer than the windows.

    Notes
    -----
    .. math:: \bar x_t^{(k)} = \frac{1}{k} \sum_{i=0}^{k-1} x_{t-i}

    References
    ----------
    Corsi (2009), Journal of Financial Econometrics 7(2).
    """
    _check_length(windows.shape[1], max(lags), f"HAR with lags {tuple(lags)}")
    return np.stack([newest(windows, lag).mean(axis=-1) for lag in lags], axis=-1)


def rough_kernel(hurst: float, sessions: int, ahead: int | NDArray[np.int64]) -> FloatArray:
    r"""Weights of past values in the forecast of a fractional Brownian motion.

    Parameters
    ----------
    hurst : Hurst exponent, above 0 and below 1/2.
    sessions : values of the past that are used, at least 1.
    ahead : sessions from the newest value to the one that is forecast, at least 1; or several.

    Returns
    -------
    (sessions,) positive weights with sum 1, the oldest value's first; or (several, sessions).

    Notes
    -----
    The forecast from the whole past of a continuous path is

    .. math:: E[X_{t+h} \mid X_s, s \le t] = \frac{\cos H\pi}{\pi}\, h^{H+1/2}
              \int_0^\infty \frac{X_{t-u}}{(u + h)\, u^{H+1/2}}\, du

    Here a session stands for a unit of time and the kernel is taken at its middle, u = 1/2, 3/2, …;
    the weights are scaled to sum to 1, which spreads over the window what is left out before it
    (for one session ahead and H = 0.1 about 3 % before a hundred sessions). Against the exact
    conditional expectation of a fractional Brownian motion seen once a session, the mean squared
    error one ahead is 5.6, 1.7, 0.4 and 3.2 % larger at H = 0.05, 0.1, 0.14 and 0.3. The exact
    integral over each session, which overstates the newest value, has 14, 8.7, 6.3 and 1.7 %.

    References
    ----------
    Nuzman & Poor (2000), Journal of Applied Probability 37(2); Gatheral, Jaisson & Rosenbaum
    (2018), Quantitative Finance 18(6), section 5.
    """
    age = np.arange(sessions, dtype=np.float64)[::-1] + 0.5
    weights = 1 / ((age + np.asarray(ahead)[..., None]) * age ** (hurst + 0.5))
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True))


def decaying(decay: float, sessions: int) -> FloatArray:
    """Powers of ``decay``, (sessions,), the newest session's 1 last."""
    return np.asarray(decay ** np.arange(sessions, dtype=np.float64)[::-1])


def weighted_sum(windows: FloatArray, weights: FloatArray) -> FloatArray:
    """Sum of each row of (batch, n) windows times (n,) weights; (batch,)."""
    # Not a matrix product: BLAS adds in another order for one row than for many.
    return np.asarray((np.ascontiguousarray(windows) * weights).sum(axis=-1))


def newest(windows: FloatArray, sessions: int) -> FloatArray:
    """Newest columns; contiguous, so that numpy adds each row in one order whatever the batch."""
    return np.ascontiguousarray(windows[:, -sessions:])


def _check_length(found: int, needed: int, what: str) -> None:
    if found < needed:
        raise HistoryTooShort(
            f"{what} needs {needed} sessions; got {found}",
            field="history",
            found=found,
            needed=f"at least {needed} sessions",
        )
