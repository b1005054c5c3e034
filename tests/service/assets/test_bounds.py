"""Bounds of what is put and asked of held history, and how what is beyond them is told."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from service.assets import ingest, newcomers, reading, tables
from service.assets.database import HistoryStore
from service.assets.deleting import check_deletable
from service.assets.export import Wanted
from service.assets.held import Held
from service.assets.holdings import Holdings
from service.assets.known import KnownHoldings
from service.assets.newcomers import Described
from service.assets.schemas import MAX_BARS
from service.http.errors import (
    AssetInUse,
    BarsConflict,
    InvalidRequest,
    NotYetKnown,
    UnclearCalendar,
)
from service.http.limits import BodyLimits
from tests.errors import details
from tests.models_store.artifacts import make_series
from tests.service.worlds import ASSET, NOW, bars_of, held_asset
from volatility.bars import DAILY, Bars
from volatility.errors import InvalidBars, InvalidInput, NoHistory, UnknownMeasure
from volatility.formats import delimited, numbers
from volatility.formats.order import settled
from volatility.formats.reading import Inferred, Limits, Options, Unreadable

ALL = bars_of(make_series(60))
MOMENT = timedelta(microseconds=1)


@pytest.fixture
def holdings(tmp_path: Path) -> Iterator[Holdings]:
    store = HistoryStore(f"sqlite:///{tmp_path / 'history.sqlite3'}", clock=lambda: NOW)
    store.prepare([])
    yield Holdings(store)
    store.close()


@pytest.fixture
def filled(holdings: Holdings) -> Holdings:
    holdings.merge(held_asset(), ALL.where(slice(40)), replace=False)
    return holdings


def test_what_was_known_may_be_asked_up_to_the_present(filled: Holdings) -> None:
    assert len(KnownHoldings(filled, NOW, NOW).get(ASSET).bars) == 40
    assert KnownHoldings(filled, NOW.replace(tzinfo=None), NOW).known_at == NOW
    with pytest.raises(NotYetKnown, match="has not come") as refused:
        KnownHoldings(filled, NOW + MOMENT, NOW)
    assert details(refused.value) == (
        "known_at",
        "2021-02-04T12:00:00.000001+00:00",
        "a time up to 2021-02-04T12:00:00+00:00",
    )


def test_before_the_first_bar_was_put_nothing_was_known(filled: Holdings) -> None:
    known = KnownHoldings(filled, NOW - MOMENT, NOW)
    before = known.find(ASSET)
    assert before is not None
    assert len(before.bars) == 0
    assert known.find(ASSET) is before  # it is read once
    with pytest.raises(NoHistory, match=f"nothing was known of {ASSET} at 2021-02-04T11") as no:
        known.get(ASSET)
    found = "2021-02-04T11:59:59.999999+00:00"
    assert details(no.value) == ("known_at", found, "a time at which bars were held")
    assert known.find("NONE") is None
    with pytest.raises(NoHistory):
        known.get("NONE")


def test_bars_that_nobody_is_said_to_have_sent_are_nobody_s(filled: Holdings) -> None:
    with filled.store.database.reading() as connection:
        senders = connection.execute(sa.select(tables.bars.c.put_by).distinct()).scalars().all()
    assert senders == [""]


def test_who_deleted_an_asset_and_when_is_noted(filled: Holdings) -> None:
    deleted = filled.delete(ASSET, by="0a1b2c3d")
    assert deleted._asdict() == {"bars": 40, "replaced_bars": 0, "revision": 2}
    with filled.store.database.reading() as connection:
        [note] = connection.execute(sa.select(tables.deleted_assets)).all()
    assert note._asdict() == {
        "asset": ASSET,
        "revision": 2,
        "deleted_at": int(NOW.timestamp()) * 1_000_000,
        "deleted_by": "0a1b2c3d",
    }
    with pytest.raises(NoHistory, match="is not held") as refused:
        filled.delete(ASSET)
    assert details(refused.value) == ("asset", ASSET, "a held asset")


def test_what_is_shipped_is_not_deleted() -> None:
    nothing: dict[str, Any] = {"models": lambda *_: [], "beside": lambda *_: []}
    catalogue: Any = type("Nothing", (), nothing)()
    catalogue.store = catalogue.shelf = catalogue
    check_deletable("MINE", catalogue)
    with pytest.raises(AssetInUse, match="SPX cannot be deleted: it is shipped") as refused:
        check_deletable("SPX", catalogue)
    needed = "an asset that has no models in the store, is no companion and is not shipped"
    assert details(refused.value) == ("asset", "SPX", needed)


def test_a_contradiction_shows_both_bars(filled: Holdings) -> None:
    given = ALL.where(slice(37, 40))
    given = replace(given, high=given.high * np.array([1.0, 2.0, 3.0]))
    with pytest.raises(BarsConflict) as refused:
        filled.merge(held_asset(), given, replace=False)

    def shown(bars: Bars, at: int) -> str:
        prices = {name: float(getattr(bars, name)[at]) for name in ("open", "high", "low", "close")}
        return ", ".join(f"{name} {price!r}" for name, price in prices.items())

    sent, held = shown(given, 1), shown(ALL, 38)
    assert details(refused.value) == ("bars[1]", sent, held)
    assert str(refused.value) == (
        f"2 of the bars given for {ASSET} contradict bars that are held; the first opens at "
        f"{ALL.timestamps[38]}: given {sent}, held {held}. Nothing was changed. Send the held "
        "prices, or replace them with ?replace=true"
    )


def test_an_end_before_the_start_is_told() -> None:
    held = Held(held_asset(), ALL, 1)
    day = datetime(2020, 1, 20, tzinfo=UTC)
    assert len(Wanted(day, day).of(held).bars) == 1
    with pytest.raises(InvalidRequest) as refused:
        Wanted(day, day - MOMENT).of(held)
    needed = "from 2020-01-20 00:00:00+00:00 on"
    assert details(refused.value) == ("end", "2020-01-19 23:59:59.999999+00:00", needed)
    dates = Wanted(day.date(), (day - timedelta(days=1)).date())
    with pytest.raises(InvalidRequest, match="end: 2020-01-19 is before start, 2020-01-20"):
        dates.of(held)


def daily(first: str, nobs: int, step: int = 1) -> Bars:
    stamps = np.datetime64(first, "s") + np.arange(nobs) * np.timedelta64(step, "D")
    flat = np.full(nobs, 100.0)
    return Bars(stamps, flat, flat * 1.01, flat * 0.99, flat, interval=DAILY)


@pytest.mark.parametrize(("last", "is_clear"), [(6, False), (7, True)])
def test_bars_of_a_week_tell_whether_there_are_weekends(last: int, is_clear: bool) -> None:
    bars = daily("2021-01-04", last)
    if is_clear:
        asset, said = newcomers.newcomer("NEW", bars, Described())
        assert (asset.calendar, asset.kind, asset.bar_interval) == ("24/7", "crypto", DAILY)
        assert asset.source == "sent over HTTP"
        assert said[-1] == "measure garman_klass is taken, as none is given"
        return
    with pytest.raises(UnclearCalendar, match="NEW is new, and bars from 2021-01-04 to") as no:
        newcomers.newcomer("NEW", bars, Described())
    needed = "the parameter calendar, such as XNYS, 24/7 or 24/5, or bars of a week and more"
    assert details(no.value) == ("calendar", None, needed)
    assert newcomers.newcomer("NEW", bars, Described(calendar="24/7"))[0].calendar == "24/7"


def test_nothing_said_is_nothing_described() -> None:
    assert Described() == (None, None, None)


def test_what_is_registered_needs_a_calendar_and_a_measure_that_there_is() -> None:
    with pytest.raises(UnclearCalendar, match="NEW has no bars that tell") as refused:
        newcomers.registered("NEW", Described())
    needed = "a calendar, such as XNYS, 24/7 or 24/5"
    assert details(refused.value) == ("calendar", None, needed)
    with pytest.raises(UnknownMeasure) as unknown:
        newcomers.registered("NEW", Described("XNYS", None, "realized_variance"))
    measures = " or ".join(newcomers.MEASURES)
    assert details(unknown.value) == ("measure", "realized_variance", measures)
    assert set(newcomers.MEASURES) == {"garman_klass", "parkinson", "implied_variance"}


CONTENT = Options(interval=DAILY)
BODIES = BodyLimits(10_000_000, 1_000_000, 10_000_000)


def test_a_table_has_as_many_lines_as_bars_are_taken() -> None:
    limits = Limits(most_rows=MAX_BARS)
    for end in (b"\n", b"\r"):
        delimited.check_lines(end * (MAX_BARS + 1), ",", limits)  # a header, and so many bars
        with pytest.raises(Unreadable) as refused:
            delimited.check_lines(end * (MAX_BARS + 2), ",", limits)
        assert refused.value.code == "too_many_items"
        assert details(refused.value) == ("bars", None, "at most 100000 bars at once")
        assert str(refused.value).startswith("bars: found more than 100000 of them")


def test_a_line_of_too_many_columns_is_told_by_its_number() -> None:
    with pytest.raises(InvalidInput, match="line 2 of the CSV has 65 fields") as refused:
        delimited.check_lines(b"a,b\n" + b"," * 64, ",", Limits())
    assert refused.value.code == "too_many_columns"


def test_what_is_no_table_is_told_what_one_is() -> None:
    with pytest.raises(InvalidInput, match="the content is not a CSV table") as refused:
        reading.read(b"", "text/csv", CONTENT, BODIES)
    needed = "a header line with date or timestamp, open, high, low, close; a line a bar"
    assert details(refused.value) == ("body", None, needed)


def test_a_long_table_is_read_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (delimited, numbers):
        monkeypatch.setattr(module, "ROWS_AT_ONCE", 7)
    lines = [f"{it},100,101,99,100.{at:02}" for at, it in enumerate(ALL.dates.astype(str))]

    def read() -> Bars:
        table = "\n".join(["date,open,high,low,close", *lines]).encode()
        return reading.read(table, "text/csv", CONTENT, BODIES).bars

    found = read()
    np.testing.assert_array_equal(found.timestamps, ALL.timestamps)
    np.testing.assert_allclose(found.close, 100 + np.arange(60) / 100)
    assert found.interval == DAILY
    lines[30] = lines[30].replace("99", "x")
    with pytest.raises(InvalidBars) as refused:
        read()
    assert refused.value.field == "bars[30].low"
    lines[30] = lines[30].replace("x", "99").replace("2020", "MMXX")
    with pytest.raises(InvalidBars) as refused:
        read()
    assert refused.value.field == "bars[30].date"


@pytest.mark.parametrize(
    ("first", "said"),
    [
        (40, ()),
        (41, ("1 session is missing between 2020-02-09, held before, and 2020-02-11",)),
        (43, ("3 sessions are missing between 2020-02-09, held before, and 2020-02-13",)),
        (39, ()),
    ],
)
def test_what_new_bars_leave_out_is_told(
    filled: Holdings, first: int, said: tuple[str, ...]
) -> None:
    given = ALL.where(slice(first, first + 1))
    how = ingest.Merging(replace=False, drop_outside=False, put_by="")
    bars = settled(given, Inferred())
    assert ingest.ingest(held_asset(), bars, how, filled, NOW).warnings == said


def test_days_that_are_not_complete_yet_are_counted() -> None:
    asset = replace(held_asset("HOURLY"), measure="realized_variance", bar_interval=3_600)
    stamps = np.datetime64("2021-01-04T00", "s") + np.arange(48) * np.timedelta64(1, "h")
    prices = 100 + np.sin(np.arange(48))
    hours = Bars(stamps, prices, prices + 1, prices - 1, prices, 3_600)
    [one] = ingest._unmeasured(Held(asset, hours.where(slice(30)), 1), hours.where(slice(24, 30)))
    assert one.startswith("1 day has no realized variance yet, the first 2021-01-05: ")
    [two] = ingest._unmeasured(Held(asset, hours.where(slice(2)), 1), hours)
    assert two.startswith("2 days have no realized variance yet, the first 2021-01-04: ")
    whole = Held(asset, hours, 1)
    assert ingest._unmeasured(whole, hours.where(slice(24, 48))) == ()
