"""Bars of which some have changed, and their daily series, measured anew only there.

A session is measured by itself, or with the one before it: a long history does not have to be
measured again for each bar that comes in.
"""

from typing import NamedTuple

import numpy as np

from volatility.arrays import DateArray
from volatility.bars import PRICES, Bars, session_dates
from volatility.calendars import Calendar
from volatility.errors import ConstantPrices, HistoryTooShort
from volatility.measures import MEASURES
from volatility.measures.session_returns import is_each_by_itself
from volatility.series import DatedSeries, daily_series
from volatility.sessions import offsets_of, places_of


def spliced(bars: Bars, written: Bars) -> Bars:
    """Bars with others put between them, or in the place of those of the same times.

    Parameters
    ----------
    bars, written : oldest first, each time once.
    """
    places = np.searchsorted(bars.timestamps, written.timestamps)
    present = np.zeros(len(written), dtype=np.bool_)
    inside = places < len(bars)
    present[inside] = bars.timestamps[places[inside]] == written.timestamps[inside]
    columns = {}
    for name in ("timestamps", *PRICES):
        column, new = getattr(bars, name).copy(), getattr(written, name)
        column[places[present]] = new[present]
        columns[name] = np.insert(column, places[~present], new[~present])
    return Bars(**columns, interval=bars.interval)


def updated(series: DatedSeries, bars: Bars, written: DateArray, calendar: Calendar) -> DatedSeries:
    """The daily series of bars of which some have changed since it was measured.

    Bit for bit that of :func:`volatility.series.daily_series`. Sessions before the first change
    stay as they are, and so do those after the one that follows the last.

    Parameters
    ----------
    series : of the bars before, in some measure, with some columns.
    bars : as they are now; none of those before is missing.
    written : (n,) times of those that are new or have other prices.
    calendar : the sessions of the bars.

    Raises
    ------
    ConstantPrices : the measure is zero in every session.
    """
    columns = tuple(series.columns)
    span = _span(bars, written, calendar) if _is_local(series, bars, calendar) else None
    if span is None:
        return daily_series(bars, series.measure, calendar, columns)[0]
    try:
        anew, _ = daily_series(bars.where(span.seen), series.measure, calendar, columns)
    except (HistoryTooShort, ConstantPrices):  # none of these few sessions has a value
        anew = series.part(slice(0))
    found = _joined(
        series.part(series.dates < span.first),
        anew.part((anew.dates >= span.first) & (anew.dates <= span.last)),
        series.part(series.dates > span.last),
    )
    return found if len(found) else daily_series(bars, series.measure, calendar, columns)[0]


class _Span(NamedTuple):
    """Sessions that are measured anew, and the bars that this needs."""

    first: np.datetime64
    last: np.datetime64
    seen: slice


def _is_local(series: DatedSeries, bars: Bars, calendar: Calendar) -> bool:
    """Whether a session's value depends on no other but the one before."""
    if MEASURES[series.measure].overlapping:
        return False
    return bars.is_daily or is_each_by_itself(bars.interval, calendar)


def _span(bars: Bars, written: DateArray, calendar: Calendar) -> _Span | None:
    """From the first session that has changed to the one after the last; None if it is not told.

    Seen are also the session before, whose close counts, and the one after, without which the last
    would not be known to be over.
    """
    first, last = np.searchsorted(bars.timestamps, [written.min(), written.max()])
    begin = _first_of_session(bars, first, calendar)
    end = _end_of_session(bars, last, calendar)
    end = _end_of_session(bars, end, calendar)
    seen = slice(_first_of_session(bars, begin - 1, calendar), _end_of_session(bars, end, calendar))
    if not _all_placed(bars.where(seen), calendar):
        return None
    dates = session_dates(bars.where(slice(begin, end)), calendar)
    return _Span(dates[0], dates[-1], seen)


def _first_of_session(bars: Bars, at: int, calendar: Calendar) -> int:
    """Place of the first bar in the session of a bar."""
    if at <= 0 or bars.is_daily:
        return max(at, 0)
    place = int(np.searchsorted(calendar.closes, bars.timestamps[at], side="right"))
    return int(np.searchsorted(bars.timestamps, calendar.closes[place - 1])) if place else 0


def _end_of_session(bars: Bars, at: int, calendar: Calendar) -> int:
    """Place after the last bar in the session of a bar; that of the end has none."""
    if at >= len(bars) or bars.is_daily:
        return min(at + 1, len(bars))
    place = int(np.searchsorted(calendar.closes, bars.timestamps[at], side="right"))
    if place == len(calendar.closes):
        return len(bars)
    return int(np.searchsorted(bars.timestamps, calendar.closes[place]))


def _all_placed(bars: Bars, calendar: Calendar) -> bool:
    """Whether every bar counts in a session: a calendar may have changed since they were held."""
    if bars.is_daily:
        return True
    places = places_of(bars.timestamps, bars.interval, calendar)
    offsets = offsets_of(bars.timestamps, bars.interval, places, calendar)
    return bool(((places >= 0) & (offsets >= 0)).all())


def _joined(*parts: DatedSeries) -> DatedSeries:
    columns = {
        name: np.concatenate([it.columns[name] for it in parts]) for name in parts[0].columns
    }
    return DatedSeries(
        np.concatenate([it.rv for it in parts]),
        parts[0].measure,
        np.concatenate([it.dates for it in parts]),
        columns=columns,
    )
