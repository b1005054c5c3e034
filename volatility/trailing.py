r"""Exponentially weighted means of what came before, over histories of any length up to a window.

Windows are (batch, sessions) with the newest session last. Where a history is shorter than the
window its leading sessions are NaN, and count in nothing. Each row's sum runs over the same number
of places whatever the batch, so that a row has the same bits alone, among others, from the shortest
sufficient history and from a long one.
"""

from functools import cache

import numpy as np

from volatility.arrays import BoolArray, FloatArray

# Sessions that the slowest mean reaches back: two times its centre of mass, which holds 86 % of an
# endless exponential's weight. The rest is spread over the window.
SESSIONS = 250
SLOW = 125.0  # centre of mass of the slow mean, the level that an asset returns to
SCALE = 25.0  # centre of mass of the mean square that returns are measured by

# Of a mean rv: the least that a mean square return counts as. A price that closes where it opened
# for weeks, but moved in between, would else turn its next return into an enormous one.
_LEAST_SQUARE = 0.01


@cache
def exponential_weights(centre_of_mass: float, sessions: int) -> FloatArray:
    r"""Weights of an exponential mean over a window, the newest session's 1 last.

    Parameters
    ----------
    centre_of_mass : mean age, in sessions, of what an endless such mean is made of; above 0.
    sessions : of the window.

    Returns
    -------
    (sessions,), read-only.

    Notes
    -----
    .. math:: w_k = \left(\frac{c}{1 + c}\right)^k, \quad k = 0, 1, \dots
    """
    ages = np.arange(sessions, dtype=np.float64)[::-1]
    weights: FloatArray = (centre_of_mass / (1.0 + centre_of_mass)) ** ages
    weights.setflags(write=False)
    return weights


def known(windows: FloatArray) -> BoolArray:
    """Where (batch, sessions) windows hold a session; a NaN is none."""
    return np.asarray(~np.isnan(windows))


def exponential_mean(
    windows: FloatArray, centre_of_mass: float, sessions: BoolArray | None = None
) -> FloatArray:
    """Exponentially weighted mean of each row's sessions; see :func:`exponential_weights`.

    Parameters
    ----------
    windows : (batch, sessions), NaN where there is no session.
    centre_of_mass : above 0.
    sessions : where there are any, if that is :func:`known` already; windows then hold zeros in the
        other places.

    Returns
    -------
    (batch,), in the unit of the windows; NaN for a row without a session.
    """
    if sessions is None:
        sessions = known(windows)
        windows = np.where(sessions, windows, 0.0)
    return ExponentialMeans(sessions).of(windows, centre_of_mass)


class ExponentialMeans:
    """Exponential means of several series, which add up the weights of their sessions once.

    Parameters
    ----------
    sessions : (batch, sessions) where there are any.
    """

    def __init__(self, sessions: BoolArray) -> None:
        self.sessions = sessions
        self._totals: dict[float, FloatArray] = {}

    def of(self, windows: FloatArray, centre_of_mass: float) -> FloatArray:
        """As :func:`exponential_mean`, of windows that hold zeros where there is no session."""
        weights = exponential_weights(centre_of_mass, windows.shape[-1])
        total = self._totals.get(centre_of_mass)
        if total is None:
            total = _row_sums(self.sessions * weights)
            total = self._totals[centre_of_mass] = np.where(total > 0, total, np.nan)
        return np.asarray(_row_sums(windows * weights) / total)


def mean_square(returns: FloatArray, rv: FloatArray, sessions: BoolArray) -> FloatArray:
    """What returns are measured by: their trailing mean square, but no less than 1 % of mean rv.

    Parameters
    ----------
    returns, rv : (batch, sessions), zero where there is no session.
    sessions : where there are any.

    Returns
    -------
    (batch,) decimal² per session, above 0.
    """
    means = ExponentialMeans(sessions)
    return larger_mean_square(means.of(np.square(returns), SCALE), means.of(rv, SCALE))


def larger_mean_square(squares: FloatArray, rv: FloatArray) -> FloatArray:
    """Trailing mean squares, (n,), but no less than 1 % of trailing means of rv, (n,)."""
    return np.maximum(squares, _LEAST_SQUARE * rv)


def sum_of_newest(windows: FloatArray, sessions: int) -> FloatArray:
    """Sum of each row's newest sessions; (batch,)."""
    return _row_sums(windows[:, -sessions:])


def _row_sums(values: FloatArray) -> FloatArray:
    """(batch, n) to (batch,): of contiguous rows, which numpy adds in one order."""
    return np.asarray(np.add.reduce(np.ascontiguousarray(values), axis=-1))
