"""Where a series moved to another level, which is where forecasts and intervals are tried."""

import numpy as np

from volatility.arrays import BoolArray, FloatArray

BREAKS = 5  # of a series
SPAN = 22  # sessions before and after, whose means are compared
AFTERMATH = 60  # sessions after a break; the next break lies outside of them


def after_breaks(values: FloatArray, scored: BoolArray | None = None) -> BoolArray:
    r"""The sessions that follow the largest breaks.

    Parameters
    ----------
    values : (n,) such as ``log_rv``, in order of time.
    scored : (n,) where breaks are looked for; everywhere without it.

    Returns
    -------
    (n,) whether a session is one of the `AFTERMATH` from a break on, the break's own included. None
    is where the series is shorter than two spans.

    Notes
    -----
    A break is where the mean of the next `SPAN` values, the session's own first, is farthest from
    the mean of the `SPAN` before:

    .. math:: b_t = \left| \frac{1}{22} \sum_{i=0}^{21} x_{t+i}
                         - \frac{1}{22} \sum_{i=1}^{22} x_{t-i} \right|

    The largest is taken first, and `AFTERMATH` sessions on both sides of it are no candidates any
    more, five times.
    """
    after = np.zeros(len(values), dtype=bool)
    if len(values) < 2 * SPAN:
        return after
    means = np.convolve(values, np.full(SPAN, 1 / SPAN), mode="valid")  # of x[i : i + SPAN]
    jumps = np.full(len(values), -np.inf)
    jumps[SPAN : len(values) - SPAN + 1] = np.abs(means[SPAN:] - means[:-SPAN])
    if scored is not None:
        jumps[~scored] = -np.inf
    for _ in range(BREAKS):
        start = int(np.argmax(jumps))
        if jumps[start] == -np.inf:
            break
        after[start : start + AFTERMATH] = True
        jumps[max(0, start - AFTERMATH) : start + AFTERMATH] = -np.inf
    return after
