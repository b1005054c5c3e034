"""Trading sessions: which days have one, when it opens and closes, which comes next.

``24/7`` has a session every UTC day, closing at the next midnight. Every other calendar comes from
``exchange_calendars``, is built on first use, and is then a sorted array of dates.
"""

import math
import threading
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from volatility import recorded_calendars
from volatility.arrays import BoolArray, DateArray
from volatility.errors import InvalidInput, OutsideCalendar, UnknownCalendar

ALWAYS_OPEN = "24/7"

# Exchange calendars reach from here to the end of the year after next. Holidays before 1990 would
# double the time to build one (0.2 s for XNYS), and no model is fitted on bars that old.
_FIRST_YEAR = 1990
_YEARS_AHEAD = 2

# Over which the sessions of an exchange are averaged for annualization: fixed, so that
# periods_per_year does not drift with the clock. XNYS: 5,031 sessions in 20 years, 252 a year.
_AVERAGED_YEARS = (2000, 2020)

_EPOCH = date(1970, 1, 1).toordinal()
_DAY = 86_400  # seconds
_DAYS = np.dtype("datetime64[D]")

_building = threading.Lock()  # warnings.catch_warnings is not thread-safe


@dataclass(frozen=True, slots=True, eq=False)
class Calendar:
    """Sessions of one market.

    Parameters
    ----------
    name : ``24/7`` or an exchange's code.
    periods_per_year : sessions a year, for annualization.
    first, last : the dates the calendar covers, sessions or not.
    session_dates : (n,) datetime64[D], increasing.
    opens, closes : (n,) datetime64[s], UTC, when each session opens and closes.
    breaks : (n, 2) datetime64[s], UTC, from when to when each session pauses; NaT without a pause.
    early_closes : (m,) datetime64[D], the sessions that are half days.
    """

    name: str
    periods_per_year: int
    first: np.datetime64
    last: np.datetime64
    session_dates: DateArray
    opens: DateArray
    closes: DateArray
    breaks: DateArray
    early_closes: DateArray

    @property
    def always_open(self) -> bool:
        """Whether one session follows another without a night between."""
        return self.name == ALWAYS_OPEN

    def sessions(self, start: np.datetime64, end: np.datetime64) -> DateArray:
        """Sessions from ``start`` to ``end``, both included.

        Raises
        ------
        OutsideCalendar : either date lies outside the calendar.
        """
        left, right = self._span(start, end)
        return self.session_dates[left:right]

    def position(self, day: np.datetime64) -> int:
        """That of one session; see :meth:`positions`.

        Raises
        ------
        OutsideCalendar : it lies outside the calendar.
        """
        return int(self.session_dates.searchsorted(self._covered(day)))

    def is_session(self, dates: DateArray) -> BoolArray:
        """Whether each of (n,) dates is a session; (n,).

        Raises
        ------
        OutsideCalendar : a date lies outside the calendar.
        """
        days = np.asarray(dates, "datetime64[D]")
        self._check_covered(days)
        # The clip serves a calendar whose span ends in days without a session.
        places = np.minimum(np.searchsorted(self.session_dates, days), len(self.session_dates) - 1)
        return np.asarray(self.session_dates[places] == days, dtype=np.bool_)

    def sessions_after(self, dates: DateArray, count: int) -> DateArray:
        """First ``count`` sessions after each of (n,) dates; (n, count).

        Raises
        ------
        OutsideCalendar : a date lies outside the calendar, or a session after it would.
        """
        days = np.asarray(dates, "datetime64[D]")
        self._check_covered(days)
        first = np.searchsorted(self.session_dates, days, side="right")
        beyond = first + count > len(self.session_dates)
        if beyond.any():
            raise self._outside(f"one of the {count} sessions after {days[beyond][0]}")
        after: DateArray = self.session_dates[first[:, None] + np.arange(count)]
        return after

    def positions(self, dates: DateArray) -> NDArray[np.intp]:
        """Place of each of (n,) sessions among all sessions: adjacent ones differ by one; (n,).

        A date without a session has the place of the next one.

        Raises
        ------
        OutsideCalendar : a date lies outside the calendar.
        """
        days = np.asarray(dates, "datetime64[D]")
        self._check_covered(days)
        return self.session_dates.searchsorted(days)

    def missing_sessions(self, dates: DateArray) -> DateArray:
        """Sessions between the first and the last of (n,) ``dates`` that are not among them.

        Raises
        ------
        OutsideCalendar : a date lies outside the calendar.
        """
        days = np.asarray(dates, "datetime64[D]")
        if not len(days):
            return days
        known = np.sort(days)
        sessions = self.sessions(known[0], known[-1])
        # The last date bounds the sessions, so every place found is inside the array.
        absent: BoolArray = known[np.searchsorted(known, sessions)] != sessions
        return sessions[absent]

    def last_closed_session(self, now: datetime) -> np.datetime64:
        """Last session that had closed at ``now``, which carries a time zone.

        Raises
        ------
        InvalidInput : ``now`` has no time zone.
        OutsideCalendar : no session of the calendar had closed, or it ended before ``now``.
        """
        # By integers, which takes a third of the time: every forecast asks this.
        second = epoch_second(now)
        place = int(self.closes.view(np.int64).searchsorted(second, side="right")) - 1
        if place < 0 or second // _DAY > self.last.view(np.int64):
            raise self._outside(f"the last session closed at {utc_second(now)}")
        closed: np.datetime64 = self.session_dates[place]
        return closed

    def stale_sessions(self, as_of: np.datetime64, now: datetime) -> int:
        """How many sessions after ``as_of`` had closed at ``now``.

        Raises
        ------
        InvalidInput : ``now`` has no time zone.
        OutsideCalendar : ``as_of`` or ``now`` lies outside the calendar.
        """
        day: np.datetime64 = as_of.astype(_DAYS)
        self._check_covered(np.atleast_1d(day))
        closed = np.searchsorted(self.session_dates, self.last_closed_session(now), side="right")
        known = np.searchsorted(self.session_dates, day, side="right")
        return max(0, int(closed - known))

    def _span(self, start: np.datetime64, end: np.datetime64) -> tuple[int, int]:
        """Places of the first session from ``start`` on, and of the first after ``end``."""
        first, last = self._covered(start), self._covered(end)
        dates = self.session_dates
        return int(dates.searchsorted(first)), int(dates.searchsorted(last, side="right"))

    def _covered(self, moment: np.datetime64) -> np.datetime64:
        """A day, compared by itself, which takes a fifth of the time of an array of one."""
        day: np.datetime64 = moment.astype(_DAYS)
        if not self.first <= day <= self.last:  # also true for NaT
            raise self._outside(str(day))
        return day

    def _check_covered(self, days: DateArray) -> None:
        covered = (days >= self.first) & (days <= self.last)  # false for NaT
        if not covered.all():
            raise self._outside(str(days[~covered][0]))

    def _outside(self, what: str) -> OutsideCalendar:
        return OutsideCalendar(
            f"{what} lies outside the calendar {self.name}, which covers {self.first} to "
            f"{self.last}",
            field="date",
            found=what,
            needed=f"dates from {self.first} to {self.last}",
        )


# By name and last year; why there is none, where exchange_calendars fails. It is read without the
# lock, so that what is there is not waited for, and holds only names that exchange_calendars knows.
_exchanges: dict[tuple[str, int], Calendar | Exception] = {}


def get_calendar(name: str) -> Calendar:
    """Calendar by name: ``24/7``, or any code or alias that ``exchange_calendars`` knows.

    Parameters
    ----------
    name : ``24/7``, ``XNYS``, ``XLON`` …

    Raises
    ------
    UnknownCalendar : there is none of that name.
    """
    if name == ALWAYS_OPEN:
        return _always_open()
    key = name, datetime.now(UTC).year + _YEARS_AHEAD
    found = _exchanges.get(key) or _build(*key)
    if isinstance(found, Exception):
        raise _unknown(name, "exchange_calendars cannot build it") from found
    return found


def _build(name: str, last_year: int) -> Calendar | Exception:
    """An exchange's calendar, or why there is none, remembered.

    Raises
    ------
    UnknownCalendar : ``exchange_calendars`` does not know the name.
    """
    recorded = recorded_calendars.read(name, last_year)
    if recorded is None and not recorded_calendars.is_known(name):
        raise _unknown(name, "there is no such calendar")
    with _building:
        if (name, last_year) not in _exchanges:  # nor did another thread build it meanwhile
            found = _of_fields(name, recorded) if recorded else _exchange(name, last_year)
            _exchanges[name, last_year] = found
        return _exchanges[name, last_year]


def record(path: Path) -> None:
    """Write the calendars that :mod:`volatility.recorded_calendars` keeps."""
    last_year = recorded_calendars.LAST_YEAR
    recorded_calendars.write(
        {name: _fields(name, last_year)[1] for name in recorded_calendars.NAMES}, path
    )


@cache
def _always_open() -> Calendar:
    days = np.arange("1900-01-01", "2100-01-01", dtype="datetime64[D]")
    return Calendar(
        name=ALWAYS_OPEN,
        periods_per_year=365,
        first=days[0],
        last=days[-1],
        session_dates=_frozen(days),
        opens=_frozen(days.astype("datetime64[s]")),
        closes=_frozen((days + np.timedelta64(1, "D")).astype("datetime64[s]")),
        breaks=_frozen(np.empty((0, 2), "datetime64[s]")),
        early_closes=_frozen(days[:0]),
    )


def _exchange(name: str, last_year: int) -> Calendar | Exception:
    """The calendar, or why ``exchange_calendars`` cannot build it."""
    from exchange_calendars.errors import CalendarError  # type: ignore[import-untyped]

    try:
        return _of_fields(*_fields(name, last_year))
    except (CalendarError, NotImplementedError, ValueError) as error:
        # Some of exchange_calendars 4.13 fail in themselves, ASEX and XTAE among them.
        return error


def _fields(name: str, last_year: int) -> tuple[str, dict[str, DateArray]]:
    """Its proper name and its arrays, as :func:`volatility.recorded_calendars.read` has them."""
    with warnings.catch_warnings():
        # exchange_calendars 4.13 reads these, which pandas 3.1 deprecates.
        for old in (r"Series\.values", r"DatetimeIndex\.weekday"):
            warnings.filterwarnings("ignore", message=old, category=DeprecationWarning)
        source, first, last = _fabricate(name, last_year)
        breaks = [_moments(source.break_starts), _moments(source.break_ends)]
        return source.name, {
            "covered": np.array([first, last]),
            "session_dates": source.sessions.to_numpy().astype("datetime64[D]"),
            "opens": _moments(source.opens),
            "closes": _moments(source.closes),
            "breaks": np.stack(breaks, axis=1),
            "early_closes": source.early_closes.to_numpy().astype("datetime64[D]"),
        }


def _of_fields(name: str, fields: Mapping[str, DateArray]) -> Calendar:
    arrays = {it: _frozen(values) for it, values in fields.items() if it != "covered"}
    first, last = fields["covered"]
    return Calendar(
        name=name,
        periods_per_year=_sessions_per_year(arrays["session_dates"]),
        first=first,
        last=last,
        **arrays,
    )


def _moments(times: Any) -> DateArray:
    """A column of the exchange's times in UTC."""
    moments: DateArray = times.dt.tz_convert(None).to_numpy().astype("datetime64[s]")
    return moments


def _fabricate(name: str, last_year: int) -> tuple[Any, np.datetime64, np.datetime64]:
    """Exchange calendar, and the first and last date it covers."""
    import exchange_calendars  # type: ignore[import-untyped]

    first: np.datetime64 = np.datetime64(f"{_FIRST_YEAR}-01-01", "D")
    last: np.datetime64 = np.datetime64(f"{last_year}-12-31", "D")
    try:
        source = exchange_calendars.get_calendar(name, start=str(first), end=str(last))
    except ValueError:  # its holidays are not recorded that far
        first, last = _recorded(exchange_calendars.get_calendar(name), first, last)
        source = exchange_calendars.get_calendar(name, start=str(first), end=str(last))
    return source, first, last


def _recorded(
    source: Any, first: np.datetime64, last: np.datetime64
) -> tuple[np.datetime64, np.datetime64]:
    """Part of ``first`` to ``last`` for which holidays are recorded."""
    earliest, latest = source.bound_min(), source.bound_max()
    return (
        first if earliest is None else max(first, np.datetime64(earliest.date(), "D")),
        last if latest is None else min(last, np.datetime64(latest.date(), "D")),
    )


def _unknown(name: str, reason: str) -> UnknownCalendar:
    needed = "24/7, or an exchange's code such as XNYS or XLON"
    return UnknownCalendar(
        f"calendar {name!r}: {reason}; needed: {needed}",
        field="calendar",
        found=name,
        needed=needed,
    )


def _sessions_per_year(sessions: DateArray) -> int:
    years = sessions.astype("datetime64[Y]")
    start, end = (np.datetime64(str(year), "Y") for year in _AVERAGED_YEARS)
    averaged = years[(years >= start) & (years < end)]
    if not len(averaged):  # an exchange whose holidays are recorded from a later year on
        averaged = years[(years > years[0]) & (years < years[-1])]
    return round(len(averaged) / len(np.unique(averaged)))


def epoch_second(now: datetime) -> int:
    """Whole seconds from 1970 in UTC to a moment.

    Raises
    ------
    InvalidInput : ``now`` has no time zone.
    """
    if now.tzinfo is None:
        raise InvalidInput(
            f"the time {now.isoformat()} has no time zone; a session closes at a moment in UTC",
            field="now",
            found=now.isoformat(),
            needed="a datetime with a time zone",
        )
    return math.floor(now.timestamp())


def utc_second(now: datetime) -> np.datetime64:
    """Moment in UTC; see :func:`epoch_second`."""
    return np.datetime64(epoch_second(now), "s")


def days_of(dates: Sequence[date]) -> DateArray:
    """Python's dates as numpy's; by their ordinals, which is ten times as fast as one by one."""
    ordinals = np.fromiter(map(date.toordinal, dates), np.int64, len(dates))
    return (ordinals - _EPOCH).astype("datetime64[D]")


def _frozen(dates: DateArray) -> DateArray:
    dates.flags.writeable = False  # calendars are cached and shared
    return dates
