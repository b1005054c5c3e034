"""From bars as they came to daily rv, with what is worth knowing of both."""

from collections.abc import Collection
from datetime import datetime

import numpy as np

from volatility.arrays import DateArray
from volatility.bars import Bars, session_dates, validate
from volatility.calendars import Calendar
from volatility.errors import InvalidInput
from volatility.series import DatedSeries, daily_series


def measured(
    bars: Bars, measure: str, calendar: Calendar, now: datetime, columns: Collection[str] = ()
) -> tuple[DatedSeries, tuple[str, ...]]:
    """Daily rv of bars that are checked first, and what is worth knowing, each once.

    Parameters
    ----------
    bars : as they came.
    measure : a name of :data:`volatility.measures.MEASURES`.
    calendar : the sessions of the bars.
    now : with its zone; no bar may close after it.
    columns : what else is wanted of each session.

    Raises
    ------
    InvalidInput : see :func:`volatility.bars.validate` and :func:`volatility.series.daily_series`.
    """
    findings = validate(bars, calendar, now)
    series, more = daily_series(bars, measure, calendar, columns)
    return series, tuple(dict.fromkeys(map(str, (*findings, *more))))


def price_warnings(
    bars: Bars, calendar: Calendar, start: np.datetime64, end: np.datetime64
) -> tuple[str, ...]:
    """What is worth knowing of the prices of some days, in bars that were checked as they came.

    As :func:`measured` says it of bars that come now, by their days alone.

    Parameters
    ----------
    bars : all of them.
    calendar : their sessions.
    start, end : the first and the last day, datetime64[D].
    """
    behind = end + np.timedelta64(1, "D")
    part = bars.where(slice(*np.searchsorted(bars.dates, [start, behind])))
    closed = datetime.fromisoformat(f"{behind + np.timedelta64(1, 'D')}T00:00+00:00")
    try:
        found = validate(part, calendar, closed)
    except InvalidInput:  # a price that never moves, or a calendar that ends before
        return ()
    # Sessions that are missing are counted by the forecast.
    said = [it for it in found if it.code != "missing_sessions"]
    return tuple([str(it).replace(f" at bar {it.index} (", " (") for it in said])


def extreme_sessions(bars: Bars, calendar: Calendar) -> DateArray:
    """Sessions with a high more than five times the low, which no model is fitted on.

    One such print decides a least-squares fit and the range that forecasts are clipped to; see
    docs/decisions/0007. Forecasts are made from every bar: this is about fitting alone.
    """
    return np.unique(session_dates(bars, calendar)[bars.extreme_range])
