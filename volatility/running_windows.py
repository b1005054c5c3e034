r"""The windows of every session of a series, of which exponential means are running sums.

A regressor takes from them what it takes of a batch of windows, and gets the same values up to
rounding (1e-12, relative), at a cost that does not grow with what it looks back on. For fits and
forecasts by the thousand over one series; a forecast that is served is made of its own window.
"""

from collections.abc import Mapping
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from volatility.arrays import FloatArray
from volatility.measures.columns import companion_of
from volatility.regressors import Regressor
from volatility.shared_windows import SharedWindows
from volatility.trailing import (
    SCALE,
    SESSIONS,
    exponential_weights,
    known,
    larger_mean_square,
)

# Sums inside a block are of values over powers of the decay: at a centre of mass of 1 up to 2^256,
# which a float64 holds as precisely as 1.
_BLOCK = 256


class RunningWindows(SharedWindows):
    """One window a session, the newest value of each being that session's; (n,) of everything.

    What reaches back before the first session of the series has no meaning there: a regressor's
    values count from its ``sessions``-th on.

    Parameters
    ----------
    columns : by name, (n,) in order of time; "rv" on the scale of the model.
    """

    def __init__(self, columns: Mapping[str, FloatArray]) -> None:
        # No windows: a regressor that read them, where it is to ask for ``newest``, finds none.
        super().__init__()
        self.columns = dict(columns)
        self._found: dict[Regressor, FloatArray] = {}
        self._of_levels: dict[float, FloatArray] = {}

    def values_of(self, regressor: Regressor) -> FloatArray:
        """A regressor's values, (n,), computed once."""
        if regressor not in self._found:
            self._found[regressor] = regressor.values(self)
        return self._found[regressor]

    def newest(self, column: str, sessions: int) -> FloatArray:
        """The newest values of each window; (n, sessions), a view."""
        values = self.columns[column]
        padded = np.concatenate([np.full(sessions - 1, values[0]), values])
        return np.lib.stride_tricks.sliding_window_view(padded, sessions)

    def log_of_mean_rv(self, centre_of_mass: float) -> FloatArray:
        """Log of the exponential mean of rv itself; (n,)."""
        return np.log(self._mean_rv(centre_of_mass))

    @cached_property
    def deviation(self) -> FloatArray:
        """Root of the trailing mean square return, above 0; (n,) decimal per session."""
        squares = running_exponential_mean(np.square(self.columns["return"]), SCALE)
        return np.sqrt(larger_mean_square(squares, self._mean_rv(SCALE)))

    def deviation_of(self, returns: str) -> FloatArray:
        """That by which returns are measured: the series' own, or a companion's of its own."""
        companion = companion_of(returns)
        if companion is None:
            return self.deviation
        log_rv, newest = self.columns[f"{companion}:log_rv"], self.columns[returns]
        there = known(log_rv)
        squares = np.where(known(newest), np.square(newest), 0.0)
        squares_mean = running_exponential_mean(np.where(there, squares, np.nan), SCALE)
        levels = running_exponential_mean(np.exp(log_rv), SCALE)
        return np.sqrt(larger_mean_square(squares_mean, levels))

    def _mean(self, centre_of_mass: float, column: str) -> FloatArray:
        return running_exponential_mean(self.columns[column], centre_of_mass)

    def _mean_rv(self, centre_of_mass: float) -> FloatArray:
        if centre_of_mass not in self._of_levels:
            self._of_levels[centre_of_mass] = self._new_mean_rv(centre_of_mass)
        return self._of_levels[centre_of_mass]

    def _new_mean_rv(self, centre_of_mass: float) -> FloatArray:
        return running_exponential_mean(np.exp(self.columns["rv"]), centre_of_mass)


class WithoutEffects(RunningWindows):
    r"""The same with effects of its own taken out of each window's log rv.

    Parameters
    ----------
    plain : the windows with the effects.
    classes : (n,) class of each session.
    effects : (n, classes) what is subtracted from log rv in each session's window, by class.

    Notes
    -----
    .. math:: \sum_i w_i (x_i - e_{c_i}) = \sum_i w_i x_i - \sum_c e_c \sum_{i: c_i = c} w_i

    and the same of rv, divided by :math:`\exp(e_c)`: sums by class are running sums too, whatever
    the effects.
    """

    def __init__(
        self, plain: RunningWindows, classes: NDArray[np.int64], effects: FloatArray
    ) -> None:
        super().__init__(plain.columns)
        self._plain, self._classes, self._effects = plain, classes, effects
        self._present = np.unique(classes)
        self._member = (classes == self._present[:, None]).astype(np.float64)  # (present, n)

    def newest(self, column: str, sessions: int) -> FloatArray:
        """The newest values of each window; (n, sessions)."""
        values = self._plain.newest(column, sessions)
        if column != "rv":
            return values
        classes = np.concatenate([np.zeros(sessions - 1, np.int64), self._classes])
        windows = np.lib.stride_tricks.sliding_window_view(classes, sessions)
        return np.asarray(values - np.take_along_axis(self._effects, windows, axis=1))

    def _mean(self, centre_of_mass: float, column: str) -> FloatArray:
        mean = self._plain.exponential_mean(centre_of_mass, column)
        if column != "rv":
            return mean
        shares = running_exponential_mean(self._member, centre_of_mass)  # (present, n)
        return np.asarray(mean - np.einsum("nc,cn->n", self._effects[:, self._present], shares))

    def _new_mean_rv(self, centre_of_mass: float) -> FloatArray:
        of_class = self._member * np.exp(self.columns["rv"])
        means = running_exponential_mean(of_class, centre_of_mass)
        return np.asarray(np.einsum("nc,cn->n", np.exp(-self._effects[:, self._present]), means))


def running_exponential_mean(values: FloatArray, centre_of_mass: float) -> FloatArray:
    r"""Exponentially weighted mean of the last 250 values, at every value.

    Parameters
    ----------
    values : (…, n) in order of time; NaN where one is not known.
    centre_of_mass : see :func:`volatility.trailing.exponential_weights`; 1 or more.

    Returns
    -------
    (…, n), the same as :func:`volatility.trailing.exponential_mean` of windows, up to rounding:
    of what is known of 250 values, NaN where nothing is. The first 249 have no meaning: values that
    are not there count as zero.

    Notes
    -----
    .. math:: \sum_{i=0}^{m-1} \lambda^i x_{t-i} = S_t - \lambda^m S_{t-m}, \quad
              S_t = \lambda S_{t-1} + x_t

    A value that comes later changes no bit of an earlier sum.
    """
    there = known(values)
    if there.all():
        return _sums_of_newest(values, centre_of_mass) / _total_weight(centre_of_mass)
    sums = _sums_of_newest(np.where(there, values, 0.0), centre_of_mass)
    weights = _sums_of_newest(there.astype(np.float64), centre_of_mass)
    met = np.cumsum(there, axis=-1, dtype=np.int64)  # known so far
    met[..., SESSIONS:] -= met[..., :-SESSIONS].copy()
    return np.where(met > 0, sums / np.where(met > 0, weights, 1.0), np.nan)


def _total_weight(centre_of_mass: float) -> float:
    return float(exponential_weights(centre_of_mass, SESSIONS).sum())


def _sums_of_newest(values: FloatArray, centre_of_mass: float) -> FloatArray:
    """Weighted sums of the last 250 values; (…, n)."""
    decay = centre_of_mass / (1.0 + centre_of_mass)
    sums = _decayed_sums(values, decay)
    left = sums[..., :-SESSIONS] * decay**SESSIONS
    sums[..., SESSIONS:] -= left
    return sums


def _decayed_sums(values: FloatArray, decay: float) -> FloatArray:
    """Sums of all values so far, each times the decay to the power of its age; (…, n)."""
    *outer, count = values.shape
    blocks = -(-count // _BLOCK)
    padded = np.zeros((*outer, blocks * _BLOCK))
    padded[..., :count] = values
    powers = decay ** np.arange(_BLOCK, dtype=np.float64)
    within = padded.reshape(*outer, blocks, _BLOCK)
    within *= 1.0 / powers
    np.cumsum(within, axis=-1, out=within)
    within *= powers
    for block in range(1, blocks):
        within[..., block, :] += within[..., block - 1, -1:] * (decay * powers)
    return within.reshape(*outer, blocks * _BLOCK)[..., :count]
