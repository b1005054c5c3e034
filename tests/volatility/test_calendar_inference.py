import numpy as np
import pytest

from volatility.bars import DAILY, Bars
from volatility.calendar_inference import INFERRED, infer_calendar, market_of, market_of_bars
from volatility.calendars import get_calendar
from volatility.errors import InvalidBars, UnknownCalendar


def sessions(calendar: str, start: str = "2020-06-01", end: str = "2020-07-31") -> np.ndarray:
    return get_calendar(calendar).sessions(np.datetime64(start), np.datetime64(end))


@pytest.mark.parametrize("calendar", INFERRED)
def test_a_calendar_is_told_by_its_sessions(calendar: str) -> None:
    dates = sessions(calendar)  # with Independence Day, on Friday the third, among them
    assert infer_calendar(dates) == calendar
    assert infer_calendar(dates[::-1]) == calendar


def test_new_york_with_a_session_missing_is_any_weekdays() -> None:
    dates = sessions("XNYS")
    assert infer_calendar(np.delete(dates, 10)) == "24/5"
    assert infer_calendar(dates[1:]) == "XNYS"


def test_london_is_any_weekdays_from_the_first_holiday_that_new_york_does_not_have() -> None:
    assert infer_calendar(sessions("XLON", "2020-06-01", "2020-07-02")) == "XNYS"
    assert infer_calendar(sessions("XLON")) == "24/5"


def test_one_day_of_a_weekend_is_enough() -> None:
    assert infer_calendar(np.array(["2020-06-05", "2020-06-07"], "M8[D]")) == "24/7"


def test_dates_before_calendars_begin_are_weekdays() -> None:
    assert infer_calendar(np.array(["1985-06-05", "1985-06-06"], "M8[D]")) == "24/5"


def test_what_is_given_stays_and_what_is_not_is_said() -> None:
    dates = sessions("24/7")
    assert market_of(dates, "XLON", "index") == ("XLON", "index", None)
    assert market_of(dates, None, None)[:2] == ("24/7", "crypto")
    calendar, kind, said = market_of(dates, "24/5", None)
    assert (calendar, kind) == ("24/5", "fx")
    assert said is not None
    assert "kind fx is inferred from the calendar 24/5" in said


def test_an_alias_has_the_calendar_s_own_name() -> None:
    assert market_of(sessions("XNYS"), "NYSE", "stock").calendar == "XNYS"
    with pytest.raises(UnknownCalendar, match="XMOON"):
        market_of(sessions("XNYS"), "XMOON", None)


def test_shorter_bars_are_told_from_a_date_sent_twice() -> None:
    hours = np.datetime64("2021-01-04", "s") + np.arange(12) * np.timedelta64(1, "h")
    flat = np.linspace(100.0, 101.0, 12)
    with pytest.raises(InvalidBars) as refused:
        market_of_bars(Bars(hours, flat, flat, flat, flat, DAILY), "24/7", None)
    [found] = refused.value.findings
    assert (found.code, found.field, found.index) == ("wrong_interval", "timestamps", 0)
    assert found.found == "12 bars of 2021-01-04, as of bars shorter than a day"
    assert found.needed == (
        "daily bars, one a session: an asset without a model of its own is held in these"
    )
    days = np.datetime64("2021-01-04", "s") + np.arange(10) * np.timedelta64(1, "D")
    twice = np.append(days[:9], days[8])
    flat = flat[:10]
    assert market_of_bars(Bars(twice, flat, flat, flat, flat, DAILY), "24/7", None)
    again, prices = np.tile(days, 2), np.tile(flat, 2)  # a file that was appended to itself
    assert market_of_bars(Bars(again, prices, prices, prices, prices, DAILY), "24/7", None)
    prices[-1] += 1.0
    with pytest.raises(InvalidBars, match="2 bars of 2021-01-04"):
        market_of_bars(Bars(again, prices, prices, prices, prices, DAILY), "24/7", None)
