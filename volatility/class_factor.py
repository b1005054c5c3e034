r"""What other assets of a class, and an index of implied volatility, say of one: scale-free.

At the end of each of its sessions an asset tells others two numbers in which nothing of its own
level is left: how far log rv without the calendar lies from its slow mean, and its return over the
trailing root mean square. Their means over the other assets of a class are what is common to it, as
it was known at each forecast (:mod:`volatility.companions`).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from volatility import trailing
from volatility.arrays import DateArray, FloatArray
from volatility.calendars import Calendar
from volatility.companions import known_sessions
from volatility.filters import windows
from volatility.scale_free import LARGEST, MINIMUM
from volatility.seasonality import day_classes, estimation_span, rolling_calendar_effects
from volatility.series import DatedSeries
from volatility.trailing import SESSIONS, exponential_mean

CLASS_REGRESSORS = ("class_1", "class_5", "class_25", "class_return", "class_fall")
INDEX_REGRESSORS = ("index", "index_change_1", "index_change_5", "index_premium")
_WEEK = 5


class Signals(NamedTuple):
    """What an asset tells others at the end of each session; (n,) each, NaN before the 22nd."""

    departure: FloatArray  # log rv without the calendar, less its slow mean
    shock: FloatArray  # return over the trailing root mean square, at most 8 either way
    level: FloatArray  # that slow mean, which is the asset's own affair


class Told(NamedTuple):
    """The signals of one asset, and when they were."""

    signals: Signals
    dates: DateArray
    calendar: Calendar


def signals(series: DatedSeries, calendar: Calendar) -> Signals:
    """What a series with the column ``return`` tells, each session from what came before it."""
    classes = day_classes(series.dates, calendar)
    effects = rolling_calendar_effects(series.log_rv, classes, estimation_span(calendar))
    log_rv = series.log_rv - effects[np.arange(len(series)), classes]
    seen, returns = _windows(log_rv), _windows(series.column("return"))
    sessions = trailing.known(seen)
    level = exponential_mean(seen, trailing.SLOW)
    rv = np.where(sessions, np.exp(seen), 0.0)
    square = trailing.mean_square(np.where(sessions, returns, 0.0), rv, sessions)
    shock = np.clip(series.column("return") / np.sqrt(square), -LARGEST, LARGEST)
    early = np.arange(len(series)) < MINIMUM - 1
    return Signals(*(np.where(early, np.nan, it) for it in (log_rv - level, shock, level)))


def class_regressors(dates: DateArray, calendar: Calendar, others: Sequence[Told]) -> FloatArray:
    """What the other assets of a class told by each of (n,) forecasts of an asset; (n, 5).

    The columns are :data:`CLASS_REGRESSORS`: the mean departure, its exponential means of 5 and 25
    sessions, the mean shock and its negative part; NaN where no other asset was known.

    Raises
    ------
    OutsideCalendar : a date that one of the calendars does not cover.
    """
    told = [
        (known.newest(it.signals.departure), known.newest(it.signals.shock))
        for it in others
        for known in (known_sessions(it.dates, it.calendar, dates, calendar),)
    ]
    departure, shock = (_mean([it[place] for it in told], len(dates)) for place in (0, 1))
    seen = _windows(departure)
    means = [np.where(np.isnan(departure), np.nan, exponential_mean(seen, c)) for c in (5.0, 25.0)]
    return np.column_stack([departure, *means, shock, np.minimum(shock, 0.0)])


def index_regressors(log_rv: FloatArray, level: FloatArray) -> FloatArray:
    """What an index of implied volatility said at each of (n,) forecasts of an asset; (n, 4).

    The columns are :data:`INDEX_REGRESSORS`: its log variance less the slow mean, its changes over
    one and five sessions, and its log variance less the asset's own level.

    Parameters
    ----------
    log_rv : (n,) log of the variance per day that the index stands for, as it was known; NaN where
        it was not.
    level : (n,) slow mean of the asset's log rv.
    """
    slow = exponential_mean(_windows(log_rv), trailing.SLOW)
    changes = [log_rv - _before(log_rv, lag) for lag in (1, _WEEK)]
    return np.column_stack([log_rv - slow, *changes, log_rv - level])


def _windows(values: FloatArray) -> FloatArray:
    """Windows that end at each of (n,) sessions, NaN before the first; (n, SESSIONS)."""
    return windows(np.concatenate([np.full(SESSIONS - 1, np.nan), values]), SESSIONS)


def _before(values: FloatArray, lag: int) -> FloatArray:
    return np.concatenate([np.full(min(lag, len(values)), np.nan), values[:-lag]])


def _mean(columns: Sequence[FloatArray], count: int) -> FloatArray:
    """Mean over columns of what is not NaN, (count,); of one session after the other."""
    total, known = np.zeros(count), np.zeros(count)
    for column in columns:
        there = ~np.isnan(column)
        total += np.where(there, column, 0.0)
        known += there
    return np.where(known > 0, total / np.maximum(known, 1.0), np.nan)
