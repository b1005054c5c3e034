"""Jumps of a price that look like a split that nobody adjusted for."""

import numpy as np

from volatility.arrays import FloatArray

# The usual ones; a reverse split multiplies by them. In 186,000 daily bars of shares, funds,
# indices, currencies and coins none of them is seen where there was none.
FACTORS = (2, 3, 4, 5, 6, 7, 8, 10, 15, 20, 25, 50, 100)
# A night's own return comes on top of the factor: 10 % is five nights' deviations of a volatile
# share. Of two factors within it, such as 7 and 8, the nearer one is named.
TOLERANCE = 1.1
# A market that halves or doubles by news moves on, in bars as long as the jump; after a split a bar
# is as short as before. A quarter of the jump lies in between.
RELATIVE_RANGE = 0.25
NEIGHBOURS = 5  # bars on either side whose ranges count

ADJUSTED = "prices adjusted for splits, or a check that this was none"  # for messages

LEAST_JUMP = min(FACTORS) / TOLERANCE  # below it no jump is looked at

_LOG_FACTORS = np.log(FACTORS)


def split_factors(
    open: FloatArray,  # noqa: A002 (the name of the price)
    high: FloatArray,
    low: FloatArray,
    close: FloatArray,
) -> FloatArray:
    r"""What each bar's open is of the close before it, where that looks like a split.

    Parameters
    ----------
    open, high, low, close : (n,) prices, low to high enclosing the others.

    Returns
    -------
    (n,) one of `FACTORS`, or one under it; NaN where there is no such jump, and first.

    Notes
    -----
    With :math:`j_t = \ln O_t / C_{t-1}` and ranges :math:`\ln H / L`, a jump is split-like if
    :math:`||j_t| - \ln k| \le \ln 1.1` for one of the factors k and every range of the five bars
    before it and of the five from it on is below :math:`|j_t| / 4`.
    """
    factors = np.full(len(open), np.nan)
    jumps = np.log(open[1:] / close[:-1])
    distances = np.abs(np.abs(jumps)[:, None] - _LOG_FACTORS)
    nearest = distances.argmin(axis=1)
    for at in np.flatnonzero(distances.min(axis=1, initial=np.inf) <= np.log(TOLERANCE)):
        beside = slice(max(0, at + 1 - NEIGHBOURS), at + 1 + NEIGHBOURS)
        if np.log(high[beside] / low[beside]).max() < RELATIVE_RANGE * abs(jumps[at]):
            factors[at + 1] = float(FACTORS[nearest[at]]) ** np.sign(jumps[at])
    return factors
