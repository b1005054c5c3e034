"""The versions of the model for every asset: which one serves after another look."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from models_store.universal.store import Newest, UniversalStore
from tests.models_store.universal.small import small_files


@pytest.fixture
def store(tmp_path: Path) -> UniversalStore:
    store = UniversalStore(tmp_path)
    store.publish(small_files())
    return store


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Versions that are opened where they stand."""
    found, opens = list[int](), UniversalStore._open

    def opening(self: UniversalStore, folder: Path, version: int, *more: Any) -> Any:
        if folder.name == str(version):
            found.append(version)
        return opens(self, folder, version, *more)

    monkeypatch.setattr(UniversalStore, "_open", opening)
    return found


def spoil(store: UniversalStore, version: int) -> None:
    (store.folder / str(version) / "model.onnx").write_bytes(b"no network")


def test_what_is_known_is_not_opened_again(store: UniversalStore, opened: list[int]) -> None:
    known = store.after(Newest())
    assert store.after(known) == known
    assert opened == [1]
    store.publish(small_files(serves=False))
    passed = store.after(known)
    assert passed == Newest(known.model, passed_over=frozenset({2}))
    store.publish(small_files(0.5))
    found = store.after(passed)
    assert found.model is not None
    assert (found.model.version, opened) == (3, [1, 2, 3])


def test_a_version_that_fails_leaves_the_one_that_is_known(store: UniversalStore) -> None:
    known = store.after(Newest())
    for weight in (0.5, 0.6):
        store.publish(small_files(weight))
    for version in (2, 3):
        spoil(store, version)
    found = store.after(known)
    assert (found.model, found.is_lost) == (known.model, False)
    assert [(it.version, it.served_version) for it in found.refused] == [(3, 1), (2, 1)]
    assert all("model.onnx has sha256" in it.reason for it in found.refused)


def test_a_version_that_cannot_be_read_is_lost_until_it_can(
    store: UniversalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = store.after(Newest())

    def unreadable(_self: UniversalStore) -> list[int]:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(UniversalStore, "versions", unreadable)
        lost = store.after(known)
    assert (lost.model, lost.is_lost) == (known.model, True)
    [refusal] = lost.refused
    assert (refusal.asset, refusal.model, refusal.version) == ("universal", "universal", None)
    assert refusal.reason == "its folder cannot be read: Input/output error"
    assert store.after(lost) == known


def test_what_is_gone_goes_on(store: UniversalStore) -> None:
    known = store.after(Newest())
    shutil.rmtree(store.folder)
    assert store.after(known) == known


def test_a_version_that_took_the_number_of_one_that_is_gone_is_another(
    store: UniversalStore,
) -> None:
    known = store.after(Newest())
    shutil.rmtree(store.folder / "1")
    assert store.publish(small_files(0.5)) == 1
    found = store.after(known)
    assert found.model is not None
    assert known.model is not None
    assert found.model.version == known.model.version == 1
    assert found.model.sha256 != known.model.sha256
