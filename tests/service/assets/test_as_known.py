"""What was known of an asset at a time: bars that are replaced are kept."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from service.assets import database, tables
from service.assets.database import HeldBars, HistoryStore
from service.assets.holdings import Holdings
from service.assets.known import KnownHoldings
from service.database.base import USUAL
from service.http.errors import BarsConflict
from tests.models_store.artifacts import make_series
from tests.service.databases import locked
from tests.service.worlds import ASSET, bars_of, held_asset
from volatility.bars import PRICES, Bars

ALL = bars_of(make_series(60))
START = datetime(2021, 2, 4, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


class Ticking:
    """A clock that tests set."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Ticking:
    return Ticking()


@pytest.fixture
def store(database_url: str, clock: Ticking) -> Iterator[HistoryStore]:
    store = HistoryStore(database_url, USUAL, clock)
    store.prepare([HeldBars(held_asset(), ALL.where(slice(40)), 1)])
    yield store
    store.close()


def higher(bars: Bars, factor: float) -> Bars:
    return replace(bars, high=bars.high * factor)


def assert_same(found: Bars, expected: Bars) -> None:
    for column in ("timestamps", *PRICES):
        np.testing.assert_array_equal(getattr(found, column), getattr(expected, column))


def test_what_was_held_can_be_read_as_of_every_moment(store: HistoryStore, clock: Ticking) -> None:
    states = [(START - SECOND, store.read(ASSET).bars)]
    for at, given in enumerate([
        ALL.where(slice(40, 50)),
        higher(ALL.where(slice(38, 42)), 2.0),
        higher(ALL.where(slice(30, 60)), 3.0),
        ALL.where(slice(40)),
    ]):  # fmt: skip
        clock.now = START + at * SECOND
        store.merge(held_asset(), given, replace=True)
        states.append((clock.now, store.read(ASSET).bars))
    assert_same(states[-1][1], _last_state())
    for now, held in states:
        for moment in (now, now + SECOND - timedelta(microseconds=1)):
            assert_same(store.read(ASSET, known_at=moment).bars, held)
    assert store.read(ASSET, known_at=START).revision == store.read(ASSET).revision == 5


def _last_state() -> Bars:
    high = np.concatenate([ALL.high[:40], 3.0 * ALL.high[40:]])
    return replace(ALL, high=high)


def test_of_a_bar_that_is_put_again_the_first_time_counts(
    store: HistoryStore, clock: Ticking
) -> None:
    store.merge(held_asset(), ALL.where(slice(40, 41)))
    clock.now += SECOND
    store.merge(held_asset(), ALL.where(slice(40, 42)))
    assert len(store.read(ASSET, known_at=START).bars) == 41
    assert len(store.read(ASSET, known_at=START + SECOND).bars) == 42


def test_times_follow_one_another_though_the_clock_is_set_back(
    store: HistoryStore, clock: Ticking
) -> None:
    for at, factor in enumerate((2.0, 3.0, 4.0)):
        clock.now = START - at * timedelta(days=1)
        store.merge(held_asset(), higher(ALL.where(slice(39, 40)), factor), replace=True)
    highs = [
        store.read(ASSET, known_at=START + at * timedelta(microseconds=1)).bars.high[39]
        for at in range(-1, 3)
    ]
    np.testing.assert_array_equal(highs, ALL.high[39] * np.array([1.0, 2.0, 3.0, 4.0]))


def test_who_sent_a_bar_stays_with_it(store: HistoryStore) -> None:
    store.merge(held_asset(), ALL.where(slice(40, 41)), put_by="0a1b2c3d")
    store.merge(
        held_asset(), higher(ALL.where(slice(39, 41)), 2.0), replace=True, put_by="ffffffff"
    )
    past, held = tables.replaced_bars.c, tables.bars.c
    with store.database.reading() as connection:
        replaced = connection.execute(
            sa.select(past.put_by, past.known_at, past.replaced_at).order_by(past.opened_at)
        ).all()
        now = connection.execute(sa.select(held.put_by).where(held.known_at > 0)).scalars().all()
    start = int(START.timestamp()) * 1_000_000
    assert replaced == [("", 0, start + 1), ("0a1b2c3d", start, start + 1)]
    assert now == ["ffffffff", "ffffffff"]


def test_what_is_refused_replaces_nothing(store: HistoryStore) -> None:
    with pytest.raises(BarsConflict):
        store.merge(held_asset(), higher(ALL.where(slice(38, 45)), 2.0))
    with store.database.reading() as connection:
        assert connection.execute(sa.select(tables.replaced_bars)).all() == []


def test_another_database_takes_over_all_of_it(
    store: HistoryStore, clock: Ticking, tmp_path: object
) -> None:
    store.merge(held_asset(), higher(ALL.where(slice(30, 50)), 2.0), replace=True)
    other = HistoryStore(f"sqlite:///{tmp_path}/other.sqlite3")
    other.prepare([])
    other.take_over(store)
    for moment in (None, START, START - SECOND):
        assert_same(other.read(ASSET, moment).bars, store.read(ASSET, moment).bars)
    assert other.read(ASSET).revision == 2
    other.close()


def test_what_is_being_written_is_waited_for(
    store: HistoryStore, clock: Ticking, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bar is stamped before it is committed: a replay in between must not differ from later."""
    stamped, go_on = threading.Event(), threading.Event()
    put_bars = database._put_bars

    def slowly(*args: Any) -> None:
        put_bars(*args)
        stamped.set()
        assert go_on.wait(60)

    monkeypatch.setattr(database, "_put_bars", slowly)
    with ThreadPoolExecutor() as pool:
        writing = pool.submit(store.merge, held_asset(), ALL.where(slice(40, 50)))
        assert stamped.wait(60)
        clock.now += SECOND
        reading = pool.submit(store.read, ASSET, clock.now)
        assert not wait([reading], timeout=0.3).done
        go_on.set()
        writing.result(60)
        first = reading.result(60)
    assert len(first.bars) == 50
    assert_same(store.read(ASSET, clock.now).bars, first.bars)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_was_known_long_ago_waits_for_nobody(store: HistoryStore, database_url: str) -> None:
    with locked(database_url):
        assert len(store.read(ASSET, START - timedelta(hours=1)).bars) == 40


@pytest.mark.parametrize("year", [1, 1969])
def test_what_was_always_known_was_so_before_1970(store: HistoryStore, year: int) -> None:
    assert_same(store.read(ASSET, datetime(year, 1, 1, tzinfo=UTC)).bars, ALL.where(slice(40)))


def test_of_one_that_was_deleted_meanwhile_nothing_was_known(store: HistoryStore) -> None:
    holdings = Holdings(store)
    holdings.load()
    known = KnownHoldings(holdings, START, START)
    store.delete(ASSET)
    assert known.find(ASSET) is None
