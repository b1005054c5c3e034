"""Bars of Yahoo, as its chart endpoint gives them and ``yfinance`` reads them."""

import warnings
from dataclasses import replace
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.errors import details
from tests.training.data.feeds.memory import same
from tests.training.data.feeds.server import Answer, walk
from tests.training.data.feeds.yahoo_chart import Chart, serving_yahoo
from tests.volatility.session_bars import session_bars
from training.data.feeds.retrying import Unavailable
from training.data.feeds.source import FeedRefused
from training.data.feeds.yahoo import YahooFeed, _moment
from volatility.bars import Bars
from volatility.calendars import get_calendar

SESSIONS = get_calendar("XNYS").sessions(np.datetime64("2024-10-07"), np.datetime64("2024-11-08"))
DAILY = replace(
    walk("2024-10-07", len(SESSIONS), 86_400), timestamps=SESSIONS.astype("datetime64[s]")
)
HALF_HOURS = session_bars("2024-10-28", "2024-11-08", 1_800)
HOURS = session_bars("2024-10-28", "2024-11-08", 3_600)  # the clocks change on November 3
Result = dict[str, Any]


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    waited: list[float] = []
    monkeypatch.setattr("training.data.feeds.retrying.time", SimpleNamespace(sleep=waited.append))
    return waited


def pulled(chart: Chart, timeframe: str, start: np.datetime64) -> Bars:
    with serving_yahoo(chart):
        page = YahooFeed.of("SPY", timeframe).page(start)
    assert page.through is None  # there are no further pages
    return page.bars


@pytest.mark.parametrize("first", [0, 1, 7, len(DAILY) - 1])
def test_days_are_those_of_new_york_from_the_one_asked_for_on(first: int) -> None:
    bars = pulled(Chart(DAILY), "1d", DAILY.timestamps[first])
    same(bars, DAILY.where(slice(first, None)))


@pytest.mark.parametrize("first", [0, 3, len(HOURS) - 1])
def test_hours_open_in_utc_whatever_the_clock_in_new_york(first: int) -> None:
    same(pulled(Chart(HOURS), "1h", HOURS.timestamps[first]), HOURS.where(slice(first, None)))


def test_a_time_within_a_bar_asks_for_the_next() -> None:
    start = HOURS.timestamps[3] + np.timedelta64(60, "s")
    same(pulled(Chart(HOURS), "1h", start), HOURS.where(slice(4, None)))


def test_all_four_prices_are_of_one_kind() -> None:
    """A close that is adjusted for dividends lies outside of its bar's range, which is not."""
    chart = Chart(DAILY, dividend_factor=0.9)
    bars = pulled(chart, "1d", DAILY.timestamps[0])
    same(bars, DAILY)
    assert ((bars.low <= bars.close) & (bars.close <= bars.high)).all()


def test_a_dividend_changes_no_older_price() -> None:
    """So that the bar that is held is found again a quarter later."""
    before = pulled(Chart(DAILY, dividend_factor=1.0), "1d", DAILY.timestamps[0])
    same(pulled(Chart(DAILY, dividend_factor=0.99), "1d", DAILY.timestamps[0]), before)


def test_a_day_that_goes_on_is_given_once_as_it_is_now() -> None:
    """Yahoo appends the last price as a bar of its own."""

    def with_live(result: Result) -> Result:
        quote = result["indicators"]["quote"][0]
        live = {"open": 100.0, "high": 101.0, "low": 99.0, "close": 100.5, "volume": 5}
        for name, value in live.items():
            quote[name].append(value)
        result["indicators"]["adjclose"][0]["adjclose"].append(100.5)
        result["timestamp"].append(result["timestamp"][-1] + 600)
        return result

    bars = pulled(Chart(DAILY, alter=with_live), "1d", DAILY.timestamps[0])
    assert len(bars) == len(DAILY)
    assert bars.close[-1] == 100.5
    same(bars.where(slice(-1)), DAILY.where(slice(-1)))


def test_a_bar_without_any_price_is_left_out_and_one_without_some_is_not_whole() -> None:
    def holed(result: Result) -> Result:
        for name, values in result["indicators"]["quote"][0].items():
            values[2] = None if name != "volume" else 0
        result["indicators"]["adjclose"][0]["adjclose"][2] = None
        result["indicators"]["quote"][0]["low"][4] = None
        return result

    bars = pulled(Chart(DAILY, alter=holed), "1d", DAILY.timestamps[0])
    np.testing.assert_array_equal(bars.timestamps, np.delete(DAILY.timestamps, 2))
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(bars.low)), [3])


def test_nothing_new_is_no_bars() -> None:
    later = DAILY.timestamps[-1] + np.timedelta64(1, "D")
    none = pulled(Chart(DAILY), "1d", later)
    assert (len(none), none.interval) == (0, 86_400)


def test_times_in_another_unit_are_far_ahead() -> None:
    """``yfinance`` reads seconds. No pull takes a bar from where these lie."""

    def counted(result: Result) -> Result:
        result["timestamp"] = [it * 1_000 for it in result["timestamp"]]
        return result

    with pytest.raises(FeedRefused, match="Yahoo gives no bars of SPY: "):
        pulled(Chart(DAILY, alter=counted), "1d", DAILY.timestamps[0])


@pytest.mark.parametrize("times", [1, 2])
def test_what_may_pass_is_asked_again(times: int, waits: list[float]) -> None:
    """The first question is for the exchange's time zone, the second for bars."""
    failing = [Answer("Too Many Requests", 429, {"retry-after": "5"}), Answer("<html>", 502), None]
    with serving_yahoo(Chart(DAILY)) as served:
        real, failed = served.answers, list(failing)

        def sometimes(asked: Any) -> Answer | None:
            is_it = "/chart/" in asked.path and ("period1" in asked.query) == (times == 2)
            return failed.pop(0) if failed and is_it else real(asked)

        served.answers = sometimes
        page = YahooFeed.of("SPY", "1d").page(DAILY.timestamps[0])
    same(page.bars, DAILY)
    assert waits == [5.0, 2.0, 4.0]


def test_days_begin_at_midnight_in_new_york_and_hours_at_their_time() -> None:
    start = np.datetime64("2024-10-07T14:30:00", "s")
    assert _moment(start, 86_400) == date(2024, 10, 7)
    assert _moment(start, 3_600) == datetime(2024, 10, 7, 14, 30, tzinfo=UTC)


def test_half_a_minute_is_waited_for_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    import yfinance

    waited: list[int] = []

    def history(_self: yfinance.Ticker, **asked: Any) -> pd.DataFrame:
        waited.append(asked["timeout"])
        return pd.DataFrame(columns=["Open", "High", "Low", "Close"])

    monkeypatch.setattr(yfinance.Ticker, "history", history)
    assert len(YahooFeed.of("SPY", "1d").page(DAILY.timestamps[0]).bars) == 0
    assert waited == [30]


def test_what_does_not_pass_is_told(waits: list[float]) -> None:
    with serving_yahoo(Chart(DAILY)) as served:
        served.answers = lambda _: Answer("", 500)
        with pytest.raises(Unavailable, match=r"^Yahoo does not answer: it answers 500; asked 6"):
            YahooFeed.of("SPY", "1d").page(DAILY.timestamps[0])
    assert sum(waits) == 31.0


def test_an_unknown_symbol_is_refused_at_once(waits: list[float]) -> None:
    with (
        serving_yahoo(Chart(DAILY)),
        pytest.raises(FeedRefused, match="Yahoo gives no bars of NOPE: HTTP Error 404") as refused,
    ):
        YahooFeed.of("NOPE", "1d").page(DAILY.timestamps[0])
    needed = "a symbol that it has, and a time that it has bars of"
    told = refused.value.code, details(refused.value)
    assert told == ("feed_refused", ("symbol", "NOPE", needed))
    assert waits == []


def test_what_yahoo_says_of_a_span_is_passed_on() -> None:
    why = "1h data not available. The requested range must be within the last 730 days."
    error = {"code": "Unprocessable Entity", "description": why}
    with serving_yahoo(Chart(HOURS)) as served:
        real = served.answers
        served.answers = lambda asked: (
            Answer({"chart": {"result": None, "error": error}}, 422)
            if "period1" in asked.query
            else real(asked)
        )
        with pytest.raises(FeedRefused, match=r"of SPY: \$SPY: 1h data not available\. The req"):
            YahooFeed.of("SPY", "1h").page(np.datetime64("2020-01-01", "s"))


def test_an_answer_of_another_form_is_refused() -> None:
    def broken(result: Result) -> Result:
        del result["indicators"]["quote"][0]["high"]
        return result

    with pytest.raises(FeedRefused, match="Yahoo gives no bars of SPY: 'high'"):
        pulled(Chart(DAILY, alter=broken), "1d", DAILY.timestamps[0])


def test_bars_of_a_length_that_yahoo_does_not_have_are_refused() -> None:
    with pytest.raises(FeedRefused, match=r"Yahoo has no bars of 4h; needed: one of \['1m'") as it:
        YahooFeed.of("SPY", "4h")
    assert (it.value.field, it.value.found) == ("interval", "4h")
    assert it.value.needed == "one of ['1m', '5m', '15m', '30m', '1h', '1d']"
    assert (YahooFeed.of("SPY", "1h").interval, YahooFeed.of("SPY", "1d").name) == (3_600, "Yahoo")


def test_half_hours_are_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """``yfinance`` makes them of quarters; of nights, too, which have no price."""
    quarters = session_bars("2024-10-28", "2024-11-08", 900)
    bars = pulled(Chart(quarters), "30m", quarters.timestamps[0])
    np.testing.assert_array_equal(bars.timestamps, HALF_HOURS.timestamps)
    np.testing.assert_array_equal(bars.open, quarters.open[::2])
    np.testing.assert_array_equal(bars.close, quarters.close[1::2])
    np.testing.assert_array_equal(bars.high, quarters.high.reshape(-1, 2).max(axis=1))


def test_no_warning_about_the_library_s_own_code_is_shown() -> None:
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        pulled(Chart(DAILY), "1d", DAILY.timestamps[0])
    assert [it for it in shown if "pandas" in str(it.category)] == []
