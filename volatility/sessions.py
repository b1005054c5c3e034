"""Which session a bar that is shorter than a day belongs to, and how many such bars a session has.

An exchange's bars stand on the clock (a bar an hour at 14:00, 15:00 …) or on the session's open
(14:30, 15:30 …); the first and the last of a session may reach beyond it.
"""

import numpy as np
from numpy.typing import NDArray

from volatility.arrays import DateArray
from volatility.calendars import Calendar


def places_of(opened: DateArray, interval: int, calendar: Calendar) -> NDArray[np.intp]:
    """Place among all sessions of the one that each bar belongs to; (n,), -1 for none.

    A bar belongs to the session that it has a moment in common with, outside of its pause.

    Parameters
    ----------
    opened : (n,) datetime64[s], UTC, when each bar opens.
    interval : seconds a bar spans, less than a day.
    calendar : the sessions.
    """
    ends = opened + np.timedelta64(interval, "s")
    places = np.searchsorted(calendar.closes, opened, side="right")
    nearest = np.minimum(places, len(calendar.closes) - 1)
    inside = (opened < calendar.closes[nearest]) & (ends > calendar.opens[nearest])
    if len(calendar.breaks):
        start, end = calendar.breaks[nearest].T
        inside &= ~((opened >= start) & (ends <= end))  # true for NaT: no pause
    return np.where(inside, nearest, -1)


def dates_of(opened: DateArray, interval: int, calendar: Calendar) -> DateArray:
    """Session of each bar; (n,) datetime64[D], NaT for a bar outside of all of them.

    Parameters
    ----------
    opened, interval, calendar : as in :func:`places_of`.
    """
    places = places_of(opened, interval, calendar)
    dates = calendar.session_dates[places]
    dates[places < 0] = np.datetime64("NaT")
    return dates


def closing_times(opened: DateArray, interval: int, calendar: Calendar) -> DateArray:
    """When each bar closes: with its interval, or with its session if that is over before; (n,).

    Parameters
    ----------
    opened, interval, calendar : as in :func:`places_of`.
    """
    ends = opened + np.timedelta64(interval, "s")
    places = places_of(opened, interval, calendar)
    return np.where(places < 0, ends, np.minimum(ends, calendar.closes[places]))


def offsets_of(
    opened: DateArray, interval: int, places: NDArray[np.intp], calendar: Calendar
) -> NDArray[np.int64]:
    """Seconds by which each bar opens after a whole multiple of the interval; (n,).

    Parameters
    ----------
    opened, interval, calendar : as in :func:`places_of`.
    places : (n,) of the sessions.

    Returns
    -------
    0 for bars on the clock, the open's own offset for those on the session's open, else -1.
    """
    offsets = opened.astype(np.int64) % interval
    of_open = calendar.opens[places].astype(np.int64) % interval
    return np.where((offsets == 0) | (offsets == of_open), offsets, -1)


def bars_in(
    places: NDArray[np.intp], offsets: NDArray[np.int64], interval: int, calendar: Calendar
) -> NDArray[np.int64]:
    """How many bars each session has, if none is missing; (n,).

    Parameters
    ----------
    places : (n,) of the sessions among all of the calendar.
    offsets : (n,) seconds by which their bars open after whole multiples of the interval.
    interval : seconds a bar spans.
    calendar : the sessions.
    """

    def slots(moments: DateArray) -> NDArray[np.int64]:
        return moments.astype(np.int64) - offsets

    first = slots(calendar.opens[places]) // interval
    end = -(-slots(calendar.closes[places]) // interval)
    if not len(calendar.breaks):
        return end - first
    pauses = calendar.breaks[places]
    start, stop = -(-slots(pauses[:, 0]) // interval), slots(pauses[:, 1]) // interval
    paused = np.where(np.isnat(pauses[:, 0]), 0, np.maximum(stop - start, 0))
    return end - first - paused
