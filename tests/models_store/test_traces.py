"""A look tells what has changed in a store, and reads none of its files."""

import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from models_store import traces
from models_store.changed import CHANGED, note_change
from models_store.names import CHAMPION
from models_store.store import Store
from models_store.traces import Traces
from models_store.universal.store import UniversalStore
from tests.models_store.artifacts import make_files
from tests.models_store.universal.small import small_files


@pytest.fixture(autouse=True)
def _settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written counts as old at once."""
    monkeypatch.setattr(traces, "_SETTLING", 0)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "store")
    for model in ("har", "log_har"):
        store.publish(make_files(model=model), promote=True)
    store.publish(make_files(intercept=2e-5))
    store.set_champion("TEST", "har")
    return store


def test_what_stays_is_not_told_of(store: Store) -> None:
    looked = Traces(store.root)
    assert looked.look() == {}
    store.publish(make_files(intercept=3e-5))  # which is not to serve
    assert looked.look() == {}


def test_each_change_is_told_of_once_by_its_name(store: Store) -> None:
    looked = Traces(store.root)
    store.promote("TEST", "har", 2)
    assert looked.look() == {"TEST": {"har"}}
    assert looked.look() == {}
    store.set_champion("TEST", "log_har")
    store.roll_back("TEST", "har")
    assert looked.look() == {"TEST": {"har", CHAMPION}}
    assert looked.look() == {}


def test_new_models_and_assets_are_told_of_once_they_are_promoted(store: Store) -> None:
    looked = Traces(store.root)
    store.publish(make_files("OTHER", "har"))
    store.publish(make_files(model="ewma"))
    assert looked.look() == {}
    store.promote("OTHER", "har", 1)
    store.promote("TEST", "ewma", 1)
    assert looked.look() == {"OTHER": {"har"}, "TEST": {"ewma"}}


def test_a_pointer_that_is_written_in_place_is_told_of(store: Store) -> None:
    """As by hand, without a new file."""
    looked = Traces(store.root)
    with (store.root / "TEST" / "champion").open("r+") as file:
        file.write('{"model": "har"} ')
    assert looked.look() == {"TEST": {CHAMPION}}


def test_versions_of_the_model_for_every_asset_are_told_of(store: Store) -> None:
    folder = store.root / "universal"
    (folder / "1").mkdir(parents=True)
    looked = Traces(store.root)
    (folder / "2").mkdir()
    assert looked.look() == {"universal": {"universal"}}
    assert looked.look() == {}


def test_what_is_gone_is_told_of_only_once_it_is_back_as_another(store: Store) -> None:
    looked, away = Traces(store.root), store.root.with_name("away")
    store.root.rename(away)
    assert looked.look() == {}
    away.rename(store.root)
    assert looked.look() == {}
    copy = shutil.copytree(store.root, away)
    shutil.rmtree(store.root)
    copy.rename(store.root)
    assert looked.look() == {"TEST": {"har", "log_har", CHAMPION}}


def test_what_cannot_be_looked_at_is_told_of_once_it_can(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    stat = os.stat

    def refuse(path: Any, *given: Any, **more: Any) -> os.stat_result:
        if str(path).endswith("har/current"):
            raise PermissionError(13, "Permission denied", path)
        return stat(path, *given, **more)

    with monkeypatch.context() as patched:
        patched.setattr(os, "stat", refuse)
        looked = Traces(store.root)
        assert looked.look() == {}
    assert looked.look() == {"TEST": {"har", "log_har"}}


@pytest.mark.parametrize("part", ["store", "store/TEST"])
def test_a_folder_that_cannot_be_listed_is_listed_by_the_next_look(
    store: Store, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    scandir = os.scandir

    def refuse(path: Any) -> Any:
        if str(path).endswith(part):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    with monkeypatch.context() as patched:
        patched.setattr(os, "scandir", refuse)
        looked = Traces(store.root)
        assert set(looked.look()) <= {"TEST"}
    assert "har" in looked.look()["TEST"]


def test_what_is_younger_than_a_tick_of_the_clock_is_told_of_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = Traces(store.root)
    monkeypatch.setattr(traces, "_SETTLING", 2_000_000_000)
    store.promote("TEST", "har", 2)
    assert looked.look() == looked.look() == {"TEST": {"har"}}
    monkeypatch.setattr(traces, "_SETTLING", 0)
    assert looked.look() == {"TEST": {"har"}}
    assert looked.look() == {}


def test_what_was_there_a_moment_before_the_first_look_is_told_of(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have changed between that look and the reading of it."""
    monkeypatch.setattr(traces, "_SETTLING", 2_000_000_000)
    assert Traces(store.root).look() == {"TEST": {"har", "log_har", CHAMPION}}


def test_folders_are_watched_until_others_are(store: Store) -> None:
    looked, folder = Traces(store.root), store.root / "TEST" / "har"
    assert looked.watched() == {}
    named = {("TEST", "har"): folder / "1", ("TEST", "log_har"): folder.with_name("none")}
    looked.watch(named)
    (folder / "1" / "SHA256SUMS.sig").touch()
    looked.watch(named)  # as before: what has happened to them is not forgotten
    assert looked.watched() == {"TEST": {"har"}}
    assert looked.watched() == {}
    looked.watch({("TEST", "har"): folder / "2"})
    (folder / "1" / "SHA256SUMS.sig").unlink()
    (folder / "2" / "SHA256SUMS.sig").touch()
    assert looked.watched() == {"TEST": {"har"}}
    looked.watch({})
    (folder / "2" / "SHA256SUMS.sig").unlink()
    assert looked.watched() == {}


def test_names_of_another_kind_are_passed_over(store: Store) -> None:
    for name in ("lost+found", ".hidden", "a name"):
        (store.root / name).mkdir()
    (store.root / "TEST" / "Not-A-Model").mkdir()
    (store.root / "TEST" / "Not-A-Model" / "current").touch()
    (store.root / "FILE").touch()
    looked = Traces(store.root)
    for path in ("lost+found", "TEST/Not-A-Model"):
        (store.root / path / "current").write_text("another")
    assert looked.look() == {}


def test_a_look_opens_no_file(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    looked = Traces(store.root)
    store.promote("TEST", "har", 2)

    def refuse(path: Any, *given: Any, **more: Any) -> int:
        raise AssertionError(path)

    monkeypatch.setattr(os, "open", refuse)
    monkeypatch.setattr("builtins.open", refuse)
    assert looked.look() == {"TEST": {"har"}}


def test_what_the_store_itself_changes_is_noted_until_the_next_look(store: Store) -> None:
    looked = Traces(store.root)
    assert not looked.are_out_of_date()
    changes: list[Callable[[], object]] = [
        partial(store.promote, "TEST", "har", 2),
        partial(store.roll_back, "TEST", "har"),
        partial(store.set_champion, "TEST", "log_har"),
        partial(store.publish, make_files(intercept=3e-5), promote=True),
        partial(UniversalStore(store.root).publish, small_files()),
    ]
    for change in changes:
        change()
        assert looked.are_out_of_date()
        looked.look()
        assert not looked.are_out_of_date()


def test_what_is_not_to_serve_is_not_noted(store: Store) -> None:
    looked = Traces(store.root)
    store.publish(make_files(intercept=3e-5))
    store.promote("TEST", "har", 1)  # which it was
    assert not looked.are_out_of_date()


def test_two_changes_at_once_are_two(store: Store) -> None:
    looked = Traces(store.root)
    for _ in range(100):
        note_change(store.root)
        assert looked.are_out_of_date()
        looked.look()


def test_where_a_change_cannot_be_noted_it_is_made_and_found(store: Store) -> None:
    looked = Traces(store.root)
    (store.root / CHANGED).unlink()
    (store.root / CHANGED).mkdir()
    looked.look()
    store.promote("TEST", "har", 2)
    assert not looked.are_out_of_date()
    assert looked.look() == {"TEST": {"har"}}
