import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.volatility.prices import RANGE_MEASURES, changed, chosen, make_bars, with_price
from volatility.calendars import get_calendar
from volatility.errors import (
    ConstantPrices,
    HistoryTooShort,
    InvalidInput,
    OutsideCalendar,
    UnknownMeasure,
)
from volatility.measures import MEASURES
from volatility.measures.columns import INTRADAY_COLUMNS, available
from volatility.series import daily_series

CRYPTO = get_calendar("24/7")


def measurable(name, nobs=40):
    """Bars of the kind that a measure needs: some sessions of them."""
    if MEASURES[name].bars == "daily":
        return make_bars(nobs)
    return make_bars(24 * nobs, interval=3_600)


def test_measures_by_name():
    assert {name for name in MEASURES if MEASURES[name].overlapping} == {"rolling_std"}
    assert all(MEASURES[name].name == name for name in MEASURES)
    with pytest.raises(UnknownMeasure, match="there is no measure 'rv'; needed: one of realized_v"):
        MEASURES["rv"]


@pytest.mark.parametrize("name", MEASURES)
def test_every_measure_makes_a_series(name):
    bars = measurable(name)
    series, _ = daily_series(bars, name, CRYPTO)
    assert series.measure == name
    assert (series.rv > 0).all()
    assert series.dates[-1] == bars.dates[-1]
    assert (np.diff(series.dates).astype(int) == 1).all()


@pytest.mark.parametrize("name", MEASURES)
@pytest.mark.parametrize("removed", [1, 5, 17])
def test_later_bars_change_nothing_earlier(name, removed):
    bars = measurable(name)
    whole, _ = daily_series(bars, name, CRYPTO)
    early, _ = daily_series(chosen(bars, slice(-removed)), name, CRYPTO)
    assert len(early) < len(whole)
    assert (early.rv == whole.rv[: len(early)]).all()
    assert (early.dates == whole.dates[: len(early)]).all()


@given(st.sampled_from(sorted(MEASURES)), st.integers(30, 39), st.floats(0.01, 100))
def test_other_later_prices_change_nothing_earlier(name, day, factor):
    bars = measurable(name)
    later = bars.dates >= bars.dates[0] + day
    scale = np.where(later, factor, 1.0)
    prices = {p: getattr(bars, p) * scale for p in ("open", "high", "low", "close")}
    series, _ = daily_series(bars, name, CRYPTO)
    other, _ = daily_series(changed(bars, **prices), name, CRYPTO)
    cut = bars.dates[0] + day - 1
    assert (series.until(cut).rv == other.until(cut).rv).all()
    assert len(series.until(cut)) >= day - 22


def test_daily_measures_are_those_of_the_functions():
    bars = make_bars()
    for name, measure in RANGE_MEASURES.items():
        series, findings = daily_series(bars, name, CRYPTO)
        assert (series.rv == measure(bars.open, bars.high, bars.low, bars.close)).all()
        assert findings == ()


def test_close_to_close_measures_leave_out_what_has_no_previous_close():
    bars = make_bars()
    returns = np.diff(np.log(bars.close))
    series, (finding,) = daily_series(bars, "squared_return", CRYPTO)
    assert (series.dates == bars.dates[1:]).all()
    assert series.rv == pytest.approx(returns**2, rel=1e-12)
    assert (finding.code, finding.count) == ("undefined_measure", 1)
    assert "not defined on 2021-01-01, which is left out" in finding.found
    rolling, (finding,) = daily_series(bars, "rolling_std", CRYPTO)
    assert rolling.rv[0] == pytest.approx(returns[:22].var(ddof=1), rel=1e-12)
    assert finding.count == 22


def test_a_return_over_a_gap_is_not_that_of_a_session():
    bars = chosen(make_bars(10), [0, 1, 2, 5, 6])
    series, (finding,) = daily_series(bars, "squared_return", CRYPTO)
    assert list(series.dates.astype(str)) == ["2021-01-02", "2021-01-03", "2021-01-07"]
    assert finding.count == 2
    # From Friday to Monday there is no gap in New York.
    weekend = chosen(make_bars(10, start="2021-03-04"), [0, 1, 4, 5])
    series, _ = daily_series(weekend, "squared_return", get_calendar("XNYS"))
    assert len(series) == 3


def test_zero_range_sessions_are_left_out_and_said():
    bars = make_bars()
    for day in (6, 9):
        for name in ("open", "high", "low", "close"):
            bars = with_price(bars, name, day, 100.0)
    series, (finding,) = daily_series(bars, "garman_klass", CRYPTO)
    assert len(series) == 38
    assert not np.isin(bars.dates[[6, 9]], series.dates).any()
    assert (finding.code, finding.severity, finding.index, finding.count) == (
        "undefined_measure",
        "warning",
        6,
        2,
    )
    assert "garman_klass: zero on 2021-01-07, which is left out (2 in all)" in str(finding)


def test_missing_days_stay_missing():
    bars = chosen(make_bars(10), [0, 1, 4, 9])
    series, _ = daily_series(bars, "parkinson", CRYPTO)
    assert (series.dates == bars.dates).all()


@pytest.mark.parametrize("name", ["parkinson", "garman_klass", "squared_return"])
def test_constant_prices(name):
    flat = np.full(40, 5.0)
    bars = changed(make_bars(), open=flat, high=flat, low=flat, close=flat)
    with pytest.raises(ConstantPrices, match=f"{name} is zero in all"):
        daily_series(bars, name, CRYPTO)


@pytest.mark.parametrize(("name", "least"), [("squared_return", 2), ("rolling_std", 23)])
def test_too_few_sessions_to_look_back_on(name, least):
    assert len(daily_series(make_bars(least), name, CRYPTO)[0]) == 1
    with pytest.raises(HistoryTooShort, match=f"none of the {least - 1} complete sessions"):
        daily_series(make_bars(least - 1), name, CRYPTO)


def test_hourly_bars_give_the_variance_of_24_close_to_close_returns():
    bars = make_bars(24 * 4, start="2021-01-01T20:00", interval=3_600)
    series, (finding,) = daily_series(bars, "realized_variance", CRYPTO)
    # 2021-01-01 has four bars, and the last day is not over.
    assert list(series.dates.astype(str)) == ["2021-01-02", "2021-01-03", "2021-01-04"]
    assert (finding.code, finding.count) == ("incomplete_sessions", 2)
    assert "2021-01-01 lacks some of its bars" in finding.found
    # From the close at midnight, that of bar 3, to the close of bar 27.
    expected = np.square(np.diff(np.log(bars.close[3:28]))).sum()
    assert series.rv[0] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("lost", [21, 23, 24, 30, 46])
def test_a_day_that_lacks_more_than_a_tenth_of_its_bars_is_left_out(lost):
    # Three bars: 21 to 23 are the last of day 0, where day 1 sets out; 24, 30 are in day 1, and 46
    # to 48 the last two of day 1 and the first of day 2.
    bars = make_bars(24 * 5, interval=3_600)
    kept = chosen(bars, ~np.isin(np.arange(len(bars)), np.arange(lost, lost + 3)))
    whole, _ = daily_series(bars, "realized_variance", CRYPTO)
    series, findings = daily_series(kept, "realized_variance", CRYPTO)
    left_out = {"2021-01-01", {46: "2021-01-03"}.get(lost, "2021-01-02")}
    assert findings[0].code == "incomplete_sessions"
    assert findings[0].count == len(left_out)
    assert not left_out & set(series.dates.astype(str))
    assert len(series) == 5 - len(left_out)
    assert (series.rv[-2:] == whole.rv[-2:]).all()


def test_the_first_day_needs_the_close_before_it():
    series, (finding,) = daily_series(make_bars(48, interval=3_600), "realized_variance", CRYPTO)
    assert list(series.dates.astype(str)) == ["2021-01-02"]
    assert finding.count == 1


def test_bars_off_the_hour_make_no_complete_day():
    bars = make_bars(24 * 4, start="2021-01-01T00:30", interval=3_600)
    with pytest.raises(HistoryTooShort, match="none of the 0 complete sessions of 96 bars"):
        daily_series(bars, "realized_variance", CRYPTO)


def test_no_complete_day():
    with pytest.raises(HistoryTooShort, match="none of the 0 complete sessions of 20 bars"):
        daily_series(make_bars(20, interval=3_600), "realized_variance", CRYPTO)


def test_a_measure_needs_its_kind_of_bars():
    with pytest.raises(InvalidInput, match="realized_variance needs intraday bars; got") as caught:
        daily_series(make_bars(), "realized_variance", CRYPTO)
    assert caught.value.code == "wrong_interval"
    with pytest.raises(InvalidInput, match="parkinson needs daily bars; got bars of 3600 seconds"):
        daily_series(make_bars(interval=3_600), "parkinson", CRYPTO)


def test_dates_outside_the_calendar():
    with pytest.raises(OutsideCalendar, match="1985-01-02"):
        daily_series(make_bars(start="1985-01-02"), "squared_return", get_calendar("XNYS"))


def test_an_unknown_measure():
    with pytest.raises(UnknownMeasure, match="no measure 'volatility'; needed: one of"):
        daily_series(make_bars(), "volatility", CRYPTO)


def test_returns_beside_rv_by_hand():
    bars = chosen(make_bars(10), [0, 1, 2, 5, 6])
    series, _ = daily_series(bars, "parkinson", CRYPTO, ("return",))
    within, between = np.log(bars.close / bars.open), np.diff(np.log(bars.close))
    # From open to close where the session before has no bar: on the first day and after the gap.
    expected = [within[0], between[0], between[1], within[3], between[3]]
    assert series.columns["return"] == pytest.approx(expected, rel=1e-12)
    assert daily_series(bars, "parkinson", CRYPTO)[0].columns == {}


def test_the_night_of_daily_bars_is_a_column_where_the_market_closes():
    bars = chosen(make_bars(10, start="2021-03-04"), [0, 1, 4, 6])  # no bar on Tuesday the 9th
    names = ("overnight_return", "return")
    series, _ = daily_series(bars, "parkinson", get_calendar("XNYS"), names)
    night = np.log(bars.open[1:] / bars.close[:-1])
    assert series.columns["overnight_return"] == pytest.approx(
        [0, night[0], night[1], 0], abs=1e-15
    )
    within = series.columns["return"] - series.columns["overnight_return"]
    assert within == pytest.approx(np.log(bars.close / bars.open), rel=1e-12)
    with pytest.raises(
        InvalidInput, match="of the calendar 24/7 give no column 'overnight_return'"
    ):
        daily_series(bars, "parkinson", CRYPTO, ("overnight_return",))


def test_what_has_no_rv_has_no_return_either():
    bars = make_bars()
    for name in ("open", "high", "low", "close"):
        bars = with_price(bars, name, 6, 100.0)
    series, _ = daily_series(bars, "garman_klass", CRYPTO, ("return",))
    kept = np.arange(len(bars)) != 6
    assert (series.dates == bars.dates[kept]).all()
    returns = np.diff(np.log(bars.close), prepend=np.log(bars.open[0]))
    assert series.columns["return"] == pytest.approx(returns[kept], rel=1e-12)


def test_columns_of_intraday_bars_are_those_of_their_functions():
    bars = measurable("realized_variance")
    columns = available(daily=False, always_open=True)
    series, _ = daily_series(bars, "realized_variance", CRYPTO, columns)
    assert set(series.columns) == set(INTRADAY_COLUMNS)
    returns = np.diff(np.log(bars.close))[23:].reshape(-1, 24)  # the first day has no close before
    for name, function in INTRADAY_COLUMNS.items():
        assert series.columns[name] == pytest.approx(function(returns), rel=1e-12), name
    parts = series.columns["continuous"] + series.columns["significant_jump"]
    assert parts == pytest.approx(series.rv, rel=1e-12)


def test_a_column_that_the_bars_do_not_give():
    with pytest.raises(InvalidInput, match="of the calendar 24/7 give no column 'jump'") as caught:
        daily_series(make_bars(), "parkinson", CRYPTO, ("return", "jump"))
    assert caught.value.code == "unknown_column"


@given(st.sampled_from(sorted(MEASURES)), st.integers(30, 39), st.floats(0.01, 100))
def test_columns_are_finite_and_other_later_prices_change_none_earlier(name, day, factor):
    bars = measurable(name)
    later = bars.dates >= bars.dates[0] + day
    scale = np.where(later, factor, 1.0)
    prices = {p: getattr(bars, p) * scale for p in ("open", "high", "low", "close")}
    columns = available(bars.is_daily, always_open=True)
    series, _ = daily_series(bars, name, CRYPTO, columns)
    other, _ = daily_series(changed(bars, **prices), name, CRYPTO, columns)
    cut = bars.dates[0] + day - 1
    for column in columns:
        assert np.isfinite(other.columns[column]).all()
        assert (series.until(cut).columns[column] == other.until(cut).columns[column]).all()
