"""Which calendar daily bars follow, as far as their dates tell.

Dates on a weekend are of a market that never closes. Dates that are all sessions of New York, with
none missing between the first and the last, are taken for New York's, which no other exchange's
are for longer than from one holiday to the next. Any others are taken for weekdays: a holiday is
then a session that is missing, and the forecast of a session may be of a holiday.
"""

from typing import NamedTuple

import numpy as np

from volatility.arrays import DateArray
from volatility.bars import PRICES, Bars
from volatility.calendars import ALWAYS_OPEN, get_calendar
from volatility.errors import Finding, InvalidBars, OutsideCalendar
from volatility.scale_free import usual_kind

NEW_YORK = "XNYS"
WEEKDAYS = "24/5"
INFERRED = (ALWAYS_OPEN, NEW_YORK, WEEKDAYS)  # the calendars that may be

MOST_COPIES = 3  # of the same bars in one file; of bars shorter than a day there are more a day
_SATURDAY = 5


class MarketKind(NamedTuple):
    """What a market is: when it has sessions, and what is traded there.

    Parameters
    ----------
    calendar : a name for :func:`volatility.calendars.get_calendar`.
    kind : of asset, one of :data:`volatility.scale_free.KINDS`.
    inferred : what of them was not given, in words; None where both were.
    """

    calendar: str
    kind: str
    inferred: str | None


def market_of(dates: DateArray, calendar: str | None, kind: str | None) -> MarketKind:
    """The calendar and the kind that are given, and those that the dates suggest of what is not.

    Parameters
    ----------
    dates : (n,) datetime64[D] of daily bars, in any order.
    calendar : its name, or an alias of ``exchange_calendars``.
    kind : one of :data:`volatility.scale_free.KINDS`.

    Raises
    ------
    UnknownCalendar : there is none of the name given.
    """
    name = get_calendar(calendar or infer_calendar(dates)).name
    guesses = [
        *([f"calendar {name}"] if calendar is None else []),
        *([f"kind {usual_kind(name)}"] if kind is None else []),
    ]
    return MarketKind(name, kind or usual_kind(name), _said(guesses, calendar))


def market_of_bars(bars: Bars, calendar: str | None, kind: str | None) -> MarketKind:
    """As :func:`market_of`, of bars that have to be daily.

    Raises
    ------
    InvalidBars : ``wrong_interval``, most of them share their date with others.
    UnknownCalendar : there is none of the name given.
    """
    shorter = shorter_bars(bars)
    if shorter:
        raise InvalidBars(shorter)
    return market_of(bars.dates, calendar, kind)


def infer_calendar(dates: DateArray) -> str:
    """The name of the calendar that daily bars seem to follow.

    Parameters
    ----------
    dates : (n,) datetime64[D], in any order; New York's fits none at all.
    """
    days = np.asarray(dates, "datetime64[D]")
    if (_weekday(days) >= _SATURDAY).any():
        return ALWAYS_OPEN
    return NEW_YORK if _is_whole(days) else WEEKDAYS


def shorter_bars(bars: Bars) -> list[Finding]:
    """What is wrong with daily bars most of which share their date with others, if it is so."""
    if not bars.is_daily or (np.diff(bars.dates).astype(np.int64) > 0).all():
        return []
    days, counts = np.unique(bars.dates, return_counts=True)
    shared = counts > 1
    few = counts.max() <= MOST_COPIES
    if 2 * counts[shared].sum() <= len(bars) or (few and _is_repeated(bars)):
        return []  # rather a date, or all of the bars, given twice
    at = int(np.argmax(shared))
    found = f"{counts[at]} bars of {days[at]}, as of bars shorter than a day"
    needed = "daily bars, one a session: an asset without a model of its own is held in these"
    index = int(np.argmax(bars.dates == days[at]))
    return [Finding("wrong_interval", "error", "timestamps", found, needed, index)]


def _is_repeated(bars: Bars) -> bool:
    """Whether bars that share their date are the same bar each time."""
    order = np.argsort(bars.dates, kind="stable")
    prices = np.column_stack([getattr(bars, it) for it in PRICES])[order]
    shared = np.diff(bars.dates[order]).astype(np.int64) == 0
    return bool((prices[1:][shared] == prices[:-1][shared]).all())


def _weekday(days: DateArray) -> np.ndarray:
    """Days since Monday; 1970 began on a Thursday."""
    return (days.astype(np.int64) + 3) % 7


def _is_whole(days: DateArray) -> bool:
    """Whether New York has a session on each of (n,) days, and none between without one."""
    calendar = get_calendar(NEW_YORK)
    try:
        return bool(calendar.is_session(days).all()) and not len(calendar.missing_sessions(days))
    except OutsideCalendar:
        return False


def _said(guesses: list[str], calendar: str | None) -> str | None:
    if not guesses:
        return None
    source = "the dates" if calendar is None else f"the calendar {calendar}"
    are, them = ("is", "it") if len(guesses) == 1 else ("are", "them")
    return f"{' and '.join(guesses)} {are} inferred from {source}; give {them} to be sure"
