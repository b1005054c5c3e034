"""From windows of past values to the regressors of linear models.

Everything a model sees is a matrix of windows, (batch, lookback), whose last column is ``as_of``.
The same row gives the same regressors to the last bit, whether it comes alone or in a batch, from
the shortest sufficient history or from a long one: each is a sum over one contiguous row, never a
difference of running sums.
"""

import math
import re
from collections.abc import Sequence

import numpy as np

from volatility.arrays import FloatArray, Windows
from volatility.errors import HistoryTooShort, InvalidInput

# RiskMetrics Technical Document (1996): a window that leaves out 1 % of the weight;
# 75 days for a decay of 0.94.
WEIGHT_LEFT_OUT = 0.01

_NAME = re.compile(r"mean_(?P<lag>[1-9]\d{0,3})|ewma_(?P<decay>0\.\d{0,5}[1-9])")
_NEEDED = "mean_<sessions>, such as mean_22, or ewma_<decay>, such as ewma_0.94"


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
    # Contiguous, so that numpy adds each row in one order whatever the number of rows.
    means = [np.ascontiguousarray(windows[:, -lag:]).mean(axis=-1) for lag in lags]
    return np.stack(means, axis=-1)


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
    weights = decay ** np.arange(windows.shape[1], dtype=np.float64)[::-1]
    # Not a matrix product: BLAS adds in another order for one row than for many.
    return np.asarray((np.ascontiguousarray(windows) * (weights / weights.sum())).sum(axis=-1))


def build(names: Sequence[str], windows: Windows) -> FloatArray:
    """Design matrix without its constant.

    Parameters
    ----------
    names : ``mean_5`` for the mean of the last 5 sessions, ``ewma_0.94`` for the exponentially
        weighted mean of decay 0.94.
    windows : by column, (batch, lookback) of at least :func:`lookback_of` sessions each; earlier
        ones are not looked at.

    Returns
    -------
    (batch, len(names)).

    Raises
    ------
    HistoryTooShort : the windows are shorter than the regressors need.
    InvalidInput : ``unknown_regressor``.
    """
    values = windows["rv"]
    _check_length(values.shape[1], lookback_of(names), f"regressors {', '.join(names)}")
    return np.stack([_column(name, values) for name in names], axis=-1)


def lookback_of(names: Sequence[str]) -> int:
    """Sessions that the regressors reach back, ``as_of`` included.

    Raises
    ------
    InvalidInput : ``unknown_regressor``.
    """
    return max(_lookback(name) for name in names)


def columns_of(names: Sequence[str]) -> tuple[str, ...]:
    """Columns that the regressors are made of besides rv, sorted.

    Raises
    ------
    InvalidInput : ``unknown_regressor``.
    """
    for name in names:
        _parse(name)
    return ()


def _column(name: str, windows: FloatArray) -> FloatArray:
    used = np.ascontiguousarray(windows[:, -_lookback(name) :])
    decay = _parse(name)["decay"]
    return used.mean(axis=-1) if decay is None else exponential_mean(used, float(decay))


def _lookback(name: str) -> int:
    fields = _parse(name)
    if fields["lag"] is not None:
        return int(fields["lag"])
    return math.ceil(math.log(WEIGHT_LEFT_OUT) / math.log(float(fields["decay"])))


def _parse(name: str) -> re.Match[str]:
    match = _NAME.fullmatch(name)
    if match is None:
        raise InvalidInput(
            f"regressor {name!r} is unknown; needed: {_NEEDED}",
            code="unknown_regressor",
            field="regressors",
            found=name,
            needed=_NEEDED,
        )
    return match


def _check_length(found: int, needed: int, what: str) -> None:
    if found < needed:
        raise HistoryTooShort(
            f"{what} needs {needed} sessions; got {found}",
            field="history",
            found=found,
            needed=f"at least {needed} sessions",
        )
