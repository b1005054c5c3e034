"""Companions are seen as they were known: never a session before it was published."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.volatility.prices import make_bars
from volatility.calendars import get_calendar
from volatility.companions import (
    Companion,
    accompanied,
    aligned,
    are_known,
    as_measured,
    companions_in,
    sessions_behind,
    usual_calendar,
    usual_measure,
    why_unknown,
    worth_telling,
)
from volatility.errors import Finding, InvalidSeries
from volatility.pairs import make_pairs
from volatility.regressor_names import design_of, make_regressor
from volatility.series import DatedSeries, daily_series

NEW_YORK, LONDON, CRYPTO = (get_calendar(name) for name in ("XNYS", "XLON", "24/7"))


def companion(name: str, calendar: str, first: str, last: str) -> Companion:
    """One whose log rv is the day of the month, and whose return is a hundredth of it."""
    dates = get_calendar(calendar).sessions(np.datetime64(first), np.datetime64(last))
    days = (dates - dates.astype("M8[M]")).astype(np.float64) + 1
    return Companion(
        name,
        DatedSeries(np.exp(days), "garman_klass", dates, columns={"return": days / 100}),
        calendar,
    )


def seen(of: Companion, dates: list[str], calendar: str) -> tuple[list[float], list[float]]:
    """Log rv and return by date."""
    found = aligned(of, np.array(dates, "M8[D]"), get_calendar(calendar))
    log_rv, returns = (found[f"{of.name}:{it}"] for it in ("log_rv", "return"))
    return log_rv.tolist(), np.round(returns, 10).tolist()


def test_london_closes_before_new_york() -> None:
    # 16:30 London is 11:30 New York: its session of a date counts for New York's of that date.
    london = companion("UKX", "XLON", "2024-03-04", "2024-03-28")
    assert seen(london, ["2024-03-12", "2024-03-13"], "XNYS") == ([12, 13], [0.12, 0.13])
    # 16:00 New York is after London's forecast: of the 13th, London knows New York's 12th.
    new_york = companion("SPX", "XNYS", "2024-03-04", "2024-03-28")
    assert seen(new_york, ["2024-03-12", "2024-03-13"], "XLON") == ([11, 12], [0.11, 0.12])


def test_the_vix_is_known_a_quarter_of_an_hour_after_the_close() -> None:
    vix = companion("VIX", "XNYS", "2024-03-04", "2024-03-28")
    assert vix.delay == 900
    assert seen(vix, ["2024-03-13"], "XNYS")[0] == [13]
    assert seen(vix, ["2024-03-13"], "XLON")[0] == [12]
    assert seen(vix, ["2024-03-13"], "24/7")[0] == [13]  # by midnight in UTC


def test_a_delay_beyond_the_forecast_is_a_session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Companion, "delay", 1_801)  # a second after New York's own forecast
    vix = companion("VIX", "XNYS", "2024-03-04", "2024-03-28")
    assert seen(vix, ["2024-03-13"], "XNYS")[0] == [12]


def test_half_days_close_when_the_calendar_says() -> None:
    # On 24 December 2024 New York closes at 13:00 (18:00 UTC), London at 12:30 (12:30 UTC).
    # London's forecast of that day, at 13:00 UTC, still knows New York's 23rd alone; and a forecast
    # in New York at 13:30 knows London's half day.
    new_york = companion("SPX", "XNYS", "2024-12-02", "2024-12-31")
    london = companion("UKX", "XLON", "2024-12-02", "2024-12-31")
    assert seen(new_york, ["2024-12-24"], "XLON")[0] == [23]
    assert seen(london, ["2024-12-24"], "XNYS")[0] == [24]


def test_a_weekend_repeats_the_level_and_moves_nothing() -> None:
    vix = companion("VIX", "XNYS", "2024-03-04", "2024-03-28")
    days = [f"2024-03-{day}" for day in (15, 16, 17, 18)]  # Friday to Monday
    assert seen(vix, days, "24/7") == ([15, 15, 15, 18], [0.15, 0, 0, 0.18])


def test_returns_of_sessions_that_the_asset_did_not_have_add_up() -> None:
    # London is closed on Good Friday and Easter Monday 2024 (29 March, 1 April), Bitcoin is not.
    bitcoin = companion("BTC-USD", "24/7", "2024-03-01", "2024-04-10")
    log_rv, returns = seen(bitcoin, ["2024-03-28", "2024-04-02"], "XLON")
    assert log_rv == [27, 1]  # at 17:00 UTC the day is not over
    assert returns == [0.27, round(0.28 + 0.29 + 0.30 + 0.31 + 0.01, 10)]


def test_what_is_old_is_missing() -> None:
    vix = companion("VIX", "XNYS", "2024-03-04", "2024-03-13")  # known at 20:15 UTC
    days = [f"2024-03-{day:02d}" for day in (1, 3, 4, 13, 17, 18)]
    log_rv, returns = seen(vix, days, "24/7")
    # 17 March ends 4 days and 4 hours after what is known, the 18th 5 days and 4 hours after.
    assert log_rv[2:5] == [4, 13, 13]
    assert np.isnan([log_rv[place] for place in (0, 1, 5)]).all()
    assert np.isnan(returns[5])
    nothing = Companion("VIX", vix.series.part(slice(0)), "XNYS")
    assert np.isnan(seen(nothing, days, "24/7")[0]).all()


@given(st.integers(0, 60), st.integers(0, 2**32 - 1))
def test_what_comes_after_the_close_moves_nothing(days: int, seed: int) -> None:
    """London changes after New York's close; nothing of New York's moves, to the last bit."""
    rng = np.random.default_rng(seed)
    london = companion("UKX", "XLON", "2024-01-02", "2024-06-28")
    dates = NEW_YORK.sessions(np.datetime64("2024-01-02"), np.datetime64("2024-06-28"))
    cut = dates[40 + days]
    later = london.series.dates > cut
    changed = DatedSeries(
        np.where(later, rng.lognormal(size=len(later)), london.series.rv),
        "garman_klass",
        london.series.dates,
        columns={"return": np.where(later, rng.normal(size=len(later)), np.pi)},
    )
    before = DatedSeries(
        london.series.rv, "garman_klass", london.series.dates, columns={"return": later * 0 + np.pi}
    )
    known = dates <= cut
    for alone in ("UKX:log_rv", "UKX:return"):
        whole, other = (
            aligned(Companion("UKX", it, "XLON"), dates, NEW_YORK)[alone]
            for it in (before, changed)
        )
        assert whole[known].tobytes() == other[known].tobytes()
        assert not np.array_equal(whole[~known], other[~known])


def test_a_session_says_the_same_alone_and_among_others() -> None:
    london = companion("UKX", "XLON", "2023-01-02", "2024-06-28")
    dates = NEW_YORK.sessions(np.datetime64("2023-06-01"), np.datetime64("2024-06-28"))
    whole = aligned(london, dates, NEW_YORK)
    for place in (0, 1, 100, len(dates) - 1):
        alone = aligned(
            Companion("UKX", london.series.until(dates[place]), "XLON"),
            dates[place : place + 1],
            NEW_YORK,
        )
        assert all(alone[name][0] == whole[name][place] for name in whole)


def test_the_columns_stand_beside_those_of_the_series() -> None:
    london = companion("UKX", "XLON", "2024-01-02", "2024-06-28")
    vix = companion("VIX", "XNYS", "2024-01-02", "2024-06-28")
    own = companion("SPX", "XNYS", "2024-01-02", "2024-06-28").series
    found = accompanied(own, NEW_YORK, [london, vix])
    assert sorted(found.columns) == sorted(
        ["return", "UKX:log_rv", "UKX:return", "VIX:log_rv", "VIX:return"]
    )
    assert companions_in(found.columns) == ("UKX", "VIX")
    assert found.until(found.dates[9]).sha256 == found.part(slice(10)).sha256


def test_there_is_no_pair_where_a_companion_was_not_known() -> None:
    own = companion("SPX", "XNYS", "2024-01-02", "2024-06-28").series
    vix = companion("VIX", "XNYS", "2024-02-01", "2024-06-28")
    series = accompanied(own, NEW_YORK, [vix])
    pairs = make_pairs(series, 5, NEW_YORK, 1, ("VIX:log_rv",))
    assert pairs.as_of[0] == np.datetime64("2024-02-05")  # with three of five sessions of the VIX
    assert len(make_pairs(series, 5, NEW_YORK, 1)) == len(pairs) + 19
    gap = np.where(series.dates == np.datetime64("2024-03-04"), np.nan, 1.0)
    columns = {**series.columns, "VIX:log_rv": gap * series.columns["VIX:log_rv"]}
    holed = make_pairs(replace(series, columns=columns), 5, NEW_YORK, 1, ("VIX:log_rv",))
    assert np.setdiff1d(pairs.as_of, holed.as_of).astype(str).tolist() == ["2024-03-04"]
    with pytest.raises(InvalidSeries, match="finite values"):
        DatedSeries(own.rv, "garman_klass", own.dates, columns={"return": own.rv * np.nan})


def test_a_shock_is_in_the_deviations_of_its_own_companion() -> None:
    rng = np.random.default_rng(0)
    windows = {
        "rv": rng.normal(-8, 1, (1, 250)),
        "return": 0.01 * rng.normal(size=(1, 250)),
        "X:log_rv": rng.normal(-4, 1, (1, 250)),
        "X:return": rng.normal(size=(1, 250)),
    }
    shock = make_regressor("absolute_shock_5:X:return")
    assert shock.columns == ("X:log_rv", "X:return")
    own = {"rv": windows["X:log_rv"], "return": windows["X:return"]}
    expected = design_of(("absolute_shock_5:return",)).build(own)
    assert (design_of((shock.name,)).build(windows) == expected).all()
    departure = design_of(("departure_0:X:log_rv",)).build(windows)
    assert (departure == design_of(("departure_0",)).build(own)).all()


def test_a_gap_leaves_means_to_what_is_known() -> None:
    rng = np.random.default_rng(1)
    windows = {
        "rv": rng.normal(-8, 1, (2, 250)),
        "X:log_rv": rng.normal(-4, 1, (2, 250)),
        "X:return": rng.normal(size=(2, 250)),
    }
    whole = {name: values[:1] for name, values in windows.items()}
    for name in ("X:log_rv", "X:return"):
        windows[name][1, 100:110] = np.nan
    names = ("departure_5:X:log_rv", "departure_0:X:log_rv", "negative_shock_1:X:return")
    design = design_of(names)
    found = design.build(windows)
    assert np.isfinite(found).all()
    assert (found[:1] == design.build(whole)).all()
    assert (found[1:] == design.build({it: values[1:] for it, values in windows.items()})).all()
    seen = windows["X:log_rv"][1]
    known = ~np.isnan(seen)
    slow = (125 / 126) ** np.arange(250.0)[::-1]
    level = (seen[known] @ slow[known]) / slow[known].sum()
    assert found[1, 1] == pytest.approx(seen[-1] - level, rel=1e-10)


def test_of_an_index_the_close_counts() -> None:
    bars = make_bars(30)
    series, _ = daily_series(
        as_measured(bars, "implied_variance"), "implied_variance", CRYPTO, ("return",)
    )
    assert series.rv == pytest.approx((bars.close / 100) ** 2 / 252, rel=1e-12)
    assert series.columns["return"][1:] == pytest.approx(np.diff(np.log(bars.close)))


def test_what_is_usual() -> None:
    assert usual_measure("VIX") == "implied_variance"
    assert usual_measure("UKX") == "garman_klass"
    london = LONDON.sessions(np.datetime64("2024-01-02"), np.datetime64("2024-06-28"))
    assert usual_calendar("VIX", london) == "XNYS"
    # Not told apart from other exchanges by its dates: closed when every exchange of a date is.
    assert usual_calendar("UKX", london) == "24/5"
    assert usual_calendar("BTC-USD", np.arange("2024-01-01", "2024-02-01", dtype="M8[D]")) == "24/7"


def test_of_closes_alone_it_is_not_told_that_they_have_no_range() -> None:
    flat = Finding("zero_range_bar", "warning", "high", "no range", "a range")
    stale = Finding("missing_sessions", "warning", "timestamps", "a gap", "every session")
    assert worth_telling([flat, stale], "implied_variance") == (stale,)
    assert worth_telling([flat, stale], "parkinson") == (flat, stale)


GAP = np.nan


@pytest.mark.parametrize(
    ("window", "known", "said"),
    [
        ([1.0, 1.0, GAP, GAP, 1.0], True, None),
        ([GAP, GAP, 1.0, 1.0], True, None),  # a half is enough
        ([1.0, 1.0, GAP, GAP, GAP, 1.0, 1.0, GAP], False, "nothing of VIX that is at most 5 days"),
        ([1.0, 1.0, 1.0, GAP], False, "at the newest session; needed: a value there, and at half"),
        ([GAP, GAP, GAP, 1.0], False, "VIX is known at 1 of the 4 sessions of the window; needed"),
        ([GAP, GAP, GAP, 1.0, 1.0], False, "needed: at 3 or more"),
        ([GAP, GAP, GAP, GAP, 1.0], False, "VIX is known at 1 of the 5 sessions of the window"),
    ],
)
def test_a_companion_is_known_at_the_newest_session_and_half_of_the_others(
    window: list[float], known: bool, said: str | None
) -> None:
    seen = np.array(window)
    # Beside another row: each counts by itself.
    assert are_known(np.array([window, [1.0] * len(window)])).tolist() == [known, True]
    if said is not None:
        assert said in why_unknown("VIX", seen)


@pytest.mark.parametrize(
    ("name", "last", "as_of", "calendar", "behind"),
    [
        ("SPX", "2024-03-12", "2024-03-12", "XNYS", 0),
        ("SPX", "2024-03-12", "2024-03-13", "XNYS", 1),
        ("SPX", "2024-03-12", "2024-03-18", "XNYS", 4),  # a weekend has none
        ("SPX", "2024-03-12", "2024-03-13", "XLON", 0),  # New York's 13th is not over by then
        ("SPX", "2024-03-12", "2024-03-14", "XLON", 1),
        ("SPX", "2024-03-15", "2024-03-12", "XNYS", 0),  # what is held ahead is no arrears
    ],
)
def test_sessions_that_were_known_and_are_not_held_are_counted(
    name: str, last: str, as_of: str, calendar: str, behind: int
) -> None:
    held = companion(name, "XNYS", "2024-03-04", last)
    assert sessions_behind(held, np.datetime64(as_of), get_calendar(calendar)) == behind


def test_an_index_is_behind_from_its_own_close_on(monkeypatch: pytest.MonkeyPatch) -> None:
    vix = companion("VIX", "XNYS", "2024-03-04", "2024-03-12")
    day = np.datetime64("2024-03-13")
    assert sessions_behind(vix, day, NEW_YORK) == 1
    for delay, behind in ((1_800, 1), (1_801, 0)):  # a forecast is issued half an hour after
        monkeypatch.setattr(Companion, "delay", delay)
        assert sessions_behind(vix, day, NEW_YORK) == behind


def test_an_age_of_five_days_is_not_too_old(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of New York's 13 March, at the forecast of the 18th, half an hour after the same close."""
    vix = companion("VIX", "XNYS", "2024-03-04", "2024-03-13")
    for delay, log_rv in ((1_800, 13.0), (1_799, GAP)):
        monkeypatch.setattr(Companion, "delay", delay)
        found, _ = seen(vix, ["2024-03-18"], "XNYS")
        np.testing.assert_array_equal(found, [log_rv])


def test_bars_of_an_index_are_its_closes_and_all_others_are_as_they_come() -> None:
    bars = make_bars(5)
    closes = as_measured(bars, "implied_variance")
    for name in ("open", "high", "low", "close"):
        assert (getattr(closes, name) == bars.close).all()
    assert as_measured(bars, "parkinson") is bars
