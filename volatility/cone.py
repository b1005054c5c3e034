"""The volatility cone: how volatility over windows of different lengths has been distributed."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from volatility.arrays import FloatArray
from volatility.errors import HistoryTooShort

WINDOWS = (1, 5, 10, 22, 63, 126, 252)  # sessions: a day to a year of an exchange
PROBABILITIES = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)


class ConeRow(NamedTuple):
    """Volatility over windows of one length.

    Parameters
    ----------
    window : sessions.
    nobs : windows, which overlap.
    quantiles : volatility at each probability, decimal per day.
    newest : volatility over the newest window, decimal per day.
    rank : share of windows whose volatility is at most that of the newest, above 0 up to 1.
    """

    window: int
    nobs: int
    quantiles: tuple[float, ...]
    newest: float
    rank: float


def volatility_cone(
    rv: FloatArray,
    windows: Sequence[int] = WINDOWS,
    probabilities: Sequence[float] = PROBABILITIES,
) -> tuple[ConeRow, ...]:
    r"""Quantiles of volatility by the length of the window that it is measured over.

    Parameters
    ----------
    rv : (n,) variance of each session, decimal² per day, oldest first.
    windows : sessions. Those of which the history does not hold two side by side are left out.
    probabilities : of the quantiles, between 0 and 1.

    Returns
    -------
    A row for each window that is kept, in the order given.

    Raises
    ------
    HistoryTooShort : fewer than two sessions, or none of the windows is kept.

    Notes
    -----
    .. math:: \sigma_t^{(w)} = \sqrt{\tfrac{1}{w} \sum_{i=0}^{w-1} rv_{t-i}}

    Windows overlap, so that their quantiles lie closer together than those of windows apart would,
    the more so the fewer of them the history holds side by side; not corrected here.

    References
    ----------
    Burghardt & Lane (1990), Journal of Portfolio Management 16(2); Hodges & Tompkins (2002),
    Journal of Derivatives 10(1), on what overlapping does.
    """
    kept = [it for it in windows if 2 * it <= len(rv)]
    if not kept:
        needed = f"at least {2 * min(windows)} sessions"
        raise HistoryTooShort(
            f"a volatility cone needs {needed}; got {len(rv)}",
            field="rv",
            found=len(rv),
            needed=needed,
        )
    sums = np.concatenate([[0.0], np.cumsum(rv)])
    rows = []
    for window in kept:
        # A difference of sums of large values may fall below the least of the window by rounding.
        means = np.maximum((sums[window:] - sums[:-window]) / window, 0.0)
        volatility = np.sqrt(means)
        newest = volatility[-1]
        rows.append(
            ConeRow(
                window,
                len(volatility),
                tuple(np.quantile(volatility, probabilities).tolist()),
                float(newest),
                float(np.mean(volatility <= newest)),
            )
        )
    return tuple(rows)
