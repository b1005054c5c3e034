"""What is measured anew only where bars have changed is bit for bit what measuring all gives."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.volatility.prices import chosen, make_bars
from tests.volatility.session_bars import session_bars
from volatility.bars import DAILY, PRICES, Bars
from volatility.calendars import Calendar, get_calendar
from volatility.errors import ConstantPrices, InvalidInput
from volatility.measures import MEASURES
from volatility.measures.columns import available
from volatility.series import DatedSeries, daily_series
from volatility.updates import spliced, updated

WHOLE = {
    "daily, 24/7": ("24/7", make_bars(60)),
    "daily, XNYS": ("XNYS", chosen(session := make_bars(90), np.flatnonzero(
        get_calendar("XNYS").is_session(session.dates)))),
    "hourly, 24/7": ("24/7", make_bars(12 * 24, "2021-01-01", 3600)),
    "twelve hours, 24/7": ("24/7", make_bars(60, "2021-01-01", 43_200)),
    "half hours, XNYS": ("XNYS", session_bars("2019-06-26", "2019-07-10", 1800)),
    "three hours, XNYS": ("XNYS", session_bars("2019-06-24", "2019-07-10", 10_800)),
    "half hours with a pause, XHKG": (
        "XHKG", session_bars("2019-06-24", "2019-07-05", 1800, "XHKG")),
}  # fmt: skip


def priced(bars: Bars, factor: float, flat: bool) -> Bars:
    """Other prices; ``flat`` ones do not move."""
    rest = np.full(len(bars), 100.0)
    prices = {name: rest if flat else getattr(bars, name) * factor for name in PRICES}
    return Bars(bars.timestamps, interval=bars.interval, **prices)


def series_of(
    bars: Bars, measure: str, calendar: Calendar, columns: tuple[str, ...]
) -> DatedSeries | None:
    try:
        return daily_series(bars, measure, calendar, columns)[0]
    except InvalidInput:
        return None


def assert_same(found: DatedSeries, expected: DatedSeries) -> None:
    np.testing.assert_array_equal(found.dates, expected.dates)
    assert list(found.columns) == list(expected.columns)
    assert found.sha256 == expected.sha256  # of every bit


@pytest.mark.parametrize("name", WHOLE)
@settings(max_examples=60, derandomize=True)
@given(data=st.data())
def test_it_is_what_measuring_everything_gives(name: str, data: st.DataObject) -> None:
    calendar_name, whole = WHOLE[name]
    calendar = get_calendar(calendar_name)
    places = st.integers(0, len(whole) - 1)
    start = data.draw(places, "start")
    written = np.arange(start, min(start + data.draw(st.integers(1, 30), "length"), len(whole)))
    lacking = data.draw(st.sets(places, max_size=12), "lacking")
    kept = data.draw(st.sampled_from([0.0, 0.5, 1.0]), "share that is held before")
    is_before = np.ones(len(whole), dtype=bool)
    is_before[written[: round((1 - kept) * len(written))]] = False
    is_before[[*lacking]] = False
    if data.draw(st.booleans(), "whether it is the newest"):
        is_before[written[-1] + 1 :] = False
    if not is_before.any():
        return
    before = chosen(whole, np.flatnonzero(is_before))
    new = priced(chosen(whole, written), data.draw(st.floats(0.5, 2.0)), data.draw(st.booleans()))
    after = spliced(before, new)
    columns = available(whole.is_daily, calendar.always_open)
    kind = "daily" if whole.is_daily else "intraday"
    for measure in (it.name for it in MEASURES.values() if it.bars == kind):
        known = series_of(before, measure, calendar, columns)
        if known is None:
            continue
        expected = series_of(after, measure, calendar, columns)
        if expected is None:
            with pytest.raises(InvalidInput):
                updated(known, after, new.timestamps, calendar)
        else:
            assert_same(updated(known, after, new.timestamps, calendar), expected)


def test_only_what_has_changed_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    calendar, bars = get_calendar("24/7"), make_bars(100 * 24, "2021-01-01", 3600)
    series, _ = daily_series(bars.where(slice(-1)), "realized_variance", calendar)
    measured: list[int] = []

    def counting(seen: Bars, *others: object) -> object:
        measured.append(len(seen))
        return daily_series(seen, *others)  # type: ignore[arg-type]

    monkeypatch.setattr("volatility.updates.daily_series", counting)
    found = updated(series, bars, bars.timestamps[-1:], calendar)
    assert measured == [48]
    assert_same(found, daily_series(bars, "realized_variance", calendar)[0])


def test_an_hour_that_ends_a_day_changes_the_next() -> None:
    """Its close is where the next day's first return begins."""
    calendar, bars = get_calendar("24/7"), make_bars(5 * 24, "2021-01-01", 3600)
    series, _ = daily_series(bars, "realized_variance", calendar)
    new = priced(bars.where(slice(47, 48)), 1.01, flat=False)
    found = updated(series, spliced(bars, new), new.timestamps, calendar)
    assert (found.rv != series.rv).tolist() == [True, True, False, False]


def test_prices_that_have_come_to_rest_are_refused() -> None:
    calendar, bars = get_calendar("24/7"), make_bars(1, "2021-01-01")
    series, _ = daily_series(bars, "parkinson", calendar)
    flat = priced(bars, 1.0, flat=True)
    with pytest.raises(ConstantPrices):
        updated(series, spliced(bars, flat), flat.timestamps, calendar)


def test_bars_after_the_last_session_of_a_calendar_are_of_none() -> None:
    calendar, bars = get_calendar("XNYS"), session_bars("2019-06-26", "2019-07-10", 1800)
    end = calendar.position(np.datetime64("2019-07-08")) + 1
    sessions = ("session_dates", "opens", "closes", "breaks")
    until = replace(calendar, **{name: getattr(calendar, name)[:end] for name in sessions})
    series, _ = daily_series(bars, "realized_variance", until)
    assert_same(updated(series, bars, bars.timestamps[-1:], until), series)


@given(st.sets(st.integers(0, 29), min_size=1), st.sets(st.integers(0, 29), min_size=1))
def test_bars_are_put_in_their_places(held: set[int], written: set[int]) -> None:
    bars = make_bars(30)
    others = priced(bars, 2.0, flat=False)
    found = spliced(chosen(bars, sorted(held)), chosen(others, sorted(written)))
    places = sorted(held | written)
    np.testing.assert_array_equal(found.timestamps, bars.timestamps[places])
    expected = [(others if it in written else bars).close[it] for it in places]
    np.testing.assert_array_equal(found.close, expected)
    assert found.interval == DAILY
