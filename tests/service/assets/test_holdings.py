"""What is held in memory after a merge, and what is known of an asset without held bars."""

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from models_store import Store
from models_store.shipped import shipped_artifacts
from service.assets.database import HeldAsset, HistoryStore
from service.assets.holdings import Holdings, find_asset
from service.assets.merging import compare
from service.models.catalogue import Catalogue
from tests.models_store.artifacts import make_files
from tests.volatility.prices import make_bars
from volatility.bars import PRICES, Bars
from volatility.series import daily_series


@pytest.fixture
def holdings(database_url: str) -> Iterator[Holdings]:
    store = HistoryStore(database_url)
    store.prepare([])
    yield Holdings(store)
    store.close()


@pytest.mark.parametrize("model", ["combination", "universal"])
def test_its_kind_is_what_its_models_take_it_for(
    tmp_path: Path, holdings: Holdings, model: str
) -> None:
    """An index in New York, where most assets are stocks."""
    shutil.copytree(shipped_artifacts() / "SPX" / model, tmp_path / "store" / "SPX" / model)
    catalogue = Catalogue(Store(tmp_path / "store"))
    known = find_asset("SPX", holdings, catalogue)
    assert known is not None
    assert (known.calendar, known.kind) == ("XNYS", "index")


def test_where_no_model_depends_on_its_kind_it_is_the_usual_one(
    tmp_path: Path, holdings: Holdings
) -> None:
    store = Store(tmp_path / "store")
    store.promote("TEST", "har", store.publish(make_files()))
    known = find_asset("TEST", holdings, Catalogue(store))
    assert known is not None
    assert (known.calendar, known.kind) == ("24/7", "crypto")


HOURS = make_bars(10 * 24, "2021-01-01", 3600)
HOURLY = HeldAsset("HOURLY", "24/7", "realized_variance", 3600, "simulated", "crypto")


def read_nothing(*_: object) -> object:
    raise AssertionError("the database is read")


def assert_held(holdings: Holdings, expected: Bars) -> None:
    held = holdings.get("HOURLY")
    for column in ("timestamps", *PRICES):
        np.testing.assert_array_equal(getattr(held.bars, column), getattr(expected, column))
    for measure, columns in (("realized_variance", ()), ("med_rv", ("return", "jump"))):
        series, _ = daily_series(expected, measure, held.calendar, columns)
        assert held.series(measure, columns).sha256 == series.sha256


def test_bars_are_put_into_what_memory_has(
    holdings: Holdings, monkeypatch: pytest.MonkeyPatch
) -> None:
    holdings.merge(HOURLY, HOURS.where(slice(200)), replace=False)
    holdings.get("HOURLY").series("med_rv", ("return", "jump"))
    with monkeypatch.context() as patched:
        patched.setattr(holdings.store, "read", read_nothing)
        patched.setattr("service.assets.held.daily_series", read_nothing)  # nor measured anew
        merge, held = holdings.merge(HOURLY, HOURS.where(slice(190, 240)), replace=False)
        assert (merge.added, merge.unchanged, held.revision) == (40, 10, 2)
        assert_held(holdings, HOURS)
        again, same = holdings.merge(HOURLY, HOURS.where(slice(100)), replace=False)
        assert (again.unchanged, same) == (100, held)
    assert holdings.store.read("HOURLY").revision == 2


def test_what_another_has_put_meanwhile_is_read(holdings: Holdings, database_url: str) -> None:
    holdings.merge(HOURLY, HOURS.where(slice(200)), replace=False)
    with closing(HistoryStore(database_url)) as other:
        other.merge(HOURLY, HOURS.where(slice(200, 220)))
    merge, held = holdings.merge(HOURLY, HOURS.where(slice(220, 240)), replace=False)
    assert (merge.before, held.revision) == (2, 3)
    assert_held(holdings, HOURS)


def test_of_the_database_only_the_times_of_the_given_bars_are_read(
    holdings: Holdings, monkeypatch: pytest.MonkeyPatch
) -> None:
    holdings.merge(HOURLY, HOURS.where(slice(200)), replace=False)
    compared: list[int] = []

    def counting(held: Bars, given: Bars) -> object:
        compared.append(len(held))
        return compare(held, given)

    monkeypatch.setattr("service.assets.database.compare", counting)
    holdings.merge(HOURLY, HOURS.where(slice(195, 205)), replace=False)
    assert compared == [5]
