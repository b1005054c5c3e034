"""The signatures of measures whose successive values share returns."""

import numpy as np

from volatility.arrays import FloatArray

SHORTEST_WINDOW = 3  # increments of rough paths are correlated at lags 1 and 2 themselves
LONGEST_SHARE = 5  # windows up to a fifth of the sample
# A window of independent returns gives -0.5. Smaller dips than 0.2, or than five standard errors
# of an autocorrelation, are not taken for one.
WEAKEST_DIP = 0.2
STANDARD_ERRORS = 5.0
# An exponential average falls by its decay at most, and often by nearly that. Of normal increments
# the smallest of 250 lies 2.8 deviations below the median, of uniform ones 1.25 times as far as the
# ninth decile above it; an average of squared returns gives 0.2.
LARGEST_FALL = 1.2  # below the median, in units of the ninth decile's distance above it
SEASONAL_RISE = 0.75  # of the dip: a weekly season rises twice as much as it dips, at the next week


def overlapping_window(path: FloatArray) -> int | None:
    r"""Length of the rolling window that the path looks made with, or None.

    Parameters
    ----------
    path : (nobs,) log volatility, in levels, checked.

    Returns
    -------
    The window in sessions (or bars, whatever the path is counted in). Windows of ten values or more
    are found nearly always, of five mostly; the log of fewer squares is too far from linear.

    Notes
    -----
    A rolling mean of w squares changes by the square that enters less the one that leaves, so its
    increments are correlated by -1/2 at lag w and by nothing at others: at lags below the window
    the path is a random walk, :math:`H = 1/2`, whatever the volatility does. Weekly seasons dip
    too, but rise as much at the next multiple of the week, and are not taken for a window.
    """
    correlations = autocorrelations(np.diff(path), len(path) // LONGEST_SHARE)
    beyond = correlations[SHORTEST_WINDOW:]
    window = int(beyond.argmin())
    dip = -float(beyond[window])
    threshold = max(WEAKEST_DIP, STANDARD_ERRORS / np.sqrt(len(path)))
    if dip < threshold or float(beyond.max()) > SEASONAL_RISE * dip:
        return None
    return window + SHORTEST_WINDOW


def exponential_decay(path: FloatArray) -> float | None:
    r"""Decay of the exponential average that the path looks made with, or None.

    Parameters
    ----------
    path : (nobs,) log volatility, in levels, checked.

    Returns
    -------
    Weight of the past in each variance, as the largest fall shows it: 0.94 in RiskMetrics. It is
    too high by as much as the smallest return still added.

    Notes
    -----
    An average :math:`v_t = \lambda v_{t-1} + (1 - \lambda) x_t` of positive values falls by a
    factor of :math:`\lambda` at most, whatever happens, and rises without limit: the increments of
    its log end abruptly on one side. Those of Gaussian models of log volatility have tails on both,
    and measurement noise gives them to any other. A process that rises in jumps and falls no
    faster than it reverts, seen without noise, ends as abruptly and is taken for an average; of
    itself the path does not tell which it is. An average of values that hardly move has increments
    without skew and is not found.
    """
    increments = np.sort(np.diff(path))
    median, high = np.quantile(increments, [0.5, 0.9])
    if median - increments[0] >= LARGEST_FALL * (high - median):
        return None
    decay = float(np.exp(2 * increments[0]))
    return decay if 0.0 < decay < 1.0 else None  # a path that never falls is no average


def autocorrelations(values: FloatArray, max_lag: int) -> FloatArray:
    """Sample autocorrelations at lags 0 … max_lag: (max_lag + 1,)."""
    size = 1 << (2 * len(values) - 1).bit_length()
    transform = np.fft.rfft(values - values.mean(), size)
    covariances = np.fft.irfft(transform.real**2 + transform.imag**2, size)[: max_lag + 1]
    return np.asarray(covariances / covariances[0])
