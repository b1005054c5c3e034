"""Stores that were begun before there was a model for every asset."""

import os
import shutil
import threading
from pathlib import Path

import pytest

from models_store.changed import CHANGED
from models_store.shipped import give_universal, open_store, shipped_artifacts
from models_store.store import Store
from models_store.universal.store import UniversalStore
from tests.models_store.artifacts import make_files
from tests.models_store.universal.small import small_files


@pytest.fixture
def old(tmp_path: Path) -> Store:
    """A store with a model of one asset, and nothing else."""
    store = Store(tmp_path / "store")
    store.promote("TEST", "har", store.publish(make_files()))
    return store


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> UniversalStore:
    """Two shipped versions."""
    shipped = UniversalStore(tmp_path / "package")
    for serves in (False, True):
        shipped.publish(small_files(serves=serves))
    monkeypatch.setattr("models_store.shipped.shipped_artifacts", lambda: shipped.root)
    return shipped


def names(folder: Path) -> list[str]:
    return sorted({path.name for path in folder.iterdir()} - {CHANGED})


def test_it_is_given_the_shipped_versions_and_keeps_its_own_models(old: Store) -> None:
    before = old.load("TEST", "har").sha256
    open_store(old.root)
    given, shipped = UniversalStore(old.root), UniversalStore(shipped_artifacts())
    assert given.versions() == shipped.versions() != []
    found, refused = given.newest()
    assert refused == ()
    assert found.sha256 == shipped.newest()[0].sha256
    assert open_store(old.root).load("TEST", "har").sha256 == before
    assert names(old.root) == ["TEST", "universal"]


def test_a_version_of_its_own_is_not_overwritten(old: Store, package: UniversalStore) -> None:
    own = UniversalStore(old.root)
    own.publish(small_files(0.5))
    open_store(old.root)
    assert own.versions() == [1]
    assert own.load(1).sha256 != package.load(2).sha256


def test_a_folder_without_a_version_is_no_obstacle(old: Store, package: UniversalStore) -> None:
    """As a publication leaves it that was killed, or refused."""
    folder = old.root / "universal"
    (folder / ".unfinished-1").mkdir(parents=True)
    (folder / ".lock").touch()
    open_store(old.root)
    assert UniversalStore(old.root).versions() == package.versions()


def test_the_folder_whose_lock_others_wait_for_stays(old: Store, package: UniversalStore) -> None:
    """A publication that waits at a lock in a folder moved away would not keep others out."""
    lock = old.root / "universal" / ".lock"
    lock.parent.mkdir()
    lock.touch()
    before = lock.stat().st_ino
    open_store(old.root)
    assert UniversalStore(old.root).versions() == package.versions()
    assert lock.stat().st_ino == before


def full(*_: object) -> None:
    raise OSError(28, "No space left on device")


def test_a_disk_that_is_full_keeps_no_store_from_opening(
    old: Store,
    package: UniversalStore,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("models_store.shipped.os.sync", full)
        assert open_store(old.root).load("TEST", "har").version == 1
    [line] = caplog.messages
    assert "lacks shipped versions" in line
    assert "No space left" in line
    assert names(old.root / "universal") == [".lock"]
    open_store(old.root)
    assert UniversalStore(old.root).versions() == package.versions()


def test_what_was_interrupted_is_completed(
    old: Store, package: UniversalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest version, which serves, comes last."""
    with monkeypatch.context() as patched:
        patched.setattr("models_store.shipped.flush_folder", full)
        with pytest.raises(OSError, match="No space left"):
            give_universal(old.root)
    store = UniversalStore(old.root)
    assert store.versions() == [1]
    first = (store.folder / "1").stat().st_ino
    (store.folder / ".unfinished-1").mkdir()  # as a process leaves it that was killed
    give_universal(old.root)
    assert store.newest()[0].version == 2
    assert names(store.folder) == [".lock", "1", "2"]
    assert (store.folder / "1").stat().st_ino == first


def test_several_that_open_it_at_once_give_it_once(old: Store, package: UniversalStore) -> None:
    threads = [threading.Thread(target=give_universal, args=(old.root,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert UniversalStore(old.root).versions() == package.versions()
    assert names(old.root) == ["TEST", "universal"]
    assert names(old.root / "universal") == [".lock", "1", "2"]


def test_a_store_that_cannot_be_written_to_is_opened_as_it_is(
    old: Store, package: UniversalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file system mounted for reading alone; permissions do not bind root."""
    real = os.access
    monkeypatch.setattr(
        "models_store.shipped.os.access",
        lambda path, mode: mode != os.W_OK and real(path, mode),
    )
    assert open_store(old.root).models("TEST") == ["har"]
    assert names(old.root) == ["TEST"]


def test_a_package_without_one_gives_none(old: Store, package: UniversalStore) -> None:
    shutil.rmtree(package.folder)
    open_store(old.root)
    assert names(old.root) == ["TEST"]
