"""Bars written as lines are read back as they were, and parts as one."""

import io

import numpy as np
import pandas as pd
import pytest

from tests.volatility.session_bars import session_bars
from volatility.bars import PRICES, Bars
from volatility.frames import from_frame
from volatility.rows import csv_header, csv_lines, empty_bars, joined, time_name, times_of

STAMPS = np.array(["2021-10-28", "2021-10-30"], "M8[s]")
PRICE = np.array([[0.1, 2], [0.3, 4], [0.1, 1e-8], [0.2, 1 / 3]])
DAILY = Bars(STAMPS, PRICE[0], PRICE[1], PRICE[2], PRICE[3], 86_400)


def test_a_line_has_every_digit() -> None:
    assert csv_header(is_daily=True) == "date,open,high,low,close\n"
    assert csv_lines(DAILY) == [
        "2021-10-28,0.1,0.3,0.1,0.2\n",
        "2021-10-30,2.0,4.0,1e-08,0.3333333333333333\n",
    ]


def test_shorter_bars_have_a_time_in_utc() -> None:
    assert csv_header(is_daily=False) == "timestamp,open,high,low,close\n"
    one = np.ones(2)
    hourly = Bars(STAMPS + 3_600, one, one, one, one, 3_600)
    assert times_of(hourly) == ["2021-10-28T01:00:00Z", "2021-10-30T01:00:00Z"]
    assert csv_lines(hourly)[1] == "2021-10-30T01:00:00Z,1.0,1.0,1.0,1.0\n"
    assert [time_name(it.is_daily) for it in (DAILY, hourly)] == ["date", "timestamp"]


@pytest.mark.parametrize("bars", [DAILY, session_bars("2021-01-04", "2021-01-08", 1_800)])
def test_what_is_written_is_read_back(bars: Bars) -> None:
    text = csv_header(bars.is_daily) + "".join(csv_lines(bars))
    same(
        from_frame(pd.read_csv(io.StringIO(text)), bars.interval),
        bars,
    )


def test_parts_are_joined() -> None:
    bars = session_bars("2021-01-04", "2021-01-08", 1_800)
    same(joined(bars.where(slice(0, 3)), bars.where(slice(3, 4)), bars.where(slice(4, None))), bars)


def same(found: Bars, expected: Bars) -> None:
    assert found.interval == expected.interval
    for column in ("timestamps", *PRICES):
        np.testing.assert_array_equal(getattr(found, column), getattr(expected, column))


@pytest.mark.parametrize("interval", [3_600, 86_400])
def test_bars_of_which_there_are_none_have_a_length(interval: int) -> None:
    none = empty_bars(interval)
    assert (len(none), none.interval) == (0, interval)
