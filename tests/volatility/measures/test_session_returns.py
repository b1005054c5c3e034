import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.volatility.prices import chosen, make_bars
from tests.volatility.session_bars import bars_of, session_bars
from volatility.bars import PRICES, Bars
from volatility.calendars import get_calendar
from volatility.errors import HistoryTooShort, TooFewObservations
from volatility.measures import MEASURES
from volatility.measures.columns import available
from volatility.measures.intraday import bipower_variation
from volatility.measures.session_returns import session_returns
from volatility.series import daily_series

NEW_YORK, CRYPTO = get_calendar("XNYS"), get_calendar("24/7")
JULY = session_bars("2019-07-01", "2019-07-12")  # 78 bars a day, 42 on the 3rd, none on the 4th
HALF_DAY = bars_of(JULY, "XNYS", "2019-07-03")
FULL_DAY = bars_of(JULY, "XNYS", "2019-07-09")


def rv_of(bars, calendar=NEW_YORK, measure="realized_variance"):
    series, findings = daily_series(bars, measure, calendar)
    by_date = dict(zip(series.dates.astype(str), series.rv, strict=True))
    return by_date, {finding.code: finding.count for finding in findings}


def without(bars, lost):
    return chosen(bars, ~np.isin(np.arange(len(bars)), lost))


def by_hand(bars, which):
    """Sum of squares from the open of the first bar to its close, and from close to close."""
    opened, closes = bars.open[which][0], bars.close[which]
    return np.square(np.diff(np.log(np.concatenate([[opened], closes])))).sum()


def test_a_session_is_measured_from_its_open_to_its_close():
    found, findings = rv_of(JULY)
    assert sorted(found) == [str(day) for day in NEW_YORK.sessions(JULY.dates[0], JULY.dates[-1])]
    assert len(found) == 9
    assert found["2019-07-09"] == pytest.approx(by_hand(JULY, FULL_DAY), rel=1e-12)
    assert findings == {}


def test_a_half_day_is_a_whole_session():
    assert HALF_DAY.sum() == 42
    assert rv_of(JULY)[0]["2019-07-03"] == pytest.approx(by_hand(JULY, HALF_DAY), rel=1e-12)


def test_the_median_session_has_the_returns_of_a_full_day():
    for bars, calendar, nobs in (
        (JULY, NEW_YORK, 78),  # eight full days and a half one
        (chosen(JULY, HALF_DAY), NEW_YORK, 42),
        (without(JULY, np.flatnonzero(FULL_DAY)[5:9]), NEW_YORK, 78),
        (make_bars(4 * 24, interval=3600), CRYPTO, 24),
    ):
        assert session_returns(bars, calendar)[0].median_nobs == nobs


def test_the_night_is_not_in_rv_but_in_a_column():
    calm = session_bars("2019-07-01", "2019-07-12", night=0.0)
    wild = session_bars("2019-07-01", "2019-07-12", night=0.05)
    for measure in (name for name, it in MEASURES.items() if it.bars == "intraday"):
        assert rv_of(calm, measure=measure)[0] == pytest.approx(rv_of(wild, measure=measure)[0])
    quiet, _ = daily_series(calm, "realized_variance", NEW_YORK, ("overnight_return",))
    series, _ = daily_series(wild, "realized_variance", NEW_YORK, ("overnight_return", "return"))
    assert series.columns["overnight_return"][0] == 0.0  # nothing is known of the night before
    assert np.abs(series.columns["overnight_return"][1:]).mean() > 0.02
    assert np.abs(quiet.columns["overnight_return"]).max() < 0.003
    # Return and night as by hand, from close to close.
    last = np.flatnonzero(np.diff(wild.timestamps).astype(int) > 300)
    nights = np.log(wild.open[last + 1]) - np.log(wild.close[last])
    assert series.columns["overnight_return"][1:] == pytest.approx(nights, rel=1e-9)
    closes = np.log(wild.close[np.append(last, len(wild) - 1)])
    assert series.columns["return"][1:] == pytest.approx(np.diff(closes), rel=1e-9, abs=1e-14)


def test_clocks_are_changed_without_a_trace():
    for week in (("2019-03-06", "2019-03-13"), ("2019-10-30", "2019-11-06")):
        bars = session_bars(*week)
        hours = {str(stamp)[11:16] for stamp in bars.timestamps[:: len(bars) // 5]}
        found, findings = rv_of(bars)
        assert (len(found), findings) == (6, {})
        assert len(hours) > 1


def test_a_late_open_is_no_loss_of_bars():
    # São Paulo opened three hours late on Ash Wednesday 2023; Monday and Tuesday were holidays.
    bars = session_bars("2023-02-16", "2023-02-24", calendar="BVMF")
    found, findings = rv_of(bars, get_calendar("BVMF"))
    assert list(found) == ["2023-02-16", "2023-02-17", "2023-02-22", "2023-02-23", "2023-02-24"]
    late = bars_of(bars, "BVMF", "2023-02-22")
    assert found["2023-02-22"] == pytest.approx(by_hand(bars, late), rel=1e-12)
    assert findings == {}


def test_a_pause_is_crossed_by_one_return():
    bars = session_bars("2020-12-28", "2020-12-31", calendar="XHKG")
    hong_kong = get_calendar("XHKG")
    trading = ~np.isnan(np.where(hour_of(bars) == 4, np.nan, 1.0))
    half_day = bars_of(bars, "XHKG", "2020-12-31")
    bars = chosen(bars, trading | half_day)
    found, findings = rv_of(bars, hong_kong)
    assert (len(found), findings) == (4, {})
    one = bars_of(bars, "XHKG", "2020-12-30")
    assert one.sum() == 66
    assert found["2020-12-30"] == pytest.approx(by_hand(bars, one), rel=1e-12)


def hour_of(bars):
    return bars.timestamps.astype(np.int64) // 3600 % 24


@pytest.mark.parametrize("on_the_clock", [False, True])
def test_hourly_bars_may_stand_on_the_clock_or_on_the_open(on_the_clock):
    if on_the_clock:
        bars = session_bars("2019-07-01", "2019-07-12", interval=1800)
        half_past = bars.timestamps.astype(np.int64) % 3600 != 0
        # Each stands for its hour with the half that ends it: the open has that half alone.
        late = chosen(bars, half_past)
        on_the_hour = late.timestamps - np.timedelta64(30, "m")
        prices = {name: getattr(late, name) for name in PRICES}
        joined = Bars(timestamps=on_the_hour, interval=3600, **prices)
    else:
        joined = session_bars("2019-07-01", "2019-07-12", interval=3600)
    found, findings = rv_of(joined)
    assert (len(found), findings) == (9, {})
    one = bars_of(joined, "XNYS", "2019-07-09")
    assert one.sum() + on_the_clock == 7  # that of the open opens before it
    assert len(session_returns(joined, NEW_YORK)[0].groups) == 2  # seven returns, and four


def test_missing_bars_make_returns_longer_and_lose_no_variance_within():
    lost = np.flatnonzero(FULL_DAY)[[10, 11, 40]]
    kept = without(JULY, lost)
    found, findings = rv_of(kept)
    assert findings == {"missing_bars": 1}
    one = bars_of(kept, "XNYS", "2019-07-09")
    assert found["2019-07-09"] == pytest.approx(by_hand(kept, one), rel=1e-12)
    others = {date: rv for date, rv in found.items() if date != "2019-07-09"}
    assert others.items() <= rv_of(JULY)[0].items()  # to the last bit


def test_one_bar_in_ten_may_be_missing_and_no_more():
    day = np.flatnonzero(FULL_DAY)
    assert rv_of(without(JULY, day[20:27]))[1] == {"missing_bars": 1}
    found, findings = rv_of(without(JULY, day[20:28]))
    assert "2019-07-09" not in found
    assert findings == {"incomplete_sessions": 1}
    half_day = np.flatnonzero(HALF_DAY)
    assert rv_of(without(JULY, half_day[5:9]))[1] == {"missing_bars": 1}
    assert rv_of(without(JULY, half_day[5:10]))[1] == {"incomplete_sessions": 1}


def test_lost_bars_do_not_bias_realized_variance():
    bars = session_bars("2018-01-02", "2018-12-31")
    rng = np.random.default_rng(3)
    kept = without(bars, np.flatnonzero(rng.uniform(size=len(bars)) < 0.04))
    whole, (found, _) = rv_of(bars)[0], rv_of(kept)
    ratios = np.array([found[date] / whole[date] for date in found])
    assert len(ratios) > 240
    # A standard error of 0.3 %. Scaled by 1 / 0.96, they would be 4 % too high.
    assert ratios.mean() == pytest.approx(1, abs=0.01)


def test_a_zero_in_place_of_a_missing_return_would_bias_bipower_variation():
    rng = np.random.default_rng(1)
    returns = rng.normal(0, 1e-3, (2000, 78))
    joined = np.delete(returns, 40, axis=1)
    joined[:, 39] += returns[:, 40]
    filled = np.insert(joined, 39, 0.0, axis=1)
    whole = bipower_variation(returns).mean()
    assert bipower_variation(joined).mean() / whole == pytest.approx(1, abs=0.006)
    assert bipower_variation(filled).mean() / whole < 0.985


COLUMNS = available(daily=False, always_open=False)


@given(st.sets(st.integers(0, len(JULY) - 1), max_size=40), st.integers(78, len(JULY)))
def test_later_bars_change_nothing_earlier(lost, end):
    kept = without(JULY, list(lost))
    early = chosen(kept, slice(end))
    try:
        series, _ = daily_series(early, "realized_variance", NEW_YORK, COLUMNS)
    except HistoryTooShort:
        return
    whole, _ = daily_series(kept, "realized_variance", NEW_YORK, COLUMNS)
    same = np.isin(whole.dates, series.dates)
    assert (whole.dates[same] == series.dates).all()
    assert (whole.rv[same] == series.rv).all()
    assert (series.rv > 0).all()
    for name in COLUMNS:
        assert np.isfinite(whole.columns[name]).all()
        assert (whole.columns[name][same] == series.columns[name]).all()


def test_the_newest_session_needs_its_last_bar():
    found, findings = rv_of(chosen(JULY, slice(-1)))
    assert "2019-07-12" not in found
    assert findings == {"incomplete_sessions": 1}
    # Of an earlier one, a later bar tells that it is over.
    last = np.flatnonzero(FULL_DAY)[-1]
    assert "2019-07-09" in rv_of(without(JULY, [last]))[0]


def test_a_night_after_a_session_that_is_not_measured_is_not_known():
    bars = without(JULY, np.flatnonzero(FULL_DAY)[:30])
    series, _ = daily_series(bars, "realized_variance", NEW_YORK, ("overnight_return",))
    night = dict(zip(series.dates.astype(str), series.columns["overnight_return"], strict=True))
    assert "2019-07-09" not in night
    assert night["2019-07-10"] == 0.0
    assert night["2019-07-11"] != 0.0


def test_a_market_without_nights_gives_no_overnight_return():
    assert "overnight_return" not in available(daily=False, always_open=True)
    assert session_returns(make_bars(72, interval=3600), CRYPTO)[0].nights is None


def test_minutes_of_a_market_that_never_closes_are_not_lost_by_one():
    bars = make_bars(1440 * 30, interval=60)
    rng = np.random.default_rng(2)
    kept = without(bars, rng.choice(np.arange(1, len(bars) - 1), 15, replace=False))
    found, findings = rv_of(kept, CRYPTO)
    whole, _ = rv_of(bars, CRYPTO)
    assert found.keys() == whole.keys()  # 29 days: of the first, the bar before it is not there
    assert findings["missing_bars"] >= 13
    ratios = np.array([found[date] / whole[date] for date in found])
    assert ratios == pytest.approx(1, abs=0.03)


def test_a_bar_before_midnight_counts_as_missing_of_the_day_after():
    bars = make_bars(24 * 5, interval=3600)
    # Two of 24 may be missing: before midnight and at 3:00, and then one more.
    assert len(rv_of(without(bars, [47, 51]), CRYPTO)[0]) == 4
    assert len(rv_of(without(bars, [47, 51, 52]), CRYPTO)[0]) == 3


def test_sessions_too_short_for_a_measure_are_left_out():
    bars = session_bars("2019-07-01", "2019-07-12", interval=7200)  # four a day, two on the 3rd
    found, findings = rv_of(bars, measure="med_rv")
    assert "2019-07-03" not in found
    assert (len(found), findings) == (8, {"incomplete_sessions": 1})
    with pytest.raises(TooFewObservations, match="3 returns a day; got 2"):
        daily_series(make_bars(20, interval=43_200), "med_rv", CRYPTO)


def test_bars_outside_of_sessions_are_not_measured():
    night = make_bars(40, start="2019-07-02T21:00", interval=300)
    message = "realized_variance is defined in none of the 0 complete sessions of 40 bars"
    with pytest.raises(HistoryTooShort, match=message) as caught:
        daily_series(night, "realized_variance", NEW_YORK)
    assert (caught.value.field, caught.value.found) == ("bars", 40)
    assert caught.value.needed.startswith("complete sessions")
