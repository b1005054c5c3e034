"""What an OHLC bar is, and everything that can be wrong with one.

Nothing is repaired here: rows are not sorted, duplicates are not dropped, gaps are not filled.
What is found is said, with the first place where it occurs.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import chain
from operator import itemgetter
from typing import Any, Literal

import numpy as np

from volatility.arrays import BoolArray, DateArray, FloatArray, IndexArray
from volatility.calendars import Calendar, days_of, utc_second
from volatility.errors import Finding, InvalidBars
from volatility.sessions import closing_times, dates_of, offsets_of, places_of
from volatility.splits import ADJUSTED, LEAST_JUMP, split_factors

DAILY = 86_400  # seconds
PRICES = ("open", "high", "low", "close")
_prices_of = itemgetter(*PRICES)
_FIELDS = len(PRICES) + 1  # of a record: and one of date and timestamp
# A Parkinson volatility of 97 % in one bar: a crash to zero or a misprint, which swamps averages.
EXTREME_RANGE = 5.0


@dataclass(frozen=True, slots=True, eq=False)
class Bars:
    """Open, high, low and close of (n,) bars.

    Parameters
    ----------
    timestamps : (n,) datetime64[s], UTC, when each bar opens; midnight of the session's date for
        daily bars.
    open, high, low, close : (n,) prices.
    interval : seconds a bar spans: 86,400 daily, 3,600 hourly.

    Raises
    ------
    InvalidBars : columns of unequal length, an empty time stamp, or an interval that is neither a
        day nor divides one.
    """

    timestamps: DateArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    interval: int

    def __post_init__(self) -> None:
        stamps = np.asarray(self.timestamps).astype("datetime64[s]")
        object.__setattr__(self, "timestamps", stamps)
        for name in PRICES:
            object.__setattr__(self, name, np.asarray(getattr(self, name), dtype=np.float64))
        findings = [*_shape_findings(self), *_stamp_findings(self), *_interval_findings(self)]
        if findings:
            raise InvalidBars(findings)

    def __len__(self) -> int:
        return len(self.timestamps)

    @property
    def dates(self) -> DateArray:
        """UTC date on which each bar opens; (n,) datetime64[D]."""
        return self.timestamps.astype("datetime64[D]")

    @property
    def is_daily(self) -> bool:
        """Whether one bar is one session."""
        return self.interval == DAILY

    @property
    def extreme_range(self) -> BoolArray:
        """Where the high is more than five times the low; (n,)."""
        return self.high > EXTREME_RANGE * self.low

    def where(self, keep: BoolArray | IndexArray | slice) -> "Bars":
        """The bars for which ``keep``, (n,), is true, or those at places, or a slice of them."""
        prices = {name: getattr(self, name)[keep] for name in PRICES}
        return Bars(timestamps=self.timestamps[keep], interval=self.interval, **prices)


def from_records(records: Sequence[Mapping[str, Any]], interval: int) -> Bars:
    """Bars of records.

    Parameters
    ----------
    records : with ``open``, ``high``, ``low`` and ``close``, and either ``date`` or ``timestamp``,
        which is in UTC where it has no time zone.
    interval : seconds a bar spans.

    Raises
    ------
    InvalidBars : ``unclear_time``, neither or both of them, or a date where bars are shorter.
    """
    flat = [np.fromiter(chain.from_iterable(map(_prices_of, it)), float) for it in _parts(records)]
    times = _record_dates(records) if interval == DAILY else _record_times(records)
    opened, high, low, close = np.concatenate(flat).reshape(-1, 4).T.copy()
    return Bars(times, opened, high, low, close, interval)


def _parts(records: Sequence[Mapping[str, Any]]) -> list[Sequence[Mapping[str, Any]]]:
    size = 4_096  # read in one call, during which no other thread runs
    return [records[at : at + size] for at in range(0, max(len(records), 1), size)]


def _record_dates(records: Sequence[Mapping[str, Any]]) -> DateArray:
    if sum(map(len, records)) == _FIELDS * len(records):
        with suppress(KeyError):
            days = [days_of([record["date"] for record in it]) for it in _parts(records)]
            return np.concatenate(days).astype("datetime64[s]")
    return days_of([_record_date(it, at) for at, it in enumerate(records)]).astype("datetime64[s]")


def _record_date(record: Mapping[str, Any], index: int) -> date:
    if len(record) != _FIELDS or not record.keys() & {"date", "timestamp"}:
        raise _unclear_time(record, index, "a date")
    found: date = record["date"] if "date" in record else record["timestamp"].date()
    return found


def _record_times(records: Sequence[Mapping[str, Any]]) -> DateArray:
    return np.array([_record_time(it, index) for index, it in enumerate(records)], "M8[s]")


def _record_time(record: Mapping[str, Any], index: int) -> int:
    if len(record) != _FIELDS or "timestamp" not in record:
        needed = "a timestamp, since bars of this asset are within a day"
        raise _unclear_time(record, index, needed)
    stamp: datetime = record["timestamp"]
    return int((stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC)).timestamp())


def _unclear_time(record: Mapping[str, Any], index: int, needed: str) -> InvalidBars:
    found = " and ".join(name for name in ("date", "timestamp") if name in record) or "no time"
    return InvalidBars(
        [Finding("unclear_time", "error", "date", f"{found} at bar {index}", needed, index)]
    )


def validate(bars: Bars, calendar: Calendar, now: datetime) -> tuple[Finding, ...]:
    """Check prices and dates; linear in the number of bars.

    Parameters
    ----------
    bars : as they came.
    calendar : the sessions they should follow.
    now : with a time zone; a bar that has not closed by then is in the future.

    Returns
    -------
    Warnings: ``zero_range_bar``, ``extreme_range``, ``split_like_jump``, ``missing_sessions``.

    Raises
    ------
    InvalidBars : with every error found: ``empty_bars``, ``non_finite_price``,
        ``non_positive_price``, ``high_below_low``, ``open_outside_range``,
        ``close_outside_range``, ``duplicate_dates``, ``unsorted_dates``, ``future_dates``,
        ``outside_calendar``, ``not_a_session``, ``outside_session``, ``misaligned_time``,
        ``constant_prices``.
    """
    if not len(bars):
        raise InvalidBars([no_bars()])
    errors = [
        *price_errors(bars),
        *order_errors(bars),
        *_session_errors(bars, calendar, now),
        *_constant_errors(bars),
    ]
    if errors:
        raise InvalidBars(errors)
    return (
        *_range_warnings(bars),
        *_split_warnings(bars),
        *_missing_session_warnings(bars, calendar),
    )


def session_dates(bars: Bars, calendar: Calendar) -> DateArray:
    """Session that each bar belongs to; (n,) datetime64[D].

    Of a daily bar, or of a market that never closes, the date that it has; NaT for a shorter bar
    outside of all sessions.
    """
    if bars.is_daily or calendar.always_open:
        return bars.dates
    return dates_of(bars.timestamps, bars.interval, calendar)


def not_closed(bars: Bars, calendar: Calendar, now: datetime) -> BoolArray:
    """Whether each bar, or the session of a daily one, was open at ``now`` or later; (n,)."""
    if bars.is_daily:
        return bars.dates > calendar.last_closed_session(now)
    if calendar.always_open:
        return bars.timestamps + np.timedelta64(bars.interval, "s") > utc_second(now)
    return closing_times(bars.timestamps, bars.interval, calendar) > utc_second(now)


def within_sessions(bars: Bars, calendar: Calendar) -> tuple[Bars, int]:
    """Leave out bars outside of the calendar's sessions, and say how many they were.

    Daily bars of days without a session, and shorter ones before the open, after the close, in a
    pause or on a day without a session. A bar before or after the years that the calendar covers
    stays, for :func:`validate` to refuse.

    Raises
    ------
    InvalidBars : ``empty_bars``, where nothing is left.
    """
    inside = (bars.dates < calendar.first) | (bars.dates > calendar.last)
    if bars.is_daily:
        inside[~inside] = calendar.is_session(bars.dates[~inside])
    else:
        inside |= ~np.isnat(session_dates(bars, calendar))
    dropped = int(np.count_nonzero(~inside))
    if dropped and dropped == len(bars):
        found = "1 bar, which is" if dropped == 1 else f"{dropped} bars, which are all"
        needed = f"at least one bar within a session of the calendar {calendar.name}"
        raise InvalidBars(
            [Finding("empty_bars", "error", "bars", f"{found} outside of sessions", needed)]
        )
    return bars.where(inside), dropped


def no_bars() -> Finding:
    """What is wrong with bars of which there are none."""
    return Finding("empty_bars", "error", "bars", "no bars", "at least one bar")


def _first(
    bars: Bars,
    wrong: BoolArray,
    code: str,
    field: str,
    found: str,
    needed: str,
    severity: Literal["error", "warning"] = "error",
) -> Iterator[Finding]:
    """Finding for the first bar of a mask, if there is one; ``found`` may name its prices."""
    count = int(np.count_nonzero(wrong))
    if count:
        index = int(np.argmax(wrong))
        prices = {name: getattr(bars, name)[index] for name in PRICES}
        stamp = bars.dates[index] if bars.is_daily else bars.timestamps[index]
        place = f"{found.format(**prices)} at bar {index} ({stamp})"
        yield Finding(code, severity, field, place, needed, index, count)


def _shape_findings(bars: Bars) -> Iterator[Finding]:
    for name in PRICES:
        shape = getattr(bars, name).shape
        if bars.timestamps.ndim != 1 or shape != bars.timestamps.shape:
            found = f"shape {shape} beside timestamps of shape {bars.timestamps.shape}"
            yield Finding("length_mismatch", "error", name, found, "one value a timestamp")


def _stamp_findings(bars: Bars) -> Iterator[Finding]:
    empty = np.isnat(bars.timestamps)
    if empty.any():
        index, count = int(np.argmax(empty)), int(np.count_nonzero(empty))
        found, needed = f"no time at bar {index}", "a time for every bar"
        yield Finding("unparsable_dates", "error", "timestamps", found, needed, index, count)


def _interval_findings(bars: Bars) -> Iterator[Finding]:
    if bars.interval <= 0 or DAILY % bars.interval:
        found = f"bars of {bars.interval} seconds"
        needed = f"{DAILY} (daily), or a number of seconds that divides a day"
        yield Finding("unsupported_interval", "error", "interval", found, needed)


def price_errors(bars: Bars) -> Iterator[Finding]:
    """What is wrong with prices."""
    in_order = (bars.low > 0) & (bars.high < np.inf)  # false for NaN, here and below
    for price in (bars.open, bars.close):
        in_order &= (bars.low <= price) & (price <= bars.high)
    if in_order.all():
        return
    for name in PRICES:
        price = getattr(bars, name)
        finite = np.isfinite(price)
        found = f"{{{name}}}"
        yield from _first(bars, ~finite, "non_finite_price", name, found, "finite prices")
        not_positive = finite & (price <= 0)
        yield from _first(
            bars, not_positive, "non_positive_price", name, found, "prices above zero"
        )
    yield from _range_errors(bars)


def _range_errors(bars: Bars) -> Iterator[Finding]:
    inverted = bars.high < bars.low
    found, needed = "high {high} below low {low}", "a high of at least the low"
    yield from _first(bars, inverted, "high_below_low", "high", found, needed)
    for name in ("open", "close"):
        price = getattr(bars, name)
        outside = ~inverted & ((price > bars.high) | (price < bars.low))
        found, needed = f"{name} {{{name}}} outside {{low}} to {{high}}", "between low and high"
        code = f"{name}_outside_range"
        yield from _first(bars, outside, code, name, found, f"{name} {needed}")


def order_errors(bars: Bars) -> Iterator[Finding]:
    """What is wrong with the order of bars."""
    steps = np.diff(bars.timestamps).astype(np.int64)
    if (steps > 0).all():
        return
    _, firsts = np.unique(bars.timestamps, return_index=True)
    repeated = np.ones(len(bars), dtype=np.bool_)
    repeated[firsts] = False
    found, needed = "a time that another bar has", "each time once"
    yield from _first(bars, repeated, "duplicate_dates", "timestamps", found, needed)
    back = np.concatenate([[False], steps < 0])
    found, needed = "an earlier time than that of the bar before", "from the oldest to the newest"
    yield from _first(bars, back, "unsorted_dates", "timestamps", found, f"bars {needed}")


def _session_errors(bars: Bars, calendar: Calendar, now: datetime) -> Iterator[Finding]:
    future, before = not_closed(bars, calendar, now), bars.dates < calendar.first
    judged = ~future & ~before
    found, needed = "a bar that has not closed", f"bars that had closed by {utc_second(now)} UTC"
    yield from _first(bars, future, "future_dates", "timestamps", found, needed)
    needed = f"dates from {calendar.first} on, where the calendar {calendar.name} begins"
    yield from _first(bars, before, "outside_calendar", "timestamps", "a date too early", needed)
    if bars.is_daily:
        closed = np.zeros(len(bars), dtype=np.bool_)
        closed[judged] = ~calendar.is_session(bars.dates[judged])
        needed = f"sessions of the calendar {calendar.name}"
        yield from _first(
            bars, closed, "not_a_session", "timestamps", "a day without a session", needed
        )
    elif calendar.always_open:
        off_grid = bars.timestamps.astype(np.int64) % bars.interval != 0
        needed = f"bars that open at whole multiples of {bars.interval} seconds after midnight UTC"
        yield from _misaligned(bars, off_grid, needed)
    else:
        yield from _intraday_errors(bars, judged, calendar)


def _intraday_errors(bars: Bars, judged: BoolArray, calendar: Calendar) -> Iterator[Finding]:
    """What is wrong with when bars of a market that closes open."""
    stamps, interval = bars.timestamps, bars.interval
    places = places_of(stamps, interval, calendar)
    needed = f"bars within the sessions of the calendar {calendar.name}"
    outside = "a bar outside of all sessions"
    yield from _first(bars, judged & (places < 0), "outside_session", "timestamps", outside, needed)
    off_grid = judged & (places >= 0) & (offsets_of(stamps, interval, places, calendar) < 0)
    needed = f"bars that open at whole multiples of {interval} seconds after midnight UTC, or "
    yield from _misaligned(bars, off_grid, needed + "after the session's open")


def _misaligned(bars: Bars, wrong: BoolArray, needed: str) -> Iterator[Finding]:
    between = "a bar that opens between two others"
    yield from _first(bars, wrong, "misaligned_time", "timestamps", between, needed)


def _constant_errors(bars: Bars) -> Iterator[Finding]:
    if bars.high.max() > bars.low.min():
        return
    prices = np.stack([bars.open, bars.high, bars.low, bars.close])
    if (prices == prices[0, 0]).all():
        found = f"the price {bars.close[0]} in every bar"
        needed = "prices that move: volatility is undefined without a range"
        yield Finding("constant_prices", "error", "close", found, needed, 0, len(bars))


def _range_warnings(bars: Bars) -> Iterator[Finding]:
    flat, needed = "high and low both {high}", "a high above the low"
    wrong = bars.high == bars.low
    yield from _first(bars, wrong, "zero_range_bar", "high", flat, needed, severity="warning")
    wide, needed = "low {low} under a high of {high}", "a check that neither price is a misprint"
    wrong = bars.extreme_range
    yield from _first(bars, wrong, "extreme_range", "low", wide, needed, severity="warning")


def _split_warnings(bars: Bars) -> Iterator[Finding]:
    jumps = bars.open[1:] / bars.close[:-1]
    if ((jumps < LEAST_JUMP) & (jumps > 1 / LEAST_JUMP)).all():
        return
    factors = split_factors(bars.open, bars.high, bars.low, bars.close)
    found = np.isfinite(factors)
    if found.any():
        at = int(np.argmax(found))
        jump = f"open {{open}} after a close of {bars.close[at - 1]}, about {factors[at]:.3g} times"
        code = "split_like_jump"
        yield from _first(bars, found, code, "open", jump, ADJUSTED, severity="warning")


def _missing_session_warnings(bars: Bars, calendar: Calendar) -> Iterator[Finding]:
    missing = calendar.missing_sessions(session_dates(bars, calendar))
    if len(missing):
        found = f"no bar on the session {missing[0]}"
        needed = f"every session of the calendar {calendar.name}"
        count = len(missing)
        yield Finding("missing_sessions", "warning", "timestamps", found, needed, None, count)
