"""The signature of a measure whose successive values share returns."""

import numpy as np

from volatility.arrays import FloatArray

SHORTEST_WINDOW = 3  # increments of rough paths are correlated at lags 1 and 2 themselves
LONGEST_SHARE = 5  # windows up to a fifth of the sample
# A window of independent returns gives -0.5. Smaller dips than 0.2, or than five standard errors
# of an autocorrelation, are not taken for one.
WEAKEST_DIP = 0.2
STANDARD_ERRORS = 5.0
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


def autocorrelations(values: FloatArray, max_lag: int) -> FloatArray:
    """Sample autocorrelations at lags 0 … max_lag: (max_lag + 1,)."""
    size = 1 << (2 * len(values) - 1).bit_length()
    transform = np.fft.rfft(values - values.mean(), size)
    covariances = np.fft.irfft(transform.real**2 + transform.imag**2, size)[: max_lag + 1]
    return np.asarray(covariances / covariances[0])
