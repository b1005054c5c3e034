"""What is shipped is put in place on a first start, and not in place of what was lost."""

import shutil
from pathlib import Path

import pytest

from models_store import Store
from service.app import create_app
from service.assets.database import HistoryStore
from service.http.errors import InvalidSetting
from service.settings import Seed, Settings
from tests.models_store.artifacts import make_files, make_series
from tests.service.client import TestClient
from tests.service.worlds import ASSET, bars_of, clock, held_asset

BARS = bars_of(make_series(60))


@pytest.fixture(autouse=True)
def shipped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One model and one asset, rather than dozens."""
    artifacts = tmp_path / "shipped"
    store = Store(artifacts)
    store.promote(ASSET, "har", store.publish(make_files(ASSET, "har")))
    monkeypatch.setattr("models_store.shipped.shipped_artifacts", lambda: artifacts)
    monkeypatch.setattr("service.operations.seeding.shipped", lambda: [(held_asset(), BARS)])
    monkeypatch.setattr("service.operations.seeding.datasets.NAMES", (ASSET,))


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    return Settings(store=tmp_path / "store", database_url=database_url)


def start(settings: Settings, seed: Seed = "auto") -> tuple[int, int]:
    """Models and assets of a service that starts."""
    app = create_app(settings.model_copy(update={"seed": seed}), clock)
    with TestClient(app) as client:
        answer = client.get("/health/ready").json()
        return answer["models"], answer["assets"]


def put(settings: Settings) -> None:
    history = HistoryStore(settings.database_url)
    history.merge(held_asset(), bars_of(make_series(61)))
    history.close()


def lose_history(settings: Settings) -> None:
    history = HistoryStore(settings.database_url)
    with history.database.writing() as connection:
        for table in ("bars", "assets"):
            connection.exec_driver_sql(f"DELETE FROM {table}")
    history.close()


def test_a_first_start_fills_both_and_a_second_finds_them(settings: Settings) -> None:
    assert start(settings) == (1, 1)
    put(settings)
    assert start(settings) == start(settings, "never") == (1, 1)


def test_a_store_of_ones_own_is_no_obstacle_to_a_first_start(settings: Settings) -> None:
    store = Store(settings.store)
    store.promote("OWN", "har", store.publish(make_files("OWN", "har")))
    assert start(settings) == (1, 1)


def test_a_lost_history_does_not_come_back_as_shipped(settings: Settings) -> None:
    start(settings)
    lose_history(settings)
    with pytest.raises(InvalidSetting, match=r"names an empty database, though .*SEED=always"):
        start(settings)
    with pytest.raises(InvalidSetting, match="names an empty database"):
        start(settings)  # whoever restarts it
    assert start(settings, "always") == (1, 1)
    assert start(settings) == (1, 1)


def test_another_database_is_a_first_start(settings: Settings, tmp_path: Path) -> None:
    start(settings)
    other = f"sqlite:///{tmp_path / 'other.sqlite3'}"
    assert start(settings.model_copy(update={"database_url": other})) == (1, 1)


def test_a_lost_store_does_not_come_back_as_shipped(settings: Settings) -> None:
    start(settings)
    put(settings)
    shutil.rmtree(settings.store)
    with pytest.raises(InvalidSetting, match=r"ROUGHCAST_STORE names no folder, though bars"):
        start(settings)
    assert not settings.store.exists()
    assert start(settings, "always") == (1, 1)


def test_a_store_is_made_beside_a_history_that_nothing_was_put_into(settings: Settings) -> None:
    start(settings)
    shutil.rmtree(settings.store)
    assert start(settings) == (1, 1)


def test_never_fills_nothing(settings: Settings) -> None:
    with pytest.raises(InvalidSetting, match="STORE names no folder, and ROUGHCAST_SEED=never"):
        start(settings, "never")
    settings.store.mkdir()
    with pytest.raises(InvalidSetting, match="names an empty database, and ROUGHCAST_SEED=never"):
        start(settings, "never")


def test_a_store_that_cannot_be_made_is_told_of(settings: Settings) -> None:
    settings.store.parent.joinpath("file").touch()
    nowhere = settings.model_copy(update={"store": settings.store.parent / "file" / "store"})
    with pytest.raises(InvalidSetting, match="ROUGHCAST_STORE cannot be made: "):
        start(nowhere)


def test_a_store_that_cannot_be_written_serves_all_the_same(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("service.operations.seeding.replace_file", refuse)
    assert start(settings) == (1, 1)


def test_the_place_of_a_database_tells_of_no_password(database_url: str) -> None:
    history = HistoryStore(database_url)
    other = HistoryStore(database_url.replace("postgres:", "guest:"))
    assert history.place == other.place
    assert len(history.place) == 64
