import dataclasses
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from volatility import calendars, recorded_calendars
from volatility.calendars import get_calendar
from volatility.errors import InvalidInput, OutsideCalendar, UnknownCalendar


def day(text):
    return np.datetime64(text, "D")


def days(*texts):
    return np.array(texts, "datetime64[D]")


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.fixture(scope="module")
def xnys():
    return get_calendar("XNYS")


@pytest.fixture(scope="module")
def crypto():
    return get_calendar("24/7")


def test_annualization_follows_the_calendar(xnys, crypto):
    assert (xnys.periods_per_year, crypto.periods_per_year) == (252, 365)
    assert get_calendar("XTKS").periods_per_year == 245  # Tokyo has more holidays


def test_new_york_keeps_its_holidays(xnys):
    # Good Friday 2020, and two weekends.
    assert list(xnys.sessions(day("2020-04-08"), day("2020-04-14"))) == list(
        days("2020-04-08", "2020-04-09", "2020-04-13", "2020-04-14")
    )
    # 2001-09-11 to -14: closed, and no holiday of any rule.
    assert not xnys.is_session(days("2001-09-11", "2001-09-12", "2001-09-13", "2001-09-14")).any()


def test_sessions_have_the_type_of_dates(xnys, crypto):
    for calendar in (xnys, crypto):
        start, end = day("2021-01-01"), day("2021-12-31")
        assert calendar.sessions(start, end).dtype == np.dtype("datetime64[D]")
        assert calendar.missing_sessions(days("2021-03-01", "2021-03-05")).dtype == np.dtype(
            "datetime64[D]"
        )
        assert calendar.sessions_after(days("2021-01-01"), 1).dtype == np.dtype("datetime64[D]")


def test_crypto_has_a_session_every_day(crypto):
    assert len(crypto.sessions(day("2020-02-01"), day("2020-03-01"))) == 30
    assert crypto.is_session(days("2020-12-25", "2021-01-02", "2021-01-03")).all()


def test_sessions_after_step_over_weekend_and_holiday(xnys, crypto):
    after = xnys.sessions_after(days("2020-02-13", "2020-02-15"), 2)  # a Thursday, and a Saturday
    assert after.tolist() == [
        days("2020-02-14", "2020-02-18").tolist(),
        days("2020-02-18", "2020-02-19").tolist(),
    ]
    assert crypto.sessions_after(days("2020-02-29"), 1).tolist() == [days("2020-03-01").tolist()]
    last = xnys.session_dates[-1:]
    with pytest.raises(OutsideCalendar, match=r"one of the 2 sessions after .* lies outside"):
        xnys.sessions_after(xnys.session_dates[-2:-1], 2)
    with pytest.raises(OutsideCalendar, match="lies outside the calendar XNYS"):
        xnys.sessions_after(last, 1)


def test_half_days(xnys, crypto):
    # Day after Thanksgiving and Christmas Eve.
    found = xnys.early_closes.astype("datetime64[Y]") == np.datetime64("2020")
    assert list(xnys.early_closes[found]) == list(days("2020-11-27", "2020-12-24"))
    assert not len(crypto.early_closes)


def test_a_session_closes_at_its_close_also_on_a_half_day(xnys):
    # 2020-11-27 closes at 13:00 in New York, 18:00 UTC; the session before at 21:00 UTC.
    assert xnys.last_closed_session(utc("2020-11-27 17:59:59")) == day("2020-11-25")
    assert xnys.last_closed_session(utc("2020-11-27 18:00:00")) == day("2020-11-27")
    # In summer at 20:00 UTC.
    assert xnys.last_closed_session(utc("2020-07-01 19:59:59")) == day("2020-06-30")
    assert xnys.last_closed_session(utc("2020-07-01 20:00:00")) == day("2020-07-01")


def test_a_crypto_day_closes_at_the_next_midnight(crypto):
    assert crypto.last_closed_session(utc("2021-10-27 23:59:59")) == day("2021-10-26")
    assert crypto.last_closed_session(utc("2021-10-28 00:00:00")) == day("2021-10-27")


def test_moments_are_compared_in_utc(crypto):
    tokyo = datetime(2021, 10, 28, 8, 59, tzinfo=timezone(timedelta(hours=9)))  # 23:59 UTC
    assert crypto.last_closed_session(tokyo) == day("2021-10-26")


def test_a_moment_without_time_zone_is_refused(crypto):
    with pytest.raises(InvalidInput, match="2021-10-28T00:00:00 has no time zone"):
        crypto.last_closed_session(datetime(2021, 10, 28))  # noqa: DTZ001


def test_stale_sessions_are_those_that_closed_since(xnys, crypto):
    # Tuesday noon UTC: Monday closed, Tuesday not.
    now = utc("2020-04-14 12:00")
    assert xnys.stale_sessions(day("2020-04-13"), now) == 0
    assert xnys.stale_sessions(day("2020-04-09"), now) == 1
    assert xnys.stale_sessions(day("2020-04-14"), now) == 0
    assert crypto.stale_sessions(day("2020-04-09"), now) == 4


def test_missing_sessions_lie_between_the_dates(xnys, crypto):
    seen = days("2020-04-08", "2020-04-14")
    assert list(xnys.missing_sessions(seen)) == list(days("2020-04-09", "2020-04-13"))
    assert len(crypto.missing_sessions(seen)) == 5
    assert not len(crypto.missing_sessions(days()))


@given(st.sets(st.integers(0, 60), min_size=1))
def test_seen_and_missing_make_up_the_span(places):
    crypto = get_calendar("24/7")
    seen = day("2021-01-01") + np.array(sorted(places))
    missing = crypto.missing_sessions(seen)
    assert len(missing) + len(seen) == seen[-1].astype(int) - seen[0].astype(int) + 1
    assert not np.isin(missing, seen).any()


@given(st.integers(0, 10_000))
def test_sessions_after_a_date_begin_with_the_first(offset):
    xnys = get_calendar("XNYS")
    date = day("1995-01-01") + offset
    following = xnys.sessions_after(np.array([date]), 1)[0, 0]
    assert following > date
    assert xnys.is_session(np.array([following])).all()
    assert not xnys.is_session(np.arange(date + 1, following)).any()


@pytest.mark.parametrize("date", ["1989-12-29", "2199-01-04", "NaT"])
def test_dates_outside_the_calendar_are_refused(xnys, date):
    for call in (
        lambda: xnys.is_session(days("2020-04-08", date)),
        lambda: xnys.sessions_after(days("2020-04-08", date), 1),
        lambda: xnys.sessions(day("2020-04-08"), day(date)),
        lambda: xnys.missing_sessions(days("2020-04-08", date)),
        lambda: xnys.stale_sessions(day(date), utc("2020-04-08 12:00")),
    ):
        with pytest.raises(OutsideCalendar, match=f"{date} lies outside the calendar XNYS") as e:
            call()
        assert e.value.code == "outside_calendar"
        assert "1990-01-01 to " in e.value.needed or "1990-01-01" in str(e.value)


@pytest.mark.parametrize(
    ("start", "end", "number"),
    [
        ("2020-07-02", "2020-07-06", 2),  # a holiday and a weekend between
        ("2020-07-03", "2020-07-05", 0),
        ("2020-07-06", "2020-07-06", 1),
        ("2020-07-06", "2020-07-02", 0),
    ],
)
def test_sessions_are_counted_and_placed_as_they_are_listed(xnys, start, end, number):
    first, last = np.datetime64(start), np.datetime64(end)
    assert len(xnys.sessions(first, last)) == number
    assert [xnys.position(first), xnys.position(last)] == [
        *xnys.positions(np.array([first, last])),
    ]


@pytest.mark.parametrize("date", ["1985-01-02", "2100-01-04", "NaT"])
def test_a_day_outside_the_calendar_has_no_place(xnys, date):
    day, inside = np.datetime64(date, "D"), np.datetime64("2020-07-02")
    for ask in (
        lambda: xnys.position(day),
        lambda: xnys.sessions(day, inside),
        lambda: xnys.sessions(inside, day),
    ):
        with pytest.raises(OutsideCalendar, match=f"{date} lies outside"):
            ask()


def test_a_moment_outside_the_calendar_is_refused(xnys):
    for now in (utc("1985-01-01 00:00"), utc("2199-01-01 00:00")):
        with pytest.raises(OutsideCalendar, match="covers 1990-01-01 to"):
            xnys.last_closed_session(now)


def test_calendars_reach_beyond_next_year(xnys):
    assert xnys.last >= np.datetime64(f"{datetime.now(UTC).year + 2}-12-31")
    assert xnys.is_session(np.array([xnys.last])).shape == (1,)


@pytest.mark.parametrize("name", ["", "xnys", "NOPE"])
def test_an_unknown_calendar_is_refused(name):
    with pytest.raises(UnknownCalendar, match="needed: 24/7, or an exchange's code") as caught:
        get_calendar(name)
    assert caught.value.code == "unknown_calendar"
    assert caught.value.found == name


def test_a_calendar_that_cannot_be_built_says_so():
    with pytest.raises(UnknownCalendar, match="exchange_calendars cannot build it"):
        get_calendar("ASEX")


def test_a_calendar_covers_what_its_source_records():
    # Shanghai's holidays are recorded from December 1990 on.
    shanghai = get_calendar("XSHG")
    assert shanghai.first == day("1990-12-03")
    assert shanghai.periods_per_year == 242
    # Saudi Arabia's from 2021 on: too late for the years that others are averaged over.
    assert 245 <= get_calendar("XSAU").periods_per_year <= 252


def test_an_alias_names_the_exchange():
    assert get_calendar("NYSE").name == "XNYS"


def test_calendars_are_built_once_and_cannot_be_changed(xnys):
    assert get_calendar("XNYS") is xnys
    with pytest.raises(ValueError, match="read-only"):
        xnys.session_dates[0] = day("1990-01-01")


def test_a_calendar_that_is_there_does_not_wait_for_another_to_be_built(xnys, monkeypatch):
    begun, go_on = threading.Event(), threading.Event()

    def slowly(name, last_year):
        begun.set()
        assert go_on.wait(60)
        return xnys

    monkeypatch.setattr(calendars, "_exchange", slowly)
    monkeypatch.setattr(
        calendars,
        "_exchanges",
        {key: found for key, found in calendars._exchanges.items() if key[0] == "XNYS"},
    )
    with ThreadPoolExecutor(4) as pool:
        try:
            building = [pool.submit(get_calendar, "XLON") for _ in range(2)]
            assert begun.wait(60)
            for name in ("XNYS", "24/7"):
                assert pool.submit(get_calendar, name).result(60).name == name
            with pytest.raises(UnknownCalendar, match="'NOPE': there is no such calendar"):
                pool.submit(get_calendar, "NOPE").result(60)
            assert not any(it.done() for it in building)
        finally:
            go_on.set()
        assert all(it.result(60) is xnys for it in building)


def test_a_calendar_that_fails_is_tried_once_and_unknown_names_are_not_kept(monkeypatch):
    tried = []

    def fails(name, last_year):
        tried.append(name)
        raise ValueError("of a broken rule")

    monkeypatch.setattr(calendars, "_fabricate", fails)
    monkeypatch.setattr(calendars, "_exchanges", {})
    for _ in range(3):
        with pytest.raises(UnknownCalendar, match="exchange_calendars cannot build it") as caught:
            get_calendar("XTAE")
        assert str(caught.value.__cause__) == "of a broken rule"
        with pytest.raises(UnknownCalendar, match="there is no such calendar"):
            get_calendar("NOPE")
    assert tried == ["XTAE"]
    assert [name for name, _ in calendars._exchanges] == ["XTAE"]


def test_crypto_needs_no_exchange_calendars():
    code = (
        "import sys; from volatility.calendars import get_calendar; get_calendar('24/7');"
        "sys.exit('exchange_calendars' in sys.modules or 'pandas' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("name", recorded_calendars.NAMES)
def test_a_recorded_calendar_is_the_one_that_is_built(name):
    """After an update of exchange_calendars, ``make calendars`` records them anew."""
    year = datetime.now(UTC).year + 2
    recorded, built = get_calendar(name), calendars._exchange(name, year)
    assert recorded_calendars.read(name, year) is not None
    for field in dataclasses.fields(recorded):
        one, other = getattr(recorded, field.name), getattr(built, field.name)
        assert np.asarray(one).dtype == np.asarray(other).dtype
        np.testing.assert_array_equal(one, other)


def test_a_calendar_is_built_where_another_version_of_the_rules_is_installed(monkeypatch):
    year = datetime.now(UTC).year + 2
    assert recorded_calendars.read("XNYS", recorded_calendars.LAST_YEAR + 1) is None
    assert recorded_calendars.read("XLON", year) is None
    monkeypatch.setattr(recorded_calendars, "version", lambda _package: "0")
    assert recorded_calendars.read("XNYS", year) is None
    monkeypatch.setattr(calendars, "_exchanges", {})
    monkeypatch.setattr(calendars, "_exchange", lambda *_asked: ValueError("it is built"))
    with pytest.raises(UnknownCalendar):
        get_calendar("XNYS")


def test_the_calendars_of_every_start_need_no_pandas():
    code = (
        "import sys; from volatility.calendars import get_calendar; get_calendar('XNYS');"
        "get_calendar('24/5'); sys.exit('pandas' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
