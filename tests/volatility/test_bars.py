import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.volatility.prices import NOW, changed, chosen, make_bars, with_price
from volatility.bars import DAILY, PRICES, session_dates, validate, within_sessions
from volatility.calendars import get_calendar
from volatility.errors import InvalidBars, InvalidInput

CRYPTO = get_calendar("24/7")
NEW_YORK = get_calendar("XNYS")


def refusal(bars, calendar=CRYPTO, now=NOW):
    with pytest.raises(InvalidBars) as caught:
        validate(bars, calendar, now)
    return caught.value


def codes(error):
    return [finding.code for finding in error.findings]


def test_good_bars_have_no_findings():
    assert validate(make_bars(), CRYPTO, NOW) == ()


def test_no_bars():
    error = refusal(chosen(make_bars(), slice(0)))
    assert error.code == "empty_bars"
    assert "at least one bar" in str(error)


@pytest.mark.parametrize("name", PRICES)
@pytest.mark.parametrize("price", [np.nan, np.inf, -np.inf])
def test_non_finite_price(name, price):
    error = refusal(with_price(make_bars(), name, 7, price))
    assert error.code == "non_finite_price"
    assert error.field == name
    assert error.findings[0].index == 7
    assert f"{price} at bar 7 (2021-01-08); needed: finite prices" in str(error)


@pytest.mark.parametrize("name", PRICES)
@pytest.mark.parametrize("price", [0.0, -3.5])
def test_non_positive_price(name, price):
    error = refusal(with_price(make_bars(), name, 7, price))
    assert error.code == "non_positive_price"
    assert error.field == name
    assert f"{name}: {price} at bar 7 (2021-01-08); needed: prices above zero" in str(error)


def test_high_below_low():
    bars = make_bars()
    error = refusal(changed(bars, high=bars.low, low=bars.high))
    assert codes(error) == ["high_below_low"]  # open and close are not blamed for it
    assert f"high {bars.low[0]} below low {bars.high[0]} at bar 0 (2021-01-01)" in str(error)
    assert error.findings[0].count == 40


@pytest.mark.parametrize("name", ["open", "close"])
def test_price_outside_range(name):
    bars = make_bars()
    error = refusal(with_price(bars, name, 3, 2 * bars.high[3]))
    assert codes(error) == [f"{name}_outside_range"]
    assert f"outside {bars.low[3]} to {bars.high[3]} at bar 3 (2021-01-04)" in str(error)
    assert codes(refusal(with_price(bars, name, 3, bars.low[3] / 2))) == [f"{name}_outside_range"]


def test_duplicate_dates_are_counted_beside_each_other_and_apart():
    beside = refusal(chosen(make_bars(4), [0, 1, 1, 2, 3]))
    assert codes(beside) == ["duplicate_dates"]
    assert beside.findings[0].index == 2
    assert "at bar 2 (2021-01-02); needed: each time once" in str(beside)
    apart = refusal(chosen(make_bars(4), [0, 1, 2, 0, 3]))
    assert codes(apart) == ["duplicate_dates", "unsorted_dates"]
    assert [finding.index for finding in apart.findings] == [3, 3]


def test_unsorted_dates():
    error = refusal(chosen(make_bars(4), [0, 2, 1, 3]))
    assert codes(error) == ["unsorted_dates"]
    assert "at bar 2 (2021-01-02); needed: bars from the oldest to the newest" in str(error)


def test_future_dates_are_those_that_have_not_closed():
    bars = make_bars(3, start="2021-01-01")
    closed = pd.Timestamp("2021-01-04", tz="UTC").to_pydatetime()
    assert validate(bars, CRYPTO, closed) == ()
    error = refusal(bars, now=closed - pd.Timedelta(seconds=1))
    assert codes(error) == ["future_dates"]
    assert "at bar 2 (2021-01-03); needed: bars that had closed by 2021-01-03T23:59:59 UTC" in str(
        error
    )


def test_an_hourly_bar_closes_after_its_hour():
    bars = make_bars(5, start="2021-01-01T20:00", interval=3_600)  # the last opens at midnight
    closed = pd.Timestamp("2021-01-02 01:00", tz="UTC").to_pydatetime()
    assert validate(bars, CRYPTO, closed) == ()
    error = refusal(bars, now=closed - pd.Timedelta(seconds=1))
    assert error.code == "future_dates"
    assert "at bar 4 (2021-01-02T00:00:00)" in str(error)


def test_hourly_bars_open_on_the_hour():
    bars = make_bars(5, interval=3600)
    late = changed(bars, timestamps=bars.timestamps + np.timedelta64(30, "m"))
    error = refusal(late)
    assert codes(error) == ["misaligned_time"]
    assert (error.findings[0].index, error.findings[0].count) == (0, 5)
    assert "whole multiples of 3600 seconds" in str(error)


def test_dates_before_the_calendar_begins():
    bars = make_bars(3, start="1985-01-02")
    error = refusal(bars, get_calendar("XNYS"))
    assert codes(error) == ["outside_calendar"]
    assert "(1985-01-02) (3 in all); needed: dates from 1990-01-01 on" in str(error)


def test_dates_far_in_the_future_are_only_that():
    assert codes(refusal(make_bars(3, start="2190-01-02"), get_calendar("XNYS"))) == [
        "future_dates"
    ]


def test_not_a_session():
    error = refusal(make_bars(3, start="2020-04-09"), get_calendar("XNYS"))
    assert codes(error) == ["not_a_session"]
    assert "at bar 1 (2020-04-10) (2 in all); needed: sessions of the calendar XNYS" in str(error)


def test_bars_before_the_open_and_after_the_close_are_outside():
    # 2019-07-03 closes at 13:00 in New York, 17:00 UTC.
    bars = make_bars(50, start="2019-07-03T13:25", interval=300)
    error = refusal(bars, NEW_YORK)
    assert codes(error) == ["outside_session"]
    assert (error.findings[0].index, error.findings[0].count) == (0, 8)
    assert "at bar 0 (2019-07-03T13:25:00) (8 in all); needed: bars within the" in str(error)
    assert validate(chosen(bars, slice(1, 43)), NEW_YORK, NOW) == ()


def test_hourly_bars_of_an_exchange_stand_on_the_clock_or_on_the_open():
    for start in ("2019-07-02T13:00", "2019-07-02T13:30"):
        assert validate(make_bars(7, start=start, interval=3_600), NEW_YORK, NOW) == ()
    error = refusal(make_bars(6, start="2019-07-02T13:45", interval=3_600), NEW_YORK)
    assert codes(error) == ["misaligned_time"]
    assert "after midnight UTC, or after the session's open" in str(error)


def test_the_last_bar_of_a_session_closes_with_it():
    bars = make_bars(7, start="2019-07-02T13:30", interval=3_600)  # the last reaches to 20:30
    closed = pd.Timestamp("2019-07-02 20:00", tz="UTC").to_pydatetime()
    assert validate(bars, NEW_YORK, closed) == ()
    assert codes(refusal(bars, NEW_YORK, closed - pd.Timedelta(seconds=1))) == ["future_dates"]


def test_missing_sessions_of_an_exchange_are_counted_by_its_own_dates():
    sydney = get_calendar("XASX")  # where a session begins on the day before in UTC
    days = ("2021-01-04T23:00", "2021-01-05T23:00", "2021-01-07T23:00")
    parts = [make_bars(6, start=day, interval=3_600) for day in days]
    stamps = np.concatenate([part.timestamps for part in parts])
    bars = changed(make_bars(18, interval=3_600), timestamps=stamps)
    assert session_dates(bars, sydney)[0] == np.datetime64("2021-01-05")
    (finding,) = validate(bars, sydney, NOW)
    assert (finding.code, finding.count) == ("missing_sessions", 1)
    assert "2021-01-07" in finding.found


def test_bars_outside_of_sessions_can_be_left_out():
    bars = make_bars(50, start="2019-07-03T13:25", interval=300)
    inside, dropped = within_sessions(bars, NEW_YORK)
    assert dropped == 8
    assert (inside.timestamps == bars.timestamps[1:43]).all()
    inside, dropped = within_sessions(make_bars(3, start="2020-04-09"), NEW_YORK)
    assert (inside.dates.astype(str).tolist(), dropped) == (["2020-04-09"], 2)
    assert within_sessions(make_bars(), CRYPTO)[1] == 0
    assert within_sessions(make_bars(interval=3_600), CRYPTO)[1] == 0


@pytest.mark.parametrize("day", ["first", "last"])
def test_sessions_of_the_first_and_the_last_day_of_a_calendar_have_an_open_and_a_close(day):
    bars = make_bars(20, start=f"{getattr(NEW_YORK, day)}T00:00", interval=300)
    with pytest.raises(InvalidBars, match="20 bars, which are all outside of sessions"):
        within_sessions(bars, NEW_YORK)


@pytest.mark.parametrize("interval", [300, DAILY])
def test_bars_that_the_calendar_does_not_reach_are_not_left_out_but_refused(interval):
    bars = make_bars(3, start="1985-01-02", interval=interval)
    inside, dropped = within_sessions(bars, NEW_YORK)
    assert dropped == 0
    assert "outside_calendar" in codes(refusal(inside, NEW_YORK))


def test_constant_prices():
    flat = np.full(40, 5.0)
    error = refusal(changed(make_bars(), open=flat, high=flat, low=flat, close=flat))
    assert codes(error) == ["constant_prices"]
    assert "the price 5.0 in every bar" in str(error)


def test_bars_without_range_that_move_are_not_constant():
    bars = make_bars()
    flat = changed(bars, open=bars.close, high=bars.close, low=bars.close)
    assert [finding.code for finding in validate(flat, CRYPTO, NOW)] == ["zero_range_bar"]


def test_every_error_is_reported_at_once():
    bars = with_price(with_price(make_bars(), "open", 2, np.nan), "close", 5, -1.0)
    assert codes(refusal(chosen(bars, [0, 2, 1, 5, 5]))) == [
        "non_finite_price",
        "non_positive_price",
        "close_outside_range",
        "duplicate_dates",
        "unsorted_dates",
    ]


def test_a_zero_range_bar_is_a_warning():
    bars = make_bars()
    price = bars.close[6]
    for name in PRICES:
        bars = with_price(bars, name, 6, price)
    (finding,) = validate(bars, CRYPTO, NOW)
    assert (finding.code, finding.severity, finding.index, finding.count) == (
        "zero_range_bar",
        "warning",
        6,
        1,
    )
    assert f"high and low both {price} at bar 6 (2021-01-07)" in str(finding)


def test_an_extreme_range_is_a_warning():
    bars = make_bars()
    (finding,) = validate(with_price(bars, "low", 6, bars.high[6] / 5.01), CRYPTO, NOW)
    assert (finding.code, finding.severity, finding.index) == ("extreme_range", "warning", 6)
    assert validate(with_price(bars, "low", 6, bars.high[6] / 4.99), CRYPTO, NOW) == ()


def test_missing_sessions_are_a_warning():
    bars = chosen(make_bars(10), [0, 1, 4, 5, 9])
    (finding,) = validate(bars, CRYPTO, NOW)
    assert (finding.code, finding.severity, finding.count) == ("missing_sessions", "warning", 5)
    assert "no bar on the session 2021-01-03 (5 in all)" in str(finding)


def test_a_weekend_is_not_missing_in_new_york():
    bars = chosen(make_bars(10, start="2021-03-01"), [0, 1, 2, 3, 4, 7, 8, 9])
    assert validate(bars, get_calendar("XNYS"), NOW) == ()


def test_now_needs_a_time_zone():
    for interval in (DAILY, 3_600):
        with pytest.raises(InvalidInput, match="has no time zone"):
            validate(make_bars(interval=interval), CRYPTO, NOW.replace(tzinfo=None))


def test_columns_of_unequal_length():
    bars = make_bars(3)
    with pytest.raises(InvalidBars) as caught:
        changed(bars, low=bars.low[:2])
    assert codes(caught.value) == ["length_mismatch"]
    assert caught.value.field == "low"


@pytest.mark.parametrize("interval", [0, -60, 7, 2 * DAILY])
def test_intervals_that_no_day_consists_of(interval):
    with pytest.raises(InvalidBars, match=f"bars of {interval} seconds") as caught:
        make_bars(3, interval=interval)
    assert caught.value.code == "unsupported_interval"


def test_a_bar_without_time():
    stamps = make_bars(3).timestamps.copy()
    stamps[1] = np.datetime64("NaT")
    with pytest.raises(InvalidBars, match="no time at bar 1") as caught:
        changed(make_bars(3), timestamps=stamps)
    assert caught.value.code == "unparsable_dates"


@given(st.sampled_from(PRICES), st.integers(0, 39), st.floats(allow_nan=True, width=64))
def test_any_price_is_judged_without_another_error(name, index, price):
    bars = with_price(make_bars(), name, index, price)
    inside = bars.low[index] <= price <= bars.high[index]
    ordered = (bars.low[index] <= bars.open[index]) & (bars.high[index] >= bars.open[index])
    closed = (bars.low[index] <= bars.close[index]) & (bars.high[index] >= bars.close[index])
    if np.isfinite(price) and price > 0 and inside and ordered and closed:
        assert {finding.code for finding in validate(bars, CRYPTO, NOW)} <= {"extreme_range"}
    else:
        assert any(finding.index == index for finding in refusal(bars).findings)


@pytest.mark.parametrize(("nobs", "said"), [(1, "1 bar, which is"), (2, "2 bars, which are all")])
def test_bars_of_which_none_lies_in_a_session_are_refused(nobs, said):
    weekend = make_bars(nobs, start="2020-04-11")
    with pytest.raises(InvalidBars, match=f"{said} outside of sessions") as caught:
        within_sessions(weekend, NEW_YORK)
    assert (caught.value.code, caught.value.field) == ("empty_bars", "bars")
