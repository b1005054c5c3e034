"""The returns within each session: what intraday measures are computed from.

A market that closes is measured from the open of a session's first bar to its close, and the night
before stands apart. A market that never closes is measured from midnight to midnight, from close to
close.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from volatility.arrays import BoolArray, DateArray, FloatArray
from volatility.bars import Bars
from volatility.calendars import Calendar
from volatility.errors import Finding
from volatility.sessions import bars_in, offsets_of, places_of

# Of a session's bars one in ten may be missing; see docs/decisions/0021.
BARS_TO_ONE_MISSING = 10
# As many as any measure needs; see med_rv and the tripower quarticity.
_FEWEST_RETURNS = 3

Places = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class SessionReturns:
    """Log returns within sessions that are measured.

    Parameters
    ----------
    dates : (days,) of the sessions.
    nights : (days,) log return from the close of the session before to the first open; 0 where that
        session is not known; None for a market that never closes.
    groups : sessions of equally many returns: (k,) places among the dates, (k, m) returns.
    """

    dates: DateArray
    nights: FloatArray | None
    groups: tuple[tuple[Places, FloatArray], ...]

    def map(self, function: Callable[[FloatArray], FloatArray]) -> FloatArray:
        """A function of (k, m) returns that gives (k,) values, for every session; (days,)."""
        values = np.empty(len(self.dates))
        for places, returns in self.groups:
            values[places] = function(returns)
        return values

    @property
    def median_nobs(self) -> int:
        """Returns of the median session; at least one session is measured."""
        counts = np.concatenate([[returns.shape[1]] * len(returns) for _, returns in self.groups])
        return int(np.median(counts))


@dataclass(frozen=True, slots=True, eq=False)
class _Sessions:
    """Consecutive bars of (days,) sessions."""

    places: Places  # among the calendar's sessions
    first: Places  # bar of each
    held: NDArray[np.int64]  # bars of each
    expected: NDArray[np.int64]

    @property
    def last(self) -> Places:
        return self.first + self.held - 1


def session_returns(bars: Bars, calendar: Calendar) -> tuple[SessionReturns, tuple[Finding, ...]]:
    """Returns of every session of which at least nine in ten bars are there.

    A missing bar makes the return after it a longer one, and no variance is lost or made up:
    nothing is filled or scaled. One that is missing before the first or after the last bar held of
    an exchange's session takes its part of the variance with it; of a market that never closes, the
    next day has it. The newest session needs its last bar, which tells that it is over.

    Parameters
    ----------
    bars : shorter than a day, such as :func:`volatility.bars.validate` accepts.
    calendar : the sessions of the bars.

    Returns
    -------
    The returns, and warnings: ``incomplete_sessions``, sessions that are left out;
    ``missing_bars``, sessions that are measured from fewer bars than they have.
    """
    bars, places = _placed(bars, calendar)
    sessions = _sessions(bars, places, calendar)
    missing = sessions.expected - sessions.held
    if calendar.always_open:
        missing += _missing_before(bars, sessions)
    enough = _fewest(sessions.expected) <= sessions.held
    kept = enough & (missing <= sessions.expected // BARS_TO_ONE_MISSING)
    kept &= _over(bars, sessions, calendar)
    dates = calendar.session_dates[sessions.places]
    measured = SessionReturns(
        dates[kept],
        None if calendar.always_open else _nights(bars, sessions, kept)[kept],
        _grouped(_returns(bars, sessions, calendar), sessions, kept),
    )
    return measured, (*_left_out(dates, kept, calendar), *_tolerated(dates, missing, kept))


def needed_bars(calendar: Calendar) -> str:
    """What a session has to have of its bars to be measured, for a message."""
    before = ", with the one before midnight" if calendar.always_open else ""
    return f"nine in ten of a session's bars{before}, and of the newest session its last one"


def is_each_by_itself(interval: int, calendar: Calendar) -> bool:
    """Whether no other session decides on whether one is measured, but the one before.

    It does where sessions may have fewer than three bars: then as many are needed as the longest
    has.

    Parameters
    ----------
    interval : seconds a bar spans.
    calendar : the sessions.
    """
    spans = (calendar.closes - calendar.opens).astype(np.int64)
    if len(calendar.breaks):
        pauses = calendar.breaks[:, 1] - calendar.breaks[:, 0]
        spans -= np.where(np.isnat(pauses), 0, pauses.astype(np.int64))
    return bool(spans.min() >= _FEWEST_RETURNS * interval)


def _placed(bars: Bars, calendar: Calendar) -> tuple[Bars, Places]:
    """The bars that belong to a session and are on its grid, and the place of that session."""
    places = places_of(bars.timestamps, bars.interval, calendar)
    offsets = offsets_of(bars.timestamps, bars.interval, places, calendar)
    on_grid = (places >= 0) & (offsets >= 0)
    return (bars, places) if on_grid.all() else (bars.where(on_grid), places[on_grid])


def _sessions(bars: Bars, places: Places, calendar: Calendar) -> _Sessions:
    found, first, held = np.unique(places, return_index=True, return_counts=True)
    offsets = offsets_of(bars.timestamps[first], bars.interval, found, calendar)
    return _Sessions(found, first, held, bars_in(found, offsets, bars.interval, calendar))


def _missing_before(bars: Bars, sessions: _Sessions) -> NDArray[np.int64]:
    """Bars that are missing between each day's midnight and the last bar before it; (days,)."""
    seconds = bars.timestamps.astype(np.int64)
    steps = np.diff(seconds, prepend=np.iinfo(np.int32).min)[sessions.first] // bars.interval - 1
    since_midnight = seconds[sessions.first] % (24 * 3600) // bars.interval
    return np.asarray(steps - since_midnight)


def _fewest(expected: NDArray[np.int64]) -> int:
    """Returns that a session needs: three, unless no session has as many."""
    return min(_FEWEST_RETURNS, int(expected.max(initial=0)))


def _over(bars: Bars, sessions: _Sessions, calendar: Calendar) -> BoolArray:
    """Whether each session has closed, as far as its bars and later ones tell; (days,)."""
    over = np.ones(len(sessions.places), dtype=np.bool_)
    if len(over):
        end = bars.timestamps[-1] + np.timedelta64(bars.interval, "s")
        over[-1] = end >= calendar.closes[sessions.places[-1]]
    return over


def _returns(bars: Bars, sessions: _Sessions, calendar: Calendar) -> FloatArray:
    """Log return at whose end each bar closes; (n,)."""
    closes = np.log(bars.close)
    before = np.concatenate([[np.nan], closes[:-1]])[: len(closes)]
    if not calendar.always_open:
        before[sessions.first] = np.log(bars.open[sessions.first])
    return np.asarray(closes - before)


def _nights(bars: Bars, sessions: _Sessions, kept: BoolArray) -> FloatArray:
    """Log return before each session; (days,), 0 where the session before is not measured."""
    nights = np.zeros(len(sessions.places))
    known = kept[:-1] & (np.diff(sessions.places) == 1)
    opens, closes = bars.open[sessions.first[1:]], bars.close[sessions.last[:-1]]
    nights[1:][known] = np.log(opens[known]) - np.log(closes[known])
    return nights


def _grouped(
    returns: FloatArray, sessions: _Sessions, kept: BoolArray
) -> tuple[tuple[Places, FloatArray], ...]:
    first, held = sessions.first[kept], sessions.held[kept]
    groups = []
    for count in np.unique(held):
        places = np.flatnonzero(held == count)
        groups.append((places, returns[first[places][:, None] + np.arange(count)]))
    return tuple(groups)


def _left_out(dates: DateArray, kept: BoolArray, calendar: Calendar) -> tuple[Finding, ...]:
    count = int(np.count_nonzero(~kept))
    if not count:
        return ()
    found = f"{dates[~kept][0]} lacks some of its bars and is left out"
    needed = needed_bars(calendar)
    return (Finding("incomplete_sessions", "warning", "bars", found, needed, None, count),)


def _tolerated(
    dates: DateArray, missing: NDArray[np.int64], kept: BoolArray
) -> tuple[Finding, ...]:
    lacking = kept & (missing > 0)
    count = int(np.count_nonzero(lacking))
    if not count:
        return ()
    found = f"{dates[lacking][0]} lacks {missing[lacking][0]} of its bars and is measured without"
    return (Finding("missing_bars", "warning", "bars", found, "every bar", None, count),)
