"""From windows of past values to the regressors of linear models.

Everything a model sees is a matrix of windows, (batch, lookback), for each column of the series,
and the last column of each matrix is ``as_of``. The same row gives the same regressors to the last
bit, alone or in a batch, from the shortest sufficient history or from a long one: each is a sum
over one contiguous row, never a difference of running sums.

Regressors go by names, which say everything there is to know about them; manifests hold the names.

============================================  ======================================================
``mean_5``                                    mean rv of the last 5 sessions
``mean_5:continuous``                         the same of another column (:mod:`volatility.columns`)
``negative_mean_5:return``                    that mean where it is below zero, else zero
``ewma_0.94``                                 exponentially weighted mean of rv
``quarticity_1``                              mean rv times the root of the mean realized quarticity
``return_squares_0.900000_200``               decayed sum of the last 200 squared returns
``negative_return_squares_0.900000_200``      the same of the negative returns alone
``rough_0.1200_100_5``                        forecast of a fractional Brownian motion of H = 0.12,
                                              5 sessions ahead, from the last 100
============================================  ======================================================

On the logs scale "rv" stands for its logarithm; other columns stay as they are.
"""

import math
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from volatility.arrays import FloatArray, Windows
from volatility.columns import INTRADAY_COLUMNS
from volatility.errors import HistoryTooShort, InvalidInput

# RiskMetrics Technical Document (1996): a window that leaves out 1 % of the weight;
# 75 days for a decay of 0.94.
WEIGHT_LEFT_OUT = 0.01

_CACHED = 4096  # names, and sets of names, whose meaning is remembered


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
    return np.stack([_last(windows, lag).mean(axis=-1) for lag in lags], axis=-1)


def exponential_mean(windows: FloatArray, decay: float) -> FloatArray:
    r"""Exponentially weighted mean over each window.

    Parameters
    ----------
    windows : (batch, lookback).
    decay : weight of a value relative to the next one, above 0 and below 1.

    Returns
    -------
    (batch,), in the unit of the windows.

    Raises
    ------
    InvalidInput : ``invalid_decay``.

    Notes
    -----
    .. math:: \sum_{i=0}^{L-1} w_i x_{t-i}, \quad w_i = \lambda^i \big/ \sum_{j<L} \lambda^j

    References
    ----------
    J.P. Morgan/Reuters (1996), RiskMetrics Technical Document.
    """
    if not 0 < decay < 1:
        raise InvalidInput(
            f"decay {decay} is not between 0 and 1; needed: 0.94, say",
            code="invalid_decay",
            field="decay",
            found=decay,
            needed="above 0 and below 1",
        )
    weights = _decaying(decay, windows.shape[1])
    return _weighted_sum(windows, weights / weights.sum())


def rough_kernel(hurst: float, sessions: int, ahead: int) -> FloatArray:
    r"""Weights of past values in the forecast of a fractional Brownian motion.

    Parameters
    ----------
    hurst : Hurst exponent, above 0 and below 1/2.
    sessions : values of the past that are used, at least 1.
    ahead : sessions from the newest value to the one that is forecast, at least 1.

    Returns
    -------
    (sessions,) positive weights with sum 1, the oldest value's first.

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
    weights = 1 / ((age + ahead) * age ** (hurst + 0.5))
    return np.asarray(weights / weights.sum())


def build(names: Sequence[str], windows: Windows) -> FloatArray:
    """Design matrix without its constant.

    Parameters
    ----------
    names : regressors; see the top of the module.
    windows : by column, (batch, lookback) of at least :func:`lookback_of` sessions each; earlier
        ones are not looked at.

    Returns
    -------
    (batch, len(names)).

    Raises
    ------
    HistoryTooShort : the windows are shorter than the regressors need.
    InvalidInput : ``unknown_regressor``; ``missing_columns``, the windows lack one that the
        regressors are made of.
    """
    plan = _plan(tuple(names))
    for column in plan.columns:
        if column not in windows:
            raise _missing(column, names)
        if windows[column].shape[1] < plan.lookback:
            _check_length(windows[column].shape[1], plan.lookback, f"regressors {', '.join(names)}")
    return np.stack([_values(regressor, windows) for regressor in plan.regressors], axis=-1)


def lookback_of(names: Sequence[str]) -> int:
    """Sessions that the regressors reach back, ``as_of`` included.

    Raises
    ------
    InvalidInput : ``unknown_regressor``.
    """
    return _plan(tuple(names)).lookback


def columns_of(names: Sequence[str]) -> tuple[str, ...]:
    """Columns that the regressors are made of besides rv, sorted.

    Raises
    ------
    InvalidInput : ``unknown_regressor``.
    """
    return tuple(column for column in _plan(tuple(names)).columns if column != "rv")


class _Regressor(NamedTuple):
    """What a name means."""

    lookback: int  # sessions
    columns: tuple[str, ...]  # in the order in which the function takes them
    function: Callable[..., FloatArray]  # from (batch, lookback) contiguous, each, to (batch,)


class _Plan(NamedTuple):
    """What a set of names needs."""

    regressors: tuple[_Regressor, ...]
    lookback: int
    columns: tuple[str, ...]  # sorted, rv among them where it is needed


@lru_cache(maxsize=_CACHED)
def _plan(names: tuple[str, ...]) -> _Plan:
    regressors = tuple(_parse(name) for name in names)
    return _Plan(
        regressors,
        max(regressor.lookback for regressor in regressors),
        tuple(sorted({column for regressor in regressors for column in regressor.columns})),
    )


@lru_cache(maxsize=_CACHED)
def _parse(name: str) -> _Regressor:
    for pattern, meaning in _GRAMMAR.items():
        match = re.fullmatch(pattern, name)
        if match is not None:
            return meaning(**match.groupdict())
    raise InvalidInput(
        f"regressor {name!r} is unknown; needed: {_NEEDED}",
        code="unknown_regressor",
        field="regressors",
        found=name,
        needed=_NEEDED,
    )


def _values(regressor: _Regressor, windows: Windows) -> FloatArray:
    used = (_last(windows[column], regressor.lookback) for column in regressor.columns)
    return regressor.function(*used)


def _mean(sessions: str, column: str | None) -> _Regressor:
    return _Regressor(int(sessions), (column or "rv",), lambda values: values.mean(axis=-1))


def _negative_mean(sessions: str, column: str) -> _Regressor:
    return _Regressor(
        int(sessions), (column,), lambda values: np.minimum(values.mean(axis=-1), 0.0)
    )


def _ewma(decay: str) -> _Regressor:
    lookback = math.ceil(math.log(WEIGHT_LEFT_OUT) / math.log(float(decay)))
    weights = _decaying(float(decay), lookback)
    weights /= weights.sum()
    return _Regressor(lookback, ("rv",), lambda values: _weighted_sum(values, weights))


def _quarticity(sessions: str) -> _Regressor:
    return _Regressor(
        int(sessions),
        ("rv", "realized_quarticity"),
        lambda rv, quarticity: rv.mean(axis=-1) * np.sqrt(quarticity.mean(axis=-1)),
    )


def _return_squares(decay: str, sessions: str) -> _Regressor:
    weights = _decaying(float(decay), int(sessions))
    return _Regressor(
        int(sessions), ("return",), lambda values: _weighted_sum(np.square(values), weights)
    )


def _negative_return_squares(decay: str, sessions: str) -> _Regressor:
    weights = _decaying(float(decay), int(sessions))
    return _Regressor(
        int(sessions),
        ("return",),
        lambda values: _weighted_sum(np.square(np.minimum(values, 0.0)), weights),
    )


def _rough(hurst: str, sessions: str, ahead: str) -> _Regressor:
    weights = rough_kernel(float(hurst), int(sessions), int(ahead))
    return _Regressor(int(sessions), ("rv",), lambda values: _weighted_sum(values, weights))


_SESSIONS = r"(?P<sessions>[1-9]\d{0,3})"
_COLUMN = rf"(?P<column>{'|'.join(INTRADAY_COLUMNS)})"
_SIX_DIGITS = r"(?P<decay>0\.\d{6})"
_GRAMMAR: dict[str, Callable[..., _Regressor]] = {
    rf"mean_{_SESSIONS}(:{_COLUMN})?": _mean,
    rf"negative_mean_{_SESSIONS}:{_COLUMN}": _negative_mean,
    r"ewma_(?P<decay>0\.\d{0,5}[1-9])": _ewma,
    rf"quarticity_{_SESSIONS}": _quarticity,
    rf"return_squares_{_SIX_DIGITS}_{_SESSIONS}": _return_squares,
    rf"negative_return_squares_{_SIX_DIGITS}_{_SESSIONS}": _negative_return_squares,
    rf"rough_(?P<hurst>0\.(?!0000)[0-4]\d{{3}})_{_SESSIONS}_(?P<ahead>[1-9]\d{{0,2}})": _rough,
}
_NEEDED = (
    "mean_<sessions> or mean_<sessions>:<column>, such as mean_22 or mean_5:continuous, "
    "negative_mean_<sessions>:<column>, ewma_<decay>, such as ewma_0.94, quarticity_<sessions>, "
    "return_squares_<decay>_<sessions>, such as return_squares_0.900000_200, "
    "negative_return_squares_<decay>_<sessions>, or rough_<hurst>_<sessions>_<ahead>, such as "
    "rough_0.1200_100_1"
)


def _decaying(decay: float, sessions: int) -> FloatArray:
    """Powers of ``decay``, (sessions,), the newest session's 1 last."""
    return np.asarray(decay ** np.arange(sessions, dtype=np.float64)[::-1])


def _weighted_sum(windows: FloatArray, weights: FloatArray) -> FloatArray:
    # Not a matrix product: BLAS adds in another order for one row than for many.
    return np.asarray((np.ascontiguousarray(windows) * weights).sum(axis=-1))


def _last(windows: FloatArray, sessions: int) -> FloatArray:
    """Newest columns; contiguous, so that numpy adds each row in one order whatever the batch."""
    return np.ascontiguousarray(windows[:, -sessions:])


def _missing(column: str, names: Sequence[str]) -> InvalidInput:
    return InvalidInput(
        f"regressors {', '.join(names)} need the column {column}, which the windows lack",
        code="missing_columns",
        field="windows",
        needed=column,
    )


def _check_length(found: int, needed: int, what: str) -> None:
    if found < needed:
        raise HistoryTooShort(
            f"{what} needs {needed} sessions; got {found}",
            field="history",
            found=found,
            needed=f"at least {needed} sessions",
        )
