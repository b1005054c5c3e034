"""What is shipped is put in place on a first start, and not in place of what was lost."""

import shutil
from collections.abc import Callable
from functools import partialmethod
from pathlib import Path

import pytest

from models_store import Store, open_store
from models_store.universal.store import UniversalStore
from service.app import create_app
from service.assets.database import HistoryStore
from service.http.errors import InvalidSetting
from service.settings import Seed, Settings
from tests.models_store.artifacts import make_files, make_series
from tests.models_store.universal.small import small_files
from tests.service.client import TestClient
from tests.service.worlds import ASSET, bars_of, clock, first_held, held_asset

BARS = bars_of(make_series(60))


@pytest.fixture(autouse=True)
def shipped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One model and one asset, rather than dozens."""
    artifacts = tmp_path / "shipped"
    store = Store(artifacts)
    store.promote(ASSET, "har", store.publish(make_files(ASSET, "har")))
    monkeypatch.setattr("models_store.shipped.shipped_artifacts", lambda: artifacts)
    monkeypatch.setattr("service.operations.seeding.shipped", lambda: [first_held(BARS)])
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
    store = Store(settings.store_folder)
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
    shutil.rmtree(settings.store_folder)
    with pytest.raises(InvalidSetting, match=r"ROUGHCAST_STORE names no folder, though bars"):
        start(settings)
    assert not settings.store_folder.exists()
    assert start(settings, "always") == (1, 1)


def empty(folder: Path) -> None:
    """As it is where the volume that is mounted there is lost: `lost+found` is of its making."""
    shutil.rmtree(folder)
    (folder / "lost+found").mkdir(parents=True)


def test_a_folder_that_has_become_empty_is_a_lost_store(settings: Settings) -> None:
    start(settings)
    put(settings)
    empty(settings.store_folder)
    with pytest.raises(InvalidSetting, match="ROUGHCAST_STORE names an empty folder, though bars"):
        start(settings)
    assert [it.name for it in settings.store_folder.iterdir()] == ["lost+found"]
    assert start(settings, "always") == (1, 1)
    assert start(settings) == (1, 1)


def test_a_store_whose_models_are_gone_is_lost_beside_any_history(settings: Settings) -> None:
    start(settings)
    shutil.rmtree(settings.store_folder / ASSET)
    with pytest.raises(InvalidSetting, match=r"names an empty folder, though the note \.histories"):
        start(settings)
    assert start(settings, "always") == (1, 1)


def test_an_empty_folder_is_filled_on_a_first_start(settings: Settings) -> None:
    settings.store_folder.mkdir()
    assert start(settings) == (1, 1)


def test_a_store_is_made_beside_a_history_that_nothing_was_put_into(settings: Settings) -> None:
    start(settings)
    shutil.rmtree(settings.store_folder)
    assert start(settings) == (1, 1)


def test_never_fills_nothing(settings: Settings) -> None:
    with pytest.raises(InvalidSetting, match="STORE names no folder, and ROUGHCAST_SEED=never"):
        start(settings, "never")
    settings.store_folder.mkdir()
    with pytest.raises(InvalidSetting, match="names an empty folder, and ROUGHCAST_SEED=never"):
        start(settings, "never")
    store = Store(settings.store_folder)
    store.promote("OWN", "har", store.publish(make_files("OWN", "har")))
    with pytest.raises(InvalidSetting, match="names an empty database, and ROUGHCAST_SEED=never"):
        start(settings, "never")


def test_never_gives_no_store_the_model_for_every_asset(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.operations.seeding.open_store", open_store)
    start(settings)
    UniversalStore(tmp_path / "shipped").publish(small_files())  # by the next release
    assert start(settings, "never") == (1, 1)
    assert sorted(it.name for it in settings.store_folder.iterdir()) == [
        ".changed",
        ".histories",
        ".lock",
        ASSET,
    ]
    assert start(settings) == (2, 1)


def test_a_store_that_cannot_be_made_is_told_of(settings: Settings) -> None:
    settings.store_folder.parent.joinpath("file").touch()
    nowhere = settings.model_copy(update={"store": settings.store_folder.parent / "file" / "store"})
    with pytest.raises(InvalidSetting, match="ROUGHCAST_STORE cannot be read or made: Not a"):
        start(nowhere)


def test_a_store_for_which_there_is_no_room_is_told_of(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_given: object, **_more: object) -> None:
        raise shutil.Error([("from", "to", "[Errno 28] No space left on device")])

    monkeypatch.setattr(shutil, "copytree", full)
    with pytest.raises(InvalidSetting, match=r"cannot be read or made: .*No space left on device"):
        start(settings)


def test_a_store_whose_parent_may_not_be_entered_is_told_of(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Permissions do not bind root, so each look at it is refused here."""

    def refused(self: Path, real: Callable[..., object], **more: object) -> object:
        if self == settings.store_folder:
            raise PermissionError(13, "Permission denied")
        return real(self, **more)

    for name in ("stat", "exists", "iterdir"):
        real = getattr(Path, name)
        monkeypatch.setattr(Path, name, partialmethod(refused, real))
    with pytest.raises(InvalidSetting, match=r"STORE cannot be read .*: Permission denied"):
        start(settings)


def test_a_store_that_cannot_be_written_serves_all_the_same(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("service.operations.seeding.replace_file", refuse)
    assert start(settings) == (1, 1)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_the_place_of_a_database_is_where_it_is(database_url: str) -> None:
    """How it is asked may change; the folder of its socket stands among the options too."""
    same, other = f"{database_url}&sslmode=prefer", f"{database_url}_2"
    place, same_place, other_place = (HistoryStore(it).place for it in (database_url, same, other))
    assert place == same_place != other_place


def test_the_place_of_a_database_tells_of_no_password(database_url: str) -> None:
    history = HistoryStore(database_url)
    other = HistoryStore(database_url.replace("postgres:", "guest:"))
    assert history.place == other.place
    assert len(history.place) == 64
