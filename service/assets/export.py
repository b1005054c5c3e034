"""Held bars as they are given out: in the form in which they are taken in."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import NamedTuple

import numpy as np
from pydantic_core import to_json

from service.assets.held import Held
from service.http.clock import microseconds
from service.http.errors import Fault, InvalidRequest
from volatility.bars import PRICES, Bars
from volatility.calendars import Calendar
from volatility.rows import csv_header, csv_lines, time_name, times_of

USUAL_BARS = 10_000  # of one answer where no limit is given: forty years of a share's days
_ROWS_AT_ONCE = 2_000  # of one part: two hundred kilobytes, written in some milliseconds
Bound = date | datetime  # a session, or when a bar opens


class Page(NamedTuple):
    """Some of the bars that are asked for.

    Parameters
    ----------
    bars : oldest first.
    bound : the parameter that moves on to the next page, "start" or "end".
    beyond : its value there, the nearest bar that is asked for and is not among these; None where
        they are all.
    """

    bars: Bars
    bound: str
    beyond: str | None


class Wanted(NamedTuple):
    """Which of the held bars are asked for.

    Parameters
    ----------
    start, end : the first and the last, both included; None where all are wanted.
    limit : at most so many: the first from a start on, the newest without one.
    """

    start: Bound | None
    end: Bound | None
    limit: int = USUAL_BARS

    def of(self, held: Held) -> Page:
        """The bars, as many as one answer has.

        Raises
        ------
        InvalidRequest : the end is before the start.
        """
        self._check_order()
        bars, seconds = held.bars, held.bars.timestamps.astype(np.int64)
        first, last = 0, len(bars)
        if self.start is not None:
            since = _opening(self.start, bars, held.calendar)
            first = int(np.searchsorted(seconds, since, side="left"))
        if self.end is not None:
            until = _ending(self.end, bars, held.calendar)
            last = int(np.searchsorted(seconds, until, side="left"))
        last = max(first, last)
        if self.start is not None:
            stop = min(first + self.limit, last)
            return Page(bars.where(slice(first, stop)), "start", _time_of(bars, stop, last))
        begin = max(last - self.limit, first)
        beyond = _time_of(bars, begin - 1, last) if begin > first else None
        return Page(bars.where(slice(begin, last)), "end", beyond)

    def _check_order(self) -> None:
        start, end = self.start, self.end
        if start is None or end is None or isinstance(start, datetime) != isinstance(end, datetime):
            return
        if _order(end) < _order(start):
            needed = f"from {start} on"
            detail = f"end: {end} is before start, {start}"
            raise InvalidRequest([Fault("invalid_value", detail, "end", str(end), needed)])


def as_json(bars: Bars, following: str | None = None) -> list[bytes]:
    """The body of a request that holds these bars, in parts.

    Parameters
    ----------
    bars : of one page.
    following : where the next one is.
    """
    names = (time_name(bars.is_daily), *PRICES)
    parts = [b'{"bars":[']
    for number, some in enumerate(_parts(bars)):
        columns = (getattr(some, price).tolist() for price in PRICES)
        rows = zip(times_of(some), *columns, strict=True)
        text = to_json([dict(zip(names, row, strict=True)) for row in rows])[1:-1]
        parts.append(b"," + text if number else text)
    return [*parts, b'],"next":' + to_json(following) + b"}"]


def as_csv(bars: Bars) -> list[bytes]:
    """The same as a table, in parts; floats are as short as gives them back to the last bit."""
    lines = ("".join(csv_lines(some)) for some in _parts(bars))
    return [csv_header(bars.is_daily).encode(), *map(str.encode, lines)]


def _parts(bars: Bars) -> Iterator[Bars]:
    for at in range(0, len(bars), _ROWS_AT_ONCE):
        yield bars.where(slice(at, at + _ROWS_AT_ONCE))


def _time_of(bars: Bars, place: int, end: int) -> str | None:
    """When a bar opens, as it is given out; None where it lies at the end."""
    return times_of(bars.where(slice(place, place + 1)))[0] if place < end else None


def _order(bound: Bound) -> int:
    """By which bounds of one kind are compared."""
    return microseconds(bound) if isinstance(bound, datetime) else bound.toordinal()


def _opening(bound: Bound, bars: Bars, calendar: Calendar) -> int:
    """First second at which a bar that is wanted may open."""
    if isinstance(bound, datetime):
        return -(-microseconds(bound) // 1_000_000)
    return _end_of_sessions_before(np.datetime64(bound, "D"), bars, calendar)


def _ending(bound: Bound, bars: Bars, calendar: Calendar) -> int:
    """First second at which a bar that opens is no longer wanted."""
    if isinstance(bound, datetime):
        return microseconds(bound) // 1_000_000 + 1
    return _end_of_sessions_before(np.datetime64(bound, "D") + 1, bars, calendar)


def _end_of_sessions_before(day: np.datetime64, bars: Bars, calendar: Calendar) -> int:
    """First second after all sessions before a day."""
    if bars.is_daily or calendar.always_open:
        return int(day.astype("datetime64[s]").astype(np.int64))
    number = int(np.searchsorted(calendar.session_dates, day))
    return int(calendar.closes[number - 1].astype(np.int64)) if number else 0
