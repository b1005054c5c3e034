from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace

import numpy as np
import pytest

from service.assets import database
from service.assets.database import HistoryStore
from service.http.errors import BarsConflict, DatabaseUnavailable
from tests.models_store.artifacts import make_series
from tests.service.worlds import ASSET, bars_of, first_held, held_asset
from volatility.bars import PRICES, Bars

ALL = bars_of(make_series(60))


def part(start: int, stop: int) -> Bars:
    prices = {price: getattr(ALL, price)[start:stop] for price in PRICES}
    return Bars(timestamps=ALL.timestamps[start:stop], interval=ALL.interval, **prices)


Opener = Callable[[], HistoryStore]


@pytest.fixture
def open_store(database_url: str) -> Iterator[Opener]:
    """Opens the database once more, and closes it after the test."""
    with ExitStack() as opened:

        def open_one() -> HistoryStore:
            store = HistoryStore(database_url)
            opened.callback(store.close)
            return store

        yield open_one


@pytest.fixture
def store(open_store: Opener) -> HistoryStore:
    store = open_store()
    store.prepare([first_held(part(0, 40))])
    return store


def assert_same(found: Bars, expected: Bars) -> None:
    for column in ("timestamps", *PRICES):
        np.testing.assert_array_equal(getattr(found, column), getattr(expected, column))
    assert found.interval == expected.interval


def test_bars_come_back_bit_for_bit(store: HistoryStore) -> None:
    held = store.read(ASSET)
    assert held.asset == held_asset()
    assert held.revision == 1
    assert_same(held.bars, part(0, 40))


def test_a_database_with_history_is_not_filled_again(
    store: HistoryStore, open_store: Opener
) -> None:
    store.merge(held_asset(), part(40, 41))
    again = open_store()
    again.prepare([first_held(part(0, 40)), first_held(part(0, 3), "OTHER")])
    assert again.assets() == [ASSET]
    assert len(again.read(ASSET).bars) == 41


def test_a_seed_that_fails_halfway_leaves_an_empty_database(open_store: Opener) -> None:
    store = open_store()

    def seed():
        yield first_held(part(0, 10))
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        store.prepare(seed())
    with pytest.raises(DatabaseUnavailable, match="history database"):  # not even tables
        store.assets()
    store.prepare([first_held(part(0, 10))])
    assert_same(store.read(ASSET).bars, part(0, 10))


def test_new_bars_are_added_and_identical_ones_stay(store: HistoryStore) -> None:
    merge = store.merge(held_asset(), part(38, 45))
    assert (merge.added, merge.unchanged, merge.replaced) == (5, 2, 0)
    assert_same(merge.written, part(40, 45))
    assert_same(store.read(ASSET).bars, part(0, 45))
    assert (merge.before, merge.revision, store.read(ASSET).revision) == (1, 2, 2)


def test_bars_before_and_between_held_ones_find_their_place(open_store: Opener) -> None:
    store = open_store()
    store.prepare([first_held(part(10, 20))])
    store.merge(held_asset(), part(30, 40))
    store.merge(held_asset(), part(0, 60))
    assert_same(store.read(ASSET).bars, ALL)


def test_repeating_a_merge_changes_nothing(store: HistoryStore) -> None:
    store.merge(held_asset(), part(35, 45))
    merge = store.merge(held_asset(), part(35, 45))
    assert (merge.added, merge.unchanged, merge.replaced) == (0, 10, 0)
    assert len(merge.written) == 0
    assert (merge.before, merge.revision, store.read(ASSET).revision) == (2, 2, 2)


def test_a_contradiction_changes_nothing_and_says_where(store: HistoryStore) -> None:
    wrong = part(38, 45)
    wrong = replace(wrong, high=np.where(np.arange(7) == 1, 500.0, wrong.high))
    with pytest.raises(BarsConflict, match="contradict bars that are held") as caught:
        store.merge(held_asset(), wrong)
    assert caught.value.field == "bars[1]"
    assert "high 500.0" in str(caught.value.found)
    assert str(wrong.timestamps[1]) in str(caught.value)
    assert_same(store.read(ASSET).bars, part(0, 40))
    assert store.read(ASSET).revision == 1


def test_a_contradiction_can_be_meant(store: HistoryStore) -> None:
    given = part(38, 45)
    given = replace(given, high=np.where(np.arange(7) == 1, 500.0, given.high))
    merge = store.merge(held_asset(), given, replace=True)
    assert (merge.added, merge.unchanged, merge.replaced) == (5, 1, 1)
    assert store.read(ASSET).bars.high[39] == 500.0
    assert store.read(ASSET).revision == 2


def test_a_new_asset_is_registered_by_its_first_bars(store: HistoryStore) -> None:
    other = replace(held_asset("NEW"), measure="parkinson")
    merge = store.merge(other, part(0, 5))
    assert merge.added == 5
    assert store.assets() == ["NEW", ASSET]
    assert store.read("NEW").asset == other


def test_two_services_on_one_database_see_each_other(
    store: HistoryStore, open_store: Opener
) -> None:
    other = open_store()
    other.prepare([])
    store.merge(held_asset(), part(40, 50))
    merge = other.merge(held_asset(), part(45, 55))
    assert (merge.added, merge.unchanged) == (5, 5)
    assert_same(store.read(ASSET).bars, part(0, 55))


def test_writers_at_once_lose_nothing(store: HistoryStore, open_store: Opener) -> None:
    stores = [store, open_store()]
    pieces = [part(start, start + 12) for start in range(0, 50, 2)]

    def merge(at: int) -> int:
        return stores[at % 2].merge(held_asset("NEW"), pieces[at]).added

    with ThreadPoolExecutor(8) as pool:
        added = sum(pool.map(merge, range(len(pieces))))
    assert added == 60
    assert_same(store.read("NEW").bars, ALL)


def test_a_database_without_tables_does_not_answer(open_store: Opener, database_url: str) -> None:
    store = open_store()
    with pytest.raises(DatabaseUnavailable, match="history database"):
        store.ping()
    store.prepare([])
    store.ping()


def test_a_merge_that_is_refused_makes_no_asset(store: HistoryStore) -> None:
    given = part(0, 5)
    store.merge(held_asset("NEW"), given)
    message = "NEW has just been held with .* 24/7, the kind crypto, .* Nothing was changed"
    with pytest.raises(BarsConflict, match=message) as caught:
        store.merge(replace(held_asset("NEW"), kind="fx"), part(5, 9))
    told = (caught.value.field, caught.value.found, caught.value.needed)
    assert told == ("asset", "NEW", "bars of the asset as it is held")
    assert store.read("NEW").revision == 1
    assert_same(store.read("NEW").bars, given)


def test_a_reader_sees_one_revision_while_another_is_written(
    store: HistoryStore, open_store: Opener
) -> None:
    other = open_store()
    with store.database.reading() as connection:
        first = database._read(connection, ASSET)
        other.merge(held_asset(), part(40, 50))
        second = database._read(connection, ASSET)
    assert (first.revision, second.revision) == (1, 1)
    assert_same(second.bars, part(0, 40))


def test_an_asset_is_what_the_first_request_made_it(store: HistoryStore) -> None:
    other = replace(held_asset(), calendar="XNYS", kind="stock")
    with pytest.raises(BarsConflict, match="has just been held with the calendar 24/7"):
        store.merge(other, part(40, 50))
    assert len(store.read(ASSET).bars) == 40
    assert store.read(ASSET).revision == 1
