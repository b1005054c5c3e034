r"""What the calendar does to a session's variance: day of the week, and half days.

A session of class :math:`c` (one of :data:`DAY_CLASSES`) has its variance multiplied by
:math:`\exp(s_c)`. The effects :math:`s_c` are means of log rv by class over a trailing window, so
they follow a market whose weekends change, and are made of the past alone.
"""

import numpy as np
from numpy.typing import NDArray

from volatility.arrays import DateArray, FloatArray
from volatility.calendars import ALWAYS_OPEN, Calendar

# A half day is one whatever weekday it falls on: an exchange has three a year at most.
DAY_CLASSES = (
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "half_day",
)
HALF_DAY = DAY_CLASSES.index("half_day")
SHRINKAGE = 10.0  # sessions at zero effect that are added to those of each class

_EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday; Monday is 0
_ALWAYS_OPEN_SPAN, _EXCHANGE_SPAN = 730, 1260  # sessions: two years, five years


def day_classes(dates: DateArray, calendar: Calendar) -> NDArray[np.int64]:
    """Class of each session, as a place in :data:`DAY_CLASSES`.

    Parameters
    ----------
    dates : sessions, in any shape.
    calendar : knows the half days.

    Returns
    -------
    Integers, in the same shape.
    """
    days = np.asarray(dates, "datetime64[D]")
    weekdays = (days.astype(np.int64) + _EPOCH_WEEKDAY) % 7
    early = calendar.early_closes
    if not len(early):
        return weekdays
    places = np.minimum(np.searchsorted(early, days), len(early) - 1)
    return np.where(early[places] == days, HALF_DAY, weekdays)  # np.isin takes twice as long


def estimation_span(calendar: Calendar) -> int:
    """Sessions that effects are estimated on: two years of a 24/7 market, five of an exchange."""
    return _ALWAYS_OPEN_SPAN if calendar.name == ALWAYS_OPEN else _EXCHANGE_SPAN


def calendar_effects(log_rv: FloatArray, classes: NDArray[np.int64]) -> FloatArray:
    """Effect of each class on log rv over a whole sample.

    Parameters
    ----------
    log_rv : (n,) values.
    classes : (n,) from :func:`day_classes`.

    Returns
    -------
    (8,) additions to log rv by :data:`DAY_CLASSES`, of mean zero over the sessions; 0 for a class
    that does not occur. See :func:`rolling_calendar_effects`.
    """
    effects: FloatArray = rolling_calendar_effects(log_rv, classes, max(1, len(log_rv)))[-1]
    return effects


def rolling_calendar_effects(
    log_rv: FloatArray, classes: NDArray[np.int64], span: int
) -> FloatArray:
    r"""Effect of each class on log rv, as it was known before each session.

    Parameters
    ----------
    log_rv : (n,) values, oldest first.
    classes : (n,) from :func:`day_classes`.
    span : sessions before each that the effects are estimated on, or as many as there are.

    Returns
    -------
    (n + 1, 8) additions to log rv: row t is made of sessions t - ``span`` to t - 1, so that the
    last row is what is known after the whole sample. The first row is zero.

    Notes
    -----
    .. math:: s_c = \frac{n_c}{n_c + 10} (\bar x_c - \bar x) - m

    with the mean :math:`\bar x_c` over the :math:`n_c` sessions of a class, :math:`\bar x` over
    all, and the constant m that makes the mean effect over all sessions zero. Shrunk so, a class
    seen a few times (half days) says little.
    """
    sessions = len(log_rv)
    member = np.zeros((sessions, len(DAY_CLASSES)))
    member[np.arange(sessions), classes] = 1.0
    # Sums of values near zero lose few digits when windows are differences of them. The first value
    # is near enough, and later ones may not touch what was known before.
    centred = log_rv - log_rv[:1]
    counts = _trailing_sums(member, span)
    sums = _trailing_sums(member * centred[:, None], span)
    total = np.maximum(counts.sum(axis=1, keepdims=True), 1.0)
    overall = sums.sum(axis=1, keepdims=True) / total
    effects = (sums - counts * overall) / (counts + SHRINKAGE)
    effects -= (counts * effects).sum(axis=1, keepdims=True) / total
    return np.where(counts > 0, effects, 0.0)


def _trailing_sums(values: FloatArray, span: int) -> FloatArray:
    """(n, k) to (n + 1, k): row t sums the ``span`` rows before t."""
    cumulated = np.vstack([np.zeros(values.shape[1]), np.cumsum(values, axis=0)])
    first = np.maximum(np.arange(len(cumulated)) - span, 0)
    return np.asarray(cumulated - cumulated[first])
