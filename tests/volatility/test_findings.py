"""Each finding on bars in full: its case, severity and place, what is there, what is needed."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import pytest

from tests.volatility.prices import NOW, changed, chosen, make_bars, with_price
from tests.volatility.session_bars import session_bars
from volatility.bars import Bars, from_records, validate, within_sessions
from volatility.calendars import get_calendar
from volatility.errors import Finding, InvalidBars
from volatility.frames import from_frame
from volatility.series import daily_series

CRYPTO = get_calendar("24/7")
NEW_YORK = get_calendar("XNYS")
BARS = make_bars(10)
LAST_CLOSE = datetime(2021, 1, 10, tzinfo=UTC)  # of all but the newest of them
HOURS = make_bars(5, interval=3_600)
MORNING = make_bars(3, "2019-07-02T12:00", 3_600)  # of which the third reaches into the session
PRICES = {"open": 2.0, "high": 4.0, "low": 1.0, "close": 3.0}
FLAT = np.full(10, 5.0)
LEVEL = np.repeat([8.0, 4.0], 6)
HALVED = changed(make_bars(12), open=LEVEL, high=LEVEL * 1.01, low=LEVEL * 0.99, close=LEVEL)
FRAME = pd.DataFrame(
    {"date": ["2021-01-01", "2021-01-02", "2021-01-03"]}
    | {name: [10.0, 11.0, 12.0] for name in PRICES}
)


def at(name: str, place: int, price: float) -> Bars:
    return with_price(BARS, name, place, price)


def judged(bars: Bars, calendar: str = "24/7", now: datetime = NOW) -> object:
    return validate(bars, get_calendar(calendar), now)


def measured(bars: Bars, measure: str, calendar: str = "24/7") -> object:
    return daily_series(bars, measure, get_calendar(calendar))[1]


def half_hours(*without: int) -> Bars:
    """Three days of New York's half hours, of which some are missing."""
    bars = session_bars("2019-06-26", "2019-06-28", 1800)
    return chosen(bars, np.delete(np.arange(len(bars)), without))


LOW, HIGH, OPEN, CLOSE = (getattr(BARS, it) for it in ("low", "high", "open", "close"))
CASES: list[tuple[Callable[[], object], Finding]] = [
    # prices
    (
        lambda: judged(at("high", 3, np.nan)),
        Finding(
            "non_finite_price", "error", "high", "nan at bar 3 (2021-01-04)", "finite prices", 3
        ),
    ),
    (
        lambda: judged(at("open", 0, -1.0)),
        Finding(
            "non_positive_price",
            "error",
            "open",
            "-1.0 at bar 0 (2021-01-01)",
            "prices above zero",
            0,
        ),
    ),
    (
        lambda: judged(
            changed(BARS, high=np.append(LOW[:2], HIGH[2:]), low=np.append(HIGH[:2], LOW[2:]))
        ),
        Finding(
            "high_below_low",
            "error",
            "high",
            f"high {LOW[0]} below low {HIGH[0]} at bar 0 (2021-01-01)",
            "a high of at least the low",
            0,
            2,
        ),
    ),
    (
        lambda: judged(at("open", 9, 900.0)),
        Finding(
            "open_outside_range",
            "error",
            "open",
            f"open 900.0 outside {LOW[9]} to {HIGH[9]} at bar 9 (2021-01-10)",
            "open between low and high",
            9,
        ),
    ),
    (
        lambda: judged(at("close", 4, 1.0)),
        Finding(
            "close_outside_range",
            "error",
            "close",
            f"close 1.0 outside {LOW[4]} to {HIGH[4]} at bar 4 (2021-01-05)",
            "close between low and high",
            4,
        ),
    ),
    (
        lambda: judged(changed(BARS, open=FLAT, high=FLAT, low=FLAT, close=FLAT)),
        Finding(
            "constant_prices",
            "error",
            "close",
            "the price 5.0 in every bar",
            "prices that move: volatility is undefined without a range",
            0,
            10,
        ),
    ),
    # times
    (
        lambda: judged(chosen(BARS, [0, 1, 1, 1, 2])),
        Finding(
            "duplicate_dates",
            "error",
            "timestamps",
            "a time that another bar has at bar 2 (2021-01-02)",
            "each time once",
            2,
            2,
        ),
    ),
    (
        lambda: judged(chosen(BARS, [0, 2, 1, 4, 3])),
        Finding(
            "unsorted_dates",
            "error",
            "timestamps",
            "an earlier time than that of the bar before at bar 2 (2021-01-02)",
            "bars from the oldest to the newest",
            2,
            2,
        ),
    ),
    (
        lambda: judged(BARS, now=LAST_CLOSE),
        Finding(
            "future_dates",
            "error",
            "timestamps",
            "a bar that has not closed at bar 9 (2021-01-10)",
            "bars that had closed by 2021-01-10T00:00:00 UTC",
            9,
        ),
    ),
    (
        lambda: judged(make_bars(2, "1985-01-02"), "XNYS"),
        Finding(
            "outside_calendar",
            "error",
            "timestamps",
            "a date too early at bar 0 (1985-01-02)",
            "dates from 1990-01-01 on, where the calendar XNYS begins",
            0,
            2,
        ),
    ),
    (
        lambda: judged(make_bars(3, "2020-04-09"), "XNYS"),
        Finding(
            "not_a_session",
            "error",
            "timestamps",
            "a day without a session at bar 1 (2020-04-10)",
            "sessions of the calendar XNYS",
            1,
            2,
        ),
    ),
    (
        lambda: judged(MORNING, "XNYS"),
        Finding(
            "outside_session",
            "error",
            "timestamps",
            "a bar outside of all sessions at bar 0 (2019-07-02T12:00:00)",
            "bars within the sessions of the calendar XNYS",
            0,
        ),
    ),
    (
        lambda: judged(changed(HOURS, timestamps=HOURS.timestamps + np.timedelta64(60, "s"))),
        Finding(
            "misaligned_time",
            "error",
            "timestamps",
            "a bar that opens between two others at bar 0 (2021-01-01T00:01:00)",
            "bars that open at whole multiples of 3600 seconds after midnight UTC",
            0,
            5,
        ),
    ),
    (
        lambda: judged(make_bars(2, "2019-07-02T13:45", 3_600), "XNYS"),
        Finding(
            "misaligned_time",
            "error",
            "timestamps",
            "a bar that opens between two others at bar 0 (2019-07-02T13:45:00)",
            "bars that open at whole multiples of 3600 seconds after midnight UTC, or after the "
            "session's open",
            0,
            2,
        ),
    ),
    # warnings
    (
        lambda: judged(changed(BARS, open=CLOSE, high=CLOSE, low=CLOSE)),
        Finding(
            "zero_range_bar",
            "warning",
            "high",
            f"high and low both {CLOSE[0]} at bar 0 (2021-01-01)",
            "a high above the low",
            0,
            10,
        ),
    ),
    (
        lambda: judged(at("low", 6, 1.0)),
        Finding(
            "extreme_range",
            "warning",
            "low",
            f"low 1.0 under a high of {HIGH[6]} at bar 6 (2021-01-07)",
            "a check that neither price is a misprint",
            6,
        ),
    ),
    (
        lambda: judged(HALVED),
        Finding(
            "split_like_jump",
            "warning",
            "open",
            "open 4.0 after a close of 8.0, about 0.5 times at bar 6 (2021-01-07)",
            "prices adjusted for splits, or a check that this was none",
            6,
        ),
    ),
    (
        lambda: judged(chosen(BARS, [0, 1, 4, 6])),
        Finding(
            "missing_sessions",
            "warning",
            "timestamps",
            "no bar on the session 2021-01-03",
            "every session of the calendar 24/7",
            None,
            3,
        ),
    ),
    # what is no bar
    (
        lambda: judged(chosen(BARS, slice(0))),
        Finding("empty_bars", "error", "bars", "no bars", "at least one bar"),
    ),
    (
        lambda: within_sessions(make_bars(2, "2020-04-11"), NEW_YORK),
        Finding(
            "empty_bars",
            "error",
            "bars",
            "2 bars, which are all outside of sessions",
            "at least one bar within a session of the calendar XNYS",
        ),
    ),
    (
        lambda: changed(BARS, low=LOW[:2]),
        Finding(
            "length_mismatch",
            "error",
            "low",
            "shape (2,) beside timestamps of shape (10,)",
            "one value a timestamp",
        ),
    ),
    (
        lambda: changed(
            BARS, timestamps=np.append(BARS.timestamps[:8], [np.datetime64("NaT")] * 2)
        ),
        Finding(
            "unparsable_dates",
            "error",
            "timestamps",
            "no time at bar 8",
            "a time for every bar",
            8,
            2,
        ),
    ),
    (
        lambda: make_bars(2, interval=7_000),
        Finding(
            "unsupported_interval",
            "error",
            "interval",
            "bars of 7000 seconds",
            "86400 (daily), or a number of seconds that divides a day",
        ),
    ),
    # records
    (
        lambda: from_records([PRICES], 86_400),
        Finding("unclear_time", "error", "date", "no time at bar 0", "a date", 0),
    ),
    (
        lambda: from_records([{"date": date(2021, 1, 1)} | PRICES], 3_600),
        Finding(
            "unclear_time",
            "error",
            "date",
            "date at bar 0",
            "a timestamp, since bars of this asset are within a day",
            0,
        ),
    ),
    # tables
    (
        lambda: from_frame(FRAME.drop(columns="low")),
        Finding(
            "missing_column",
            "error",
            "low",
            "columns date, open, high, close",
            "a column named low, in any case, or the option columns",
        ),
    ),
    (
        lambda: from_frame(FRAME.drop(columns="date")),
        Finding(
            "missing_column",
            "error",
            "date, timestamp, datetime or time",
            "columns open, high, low, close",
            "a column named date, timestamp, datetime or time, in any case, or the option columns",
        ),
    ),
    (
        lambda: from_frame(pd.DataFrame()),
        Finding(
            "missing_column",
            "error",
            "open",
            "columns none",
            "a column named open, in any case, or the option columns",
        ),
    ),
    (
        lambda: from_frame(FRAME.assign(Close=1.0)),
        Finding(
            "ambiguous_column",
            "error",
            "close",
            "more than one such column: close and Close",
            "one column of times and one of each price, or the option columns to say which",
        ),
    ),
    (
        lambda: from_frame(FRAME.assign(time="2021-01-01")),
        Finding(
            "ambiguous_column",
            "error",
            "date and time",
            "columns date and time, of which the second is no time of day",
            "one column of times, or the option columns to say which",
        ),
    ),
    (
        lambda: from_frame(FRAME.assign(date=["2021-01-01T00", *FRAME["date"][1:]]), 3_600),
        Finding(
            "unclear_time",
            "error",
            "time",
            "the date 2021-01-02 at bar 1",
            "a timestamp, since the bars are shorter than a day",
            1,
            2,
        ),
    ),
    (
        lambda: from_frame(FRAME.assign(close=["10", "ten", "n/a"])),
        Finding("unparsable_numbers", "error", "close", "'ten' at bar 1", "numbers", 1, 2),
    ),
    (
        lambda: from_frame(FRAME.assign(date=["2021-01-01", "2021-01-02", "soon"])),
        Finding(
            "unparsable_dates",
            "error",
            "time",
            "'soon' at bar 2",
            "ISO 8601 dates, such as 2021-10-26",
            2,
        ),
    ),
    (
        lambda: from_frame(FRAME.assign(date=[1, 20210102, 20210103])),
        Finding(
            "unparsable_dates",
            "error",
            "time",
            "'1' at bar 0",
            "ISO 8601 dates, such as 2021-10-26, or 26.10.2021, Oct 26, 2021, 20211026, "
            "Unix seconds or milliseconds",
            0,
            3,
        ),
    ),
    (
        lambda: from_frame(FRAME.head(1)),
        Finding(
            "unknown_interval",
            "error",
            "interval",
            "one bar",
            "bars at two different times, or the interval: the seconds that each spans",
        ),
    ),
    # what is measured of them
    (
        lambda: measured(changed(BARS, high=np.append(LOW[:2], HIGH[2:])), "parkinson"),
        Finding(
            "undefined_measure",
            "warning",
            "parkinson",
            "zero on 2021-01-01, which is left out",
            "a session in which the price moves, and what comes before it where the measure looks "
            "back",
            0,
            2,
        ),
    ),
    (
        lambda: measured(BARS, "squared_return"),
        Finding(
            "undefined_measure",
            "warning",
            "squared_return",
            "not defined on 2021-01-01, which is left out",
            "a session in which the price moves, and what comes before it where the measure looks "
            "back",
            0,
        ),
    ),
    (
        lambda: measured(half_hours(14, 15), "realized_variance", "XNYS"),
        Finding(
            "incomplete_sessions",
            "warning",
            "bars",
            "2019-06-27 lacks some of its bars and is left out",
            "nine in ten of a session's bars, and of the newest session its last one",
            None,
        ),
    ),
    (
        lambda: measured(make_bars(49, interval=3_600), "realized_variance"),
        Finding(
            "incomplete_sessions",
            "warning",
            "bars",
            "2021-01-01 lacks some of its bars and is left out",
            "nine in ten of a session's bars, with the one before midnight, and of the newest "
            "session its last one",
            None,
            2,
        ),
    ),
    (
        lambda: measured(half_hours(1, 14), "realized_variance", "XNYS"),
        Finding(
            "missing_bars",
            "warning",
            "bars",
            "2019-06-26 lacks 1 of its bars and is measured without",
            "every bar",
            None,
            2,
        ),
    ),
]


@pytest.mark.parametrize(("found_by", "expected"), CASES)
def test_a_finding_says_everything_that_a_reader_needs(
    found_by: Callable[[], object], expected: Finding
) -> None:
    try:
        found = found_by()
    except InvalidBars as refused:
        assert expected.severity == "error"
        found = refused.findings
    else:
        assert expected.severity == "warning"
    assert repr(found[0]) == repr(expected)  # type: ignore[index]


def test_once_is_not_counted() -> None:
    once = Finding("code", "error", "high", "this", "that", 3)
    twice = Finding("code", "error", "high", "this", "that", 3, 2)
    assert str(once) == "high: this; needed: that"
    assert str(twice) == "high: this (2 in all); needed: that"
