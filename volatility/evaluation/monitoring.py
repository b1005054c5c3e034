r"""Whether what was promised of a model still holds: a test that may be read after every session.

A test that is looked at every day finds something on some day, if it is one of those that are made
to be looked at once. This one is a bet against the promise that can be settled at any time. Values
that are at least 0, and whose mean given the past is promised to be at most 1, are bet on with a
share :math:`\lambda` of what is owned,

.. math:: R_t = (1 + R_{t-1}) \, (1 + \lambda (x_t - 1)), \qquad R_0 = 0,

a Shiryaev-Roberts sum of bets, one begun at each date, so that a break counts from its own date on.
While at every date the mean given the past is what was promised, or less, :math:`R_t - t` does not
grow on average: the chance that :math:`R` passes a threshold :math:`A` within n sessions is at most
:math:`n / A`, whatever else is true of the values.

What is promised of a model is a mean over years, and bad weeks come together. So half as much again
is let pass before anything counts; a time that is worse than that, for long enough, raises an alarm
although the mean over years holds.

References
----------
Shin, Ramdas & Rinaldo (2024), "E-detectors: a nonparametric framework for sequential change
detection", The New England Journal of Statistics in Data Science 2(2).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from volatility.arrays import FloatArray
from volatility.errors import InvalidSeries

# Shares of what is owned: small ones find small changes, later; their mean is a bet as well.
_SHARES = (0.1, 0.3, 0.6)
THRESHOLD = 10_080.0  # 40 years of sessions
TOLERANCE = 0.5  # how far above what was promised the mean may be


class Alarms(NamedTuple):
    """When a promise was found broken.

    Parameters
    ----------
    at : places among the values, in order; the bets begin anew after each.
    strength : what is owned now over the threshold, below 1.
    """

    at: tuple[int, ...]
    strength: float


def watch(values: FloatArray, promised: float) -> Alarms:
    """Find where values are no longer what was promised.

    Parameters
    ----------
    values : (n,) at least 0, in the order in which they became known, such as losses, or 1 for
        each outcome outside of its interval and 0 for each inside.
    promised : their mean, above 0; half as much again is let pass.

    Raises
    ------
    InvalidSeries : a value is negative or no number, or nothing above 0 is promised.
    """
    if not promised > 0 or not np.isfinite(promised):
        raise InvalidSeries(
            f"a mean of {promised} cannot be watched",
            field="promised",
            found=promised,
            needed="a number above 0",
        )
    if len(values) and not (np.isfinite(values).all() and values.min() >= 0):
        raise InvalidSeries(
            "values that are watched must be numbers of at least 0",
            field="values",
            found=str(values[~(np.isfinite(values) & (values >= 0))][0]),
            needed="losses, or 0 and 1",
        )
    return _watch((values / (promised * (1 + TOLERANCE))).tolist())


def _watch(excess: Sequence[float]) -> Alarms:
    owned, found = [0.0] * len(_SHARES), []
    for place, value in enumerate(excess):
        owned = [
            (1 + before) * (1 + share * (value - 1))
            for before, share in zip(owned, _SHARES, strict=True)
        ]
        if sum(owned) / len(owned) >= THRESHOLD:
            found.append(place)
            owned = [0.0] * len(_SHARES)
    return Alarms(tuple(found), sum(owned) / len(owned) / THRESHOLD)
