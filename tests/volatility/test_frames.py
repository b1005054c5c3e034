import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.volatility.prices import NOW, make_bars
from volatility.bars import DAILY, PRICES, Bars, validate
from volatility.calendars import get_calendar
from volatility.errors import InvalidBars
from volatility.frames import from_frame, to_frame

CRYPTO = get_calendar("24/7")


def codes(error):
    return [finding.code for finding in error.findings]


def frame(**columns):
    prices = {name: [10.0, 11.0, 12.0] for name in ("open", "high", "low", "close")}
    dates = {"date": ["2021-01-01", "2021-01-02", "2021-01-03"]}
    return pd.DataFrame({**dates, **prices, **columns})


def frame_refusal(table, **arguments):
    with pytest.raises(InvalidBars) as caught:
        from_frame(table, **arguments)
    return caught.value


def test_frame_of_daily_bars():
    bars = from_frame(frame())
    assert bars.interval == DAILY
    assert list(bars.dates) == list(np.arange("2021-01-01", "2021-01-04", dtype="datetime64[D]"))
    assert list(bars.close) == [10.0, 11.0, 12.0]


def test_frame_columns_in_any_case_and_order():
    table = frame().rename(columns=str.upper)[["CLOSE", "LOW", "OPEN", "HIGH", "DATE"]]
    table[" Volume"] = "many"
    assert len(from_frame(table)) == 3
    for name in ("Timestamp", "datetime", " Time "):
        assert len(from_frame(frame().rename(columns={"date": name}))) == 3


def test_frame_with_an_index_of_dates():
    table = frame().assign(date=lambda t: pd.to_datetime(t["date"])).set_index("date")
    assert list(from_frame(table).dates) == list(from_frame(frame()).dates)


def test_frame_in_any_column_type():
    expected = from_frame(frame()).timestamps
    texts = frame()["date"]
    for dates in (
        pd.to_datetime(texts),
        pd.to_datetime(texts, utc=True),
        pd.to_datetime(texts).dt.date,
        texts.astype("string"),
        texts + "T00:00:00Z",
        texts.str.replace("-", ""),
    ):
        assert list(from_frame(frame(date=dates)).timestamps) == list(expected)
    assert list(from_frame(frame(open=["10", " 11", "12.5"])).open) == [10.0, 11.0, 12.5]


def test_hourly_times_become_utc():
    hours = ["2021-01-01 00:00+01:00", "2021-01-01 01:00+01:00", "2021-01-01 02:00+01:00"]
    bars = from_frame(frame(date=hours))
    assert bars.interval == 3_600
    assert bars.timestamps[0] == np.datetime64("2020-12-31T23:00")
    assert list(bars.dates[:2]) == list(np.array(["2020-12-31", "2021-01-01"], "datetime64[D]"))


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo", "UTC"])
def test_times_of_a_column_with_a_zone_become_utc(zone):
    utc = pd.to_datetime(["2021-01-01 23:00", "2021-01-02 00:00", "2021-01-02 01:00"], utc=True)
    expected = ["2021-01-01T23:00:00", "2021-01-02T00:00:00", "2021-01-02T01:00:00"]
    local = utc.tz_convert(zone)
    bars = from_frame(frame(date=local))
    assert bars.timestamps.astype(str).tolist() == expected
    indexed = frame().drop(columns="date").set_index(local)
    assert from_frame(indexed).timestamps.astype(str).tolist() == expected
    mixed = frame(date=[str(time) for time in local])
    assert from_frame(mixed).timestamps.astype(str).tolist() == expected


def test_a_frame_s_times_are_in_utc():
    stamps = to_frame(make_bars(3, interval=3_600))["timestamp"]
    assert str(stamps.dt.tz) == "UTC"


def test_naive_times_are_taken_as_utc():
    hours = ["2021-01-01 00:00", "2021-01-01 01:00", "2021-01-01 02:00"]
    for column in (hours, pd.to_datetime(hours)):
        assert from_frame(frame(date=column)).timestamps[1] == np.datetime64("2021-01-01T01:00")


def test_daily_bars_keep_their_own_date_in_summer_and_winter():
    # As exported for New York around the end of summer time, 2020-11-01.
    dates = ["2020-10-30 00:00:00-04:00", "2020-11-02 00:00:00-05:00", "2020-11-03 00:00:00-05:00"]
    for column in (dates, pd.to_datetime(dates, utc=True).tz_convert("America/New_York")):
        bars = from_frame(frame(date=column))
        assert bars.interval == DAILY
        assert list(bars.dates.astype(str)) == ["2020-10-30", "2020-11-02", "2020-11-03"]
    # East of Greenwich, local midnight lies in the day before in UTC.
    bars = from_frame(frame(date=[f"2021-01-0{i} 00:00:00+09:00" for i in (1, 2, 3)]))
    assert bars.dates[0] == np.datetime64("2021-01-01")


def test_dates_alone_do_not_place_hourly_bars():
    error = frame_refusal(frame(), interval=3600)
    assert (error.code, error.findings[0].count) == ("unclear_time", 3)
    assert from_frame(frame(date=["2021-01-01T00", "2021-01-01T01", "2021-01-01T02"])).interval


@pytest.mark.parametrize("dates", [["2021-01", "2021-02", "2021-03"], ["2021", "2022", "2023"]])
def test_a_month_is_no_date(dates):
    assert frame_refusal(frame(date=dates)).code == "unparsable_dates"


def test_interval_is_the_most_frequent_distance():
    # A Friday and the Monday after: three days apart, twice one day.
    dates = ["2021-01-07", "2021-01-08", "2021-01-11", "2021-01-12"]
    table = pd.concat([frame(), frame().tail(1)]).assign(date=dates)
    assert from_frame(table).interval == DAILY
    minutes = pd.date_range("2021-01-01", periods=3, freq="15min")
    assert from_frame(frame(date=minutes)).interval == 900
    assert from_frame(frame(date=minutes[::-1])).interval == 900


def test_one_bar_has_no_interval():
    error = frame_refusal(frame().head(1))
    assert error.code == "unknown_interval"
    assert "one bar; needed: bars at two different times, or the interval" in str(error)
    assert len(from_frame(frame().head(1), interval=DAILY)) == 1


def test_empty_frame():
    assert frame_refusal(frame().head(0)).code == "empty_bars"


def test_missing_columns_are_all_named():
    error = frame_refusal(frame().drop(columns=["high", "date"]))
    assert codes(error) == ["missing_column", "missing_column"]
    assert "high: columns open, low, close; needed: a column named high" in str(error)
    assert "date, timestamp, datetime or time" in str(error)


def test_two_columns_for_one_thing():
    assert codes(frame_refusal(frame(Close=[1, 2, 3]))) == ["ambiguous_column"]
    error = frame_refusal(frame(time=["1", "2", "3"]))
    assert codes(error) == ["ambiguous_column"]
    assert "date and time" in str(error)


@pytest.mark.parametrize(
    ("dates", "found"),
    [
        (["2021-01-01", "soon", "2021-01-03"], "'soon' at bar 1"),
        (["2021-01-01", "2021-13-01", "2021-01-03"], "'2021-13-01' at bar 1"),
        (["2021-01-01", "02/01/2021", "2021-01-03"], "'02/01/2021' at bar 1"),  # which month?
        ([44197, 44198, 44199], "'44197' at bar 0"),  # days since 1900, as spreadsheets count
    ],
)
def test_dates_that_cannot_be_read(dates, found):
    error = frame_refusal(frame(date=dates))
    assert error.code == "unparsable_dates"
    assert found in str(error)
    assert "needed: ISO 8601 dates" in str(error)


def test_prices_that_cannot_be_read():
    error = frame_refusal(frame(low=["10", "n/a", "ten"]))
    assert error.code == "unparsable_numbers"
    assert error.field == "low"
    assert "'n/a' at bar 1 (2 in all); needed: numbers" in str(error)


def test_an_empty_cell_is_a_price_that_is_missing():
    bars = from_frame(frame(low=["10", None, "12"]))
    with pytest.raises(InvalidBars, match="low: nan") as caught:
        validate(bars, CRYPTO, NOW)
    assert codes(caught.value) == ["non_finite_price"]


def test_nothing_is_sorted_or_dropped():
    dates = ["2021-01-03", "2021-01-01", "2021-01-01"]
    assert list(from_frame(frame(date=dates)).dates.astype(str)) == dates


@given(st.integers(2, 30), st.sampled_from([DAILY, 3_600, 300]))
def test_a_frame_there_and_back(nobs, interval):
    bars = make_bars(nobs, interval=interval)
    again = from_frame(to_frame(bars))
    assert isinstance(again, Bars)
    assert again.interval == interval
    for name in ("timestamps", *PRICES):
        assert (getattr(again, name) == getattr(bars, name)).all()
