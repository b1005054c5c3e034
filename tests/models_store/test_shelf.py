"""Models are listed at once, and verified and opened when they are first asked for."""

import errno
import gc
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models_store import artifact
from models_store.files import ArtifactFiles, DamagedArtifact
from models_store.names import CHAMPION
from models_store.predictors import linear
from models_store.shelf import Shelf
from models_store.signatures import SUMS
from models_store.store import Store
from tests.models_store.artifacts import (
    flip_byte,
    make_files,
    make_network_files,
    make_series,
    opened,
    verified,
)
from volatility.npz import encode_arrays, read_arrays

Count = Callable[[str], list[str]]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """One asset with two versions of one model, of which the second serves."""
    store = Store(tmp_path)
    for intercept in (1e-5, 2e-5):
        store.publish(make_files(intercept=intercept), promote=True)
    return store


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Count:
    """Count the calls of a function of models_store.artifact."""

    def counted(name: str) -> list[str]:
        function, found = getattr(artifact, name), list[str]()

        def call(*given: Any, **more: Any) -> Any:
            found.append(name)  # not what it is given, which would stay open
            return function(*given, **more)

        monkeypatch.setattr(artifact, name, call)
        return found

    return counted


def damage(store: Store, version: int, name: str = linear.KIND.file) -> None:
    path = store.root / "TEST" / "har" / str(version) / name
    path.write_bytes(flip_byte(path.read_bytes(), 5))


def test_a_model_is_opened_once_when_it_is_first_asked_for(store: Store, calls: Count) -> None:
    loads = calls("load")
    shelf = Shelf(store)
    assert (shelf.models("TEST"), shelf.unverified, loads) == (["har"], 1, [])
    found: list[Any] = []
    threads = [
        threading.Thread(target=lambda: found.append(opened(shelf, "TEST", "har")))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(it) for it in found}) == len(loads) == 1
    assert (found[0].version, shelf.unverified, shelf.refused) == (2, 0, ())


def test_pointers_count_as_they_were_when_the_store_was_listed(store: Store) -> None:
    shelf = Shelf(store)
    store.promote("TEST", "har", 1)
    assert opened(shelf, "TEST", "har").version == 2
    assert opened(Shelf(store), "TEST", "har").version == 1


def test_what_nobody_holds_is_opened_again_with_its_sums_but_no_replay(
    store: Store, calls: Count
) -> None:
    sums, replays = calls("open_verified"), calls("_replay")
    shelf = Shelf(store)
    before = opened(shelf, "TEST", "har").forecast(make_series())
    gc.collect()
    assert opened(shelf, "TEST", "har").forecast(make_series()) == before
    assert (len(sums), len(replays)) == (2, 1)
    damage(store, 2, artifact.REFERENCE)
    gc.collect()
    assert shelf.open("TEST", "har") is None
    (refusal,) = shelf.rack("TEST").refusals
    assert (refusal.version, refusal.served_version) == (2, None)
    assert "reference.npz has sha256" in refusal.reason


def test_a_version_that_was_lost_serves_again_once_it_is_back(store: Store) -> None:
    shelf = Shelf(store)
    assert opened(shelf, "TEST", "har").version == 2
    away = store.root.with_name("away")
    store.root.rename(away)
    gc.collect()
    for _ in range(2):
        assert shelf.open("TEST", "har") is None
    assert [it.reason for it in shelf.refused] == ["its folder is absent"]
    assert shelf.is_lost("TEST", "har")
    away.rename(store.root)
    assert opened(shelf, "TEST", "har").version == 2
    assert (shelf.refused, shelf.is_lost("TEST", "har")) == ((), False)


def test_an_earlier_refusal_is_told_again_once_what_took_over_is_back(store: Store) -> None:
    damage(store, 2)
    shelf = Shelf(store)
    assert opened(shelf, "TEST", "har").version == 1
    before = shelf.refused
    away = store.root.with_name("away")
    store.root.rename(away)
    gc.collect()
    assert shelf.open("TEST", "har") is None
    assert [it.version for it in shelf.refused] == [1]
    away.rename(store.root)
    assert opened(shelf, "TEST", "har").version == 1
    assert shelf.refused == before


def not_replaying(files: dict[str, bytes]) -> dict[str, bytes]:
    """The same artifact, whose reference was forecast by another model."""
    arrays = {**read_arrays(files[artifact.REFERENCE])}
    arrays["forecast"] = arrays["forecast"] * 1.001
    kept = {name: content for name, content in files.items() if name != SUMS}
    return artifact.with_sums({**kept, artifact.REFERENCE: encode_arrays(arrays)})


def write(folder: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        (folder / name).write_bytes(content)


def test_the_evidence_of_what_does_not_replay_gives_way_once_it_is_opened(store: Store) -> None:
    files = not_replaying(make_files(intercept=2e-5))
    write(store.root / "TEST" / "har" / "2", files)
    (store.root / "TEST" / "har" / "current").unlink()
    pointer = (
        '{"version": 2, "sha256": "%s", "promoted_at": "2021-01-01T00:00:00Z", "previous": [1]}'
    )
    digest = ArtifactFiles.read(store.root / "TEST" / "har" / "2").sha256
    (store.root / "TEST" / "har" / "current").write_text(pointer % digest)
    shelf = Shelf(store)
    assert (shelf.evidence("TEST")["har"].version, shelf.refused) == (2, ())
    assert opened(shelf, "TEST", "har").version == 1
    assert "moves log rv by 0.001" in shelf.refused[0].reason
    assert shelf.evidence("TEST")["har"].version == 1


def test_a_network_is_replayed_in_one_run_at_every_horizon(
    store: Store, tmp_path_factory: pytest.TempPathFactory
) -> None:
    files = make_network_files("TEST", "regimes")
    store.publish(files, promote=True)
    model = store.load("TEST", "regimes")
    windows = {"rv": read_arrays(files[artifact.REFERENCE])["rv"]}
    predictors = list(model.predictors.values())
    together = predictors[0].predict_together(predictors, windows)  # type: ignore[attr-defined]
    for predictor, values in zip(predictors, together, strict=True):
        np.testing.assert_allclose(values, predictor.predict(windows).values, rtol=1e-5)
    damaged = tmp_path_factory.mktemp("damaged")
    write(damaged, not_replaying(files))
    with pytest.raises(DamagedArtifact, match="moves log rv"):
        artifact.load(damaged, 1)


def fails(monkeypatch: pytest.MonkeyPatch, reason: int, part: str = "har/2/") -> None:
    """Let the operating system refuse to open whatever has this in its path."""
    opens = os.open

    def refuse(path: Any, *given: Any, **more: Any) -> int:
        if part in str(path):
            raise OSError(reason, os.strerror(reason), path)
        return opens(path, *given, **more)

    monkeypatch.setattr(os, "open", refuse)


@pytest.mark.parametrize("reason", [errno.EMFILE, errno.EIO, errno.ENOENT, errno.EACCES])
@pytest.mark.parametrize("read", [Shelf.open, lambda shelf, *_: shelf.evidence("TEST").get("har")])
def test_what_cannot_be_read_at_first_is_tried_again_and_nothing_takes_its_place(
    store: Store, monkeypatch: pytest.MonkeyPatch, reason: int, read: Callable[..., Any]
) -> None:
    returned: list[tuple[str, str, int]] = []
    shelf = Shelf(store, returned=lambda *of: returned.append(of))
    with monkeypatch.context() as patched:
        fails(patched, reason)
        for _ in range(2):
            assert read(shelf, "TEST", "har") is None
        assert (shelf.is_lost("TEST", "har"), shelf.models("TEST")) == (True, [])
        (refusal,) = shelf.refused
        assert (refusal.version, refusal.served_version) == (2, None)
        assert refusal.reason.endswith(f"cannot be read: {os.strerror(reason)}")
        assert shelf.lost() == [("TEST", "har")]
        assert not shelf.retry("TEST", "har")
    assert read(shelf, "TEST", "har").version == 2
    assert (shelf.refused, shelf.models("TEST"), shelf.unverified) == ((), ["har"], 0)
    assert returned == [("TEST", "har", 2)]


def test_a_pointer_that_cannot_be_read_at_first_is_read_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.promote("TEST", "har", 1)
    with monkeypatch.context() as patched:
        fails(patched, errno.EMFILE, "har/current")
        shelf = Shelf(store)
        assert shelf.open("TEST", "har") is None
        (refusal,) = shelf.refused
        assert "pointer 'current' cannot be read: Too many open files" in refusal.reason
    assert shelf.retry("TEST", "har")
    assert (opened(shelf, "TEST", "har").version, shelf.refused, shelf.lost()) == (1, (), [])


def test_a_champion_that_cannot_be_read_at_first_is_read_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.set_champion("TEST", "har")
    with monkeypatch.context() as patched:
        fails(patched, errno.EIO, "TEST/champion")
        shelf = Shelf(store)
        assert (shelf.champions, shelf.lost()) == ({}, [("TEST", CHAMPION)])
        assert not shelf.retry("TEST", CHAMPION)
        assert "Input/output error" in shelf.refused[0].reason
    assert shelf.retry("TEST", CHAMPION)
    assert (shelf.champions, shelf.refused, shelf.lost()) == ({"TEST": "har"}, (), [])


def test_a_champion_that_was_never_promoted_is_refused(store: Store) -> None:
    store.publish(make_files(model="ewma"))
    for champion, reasons in (
        ("ewma", ["it names ewma, which is not in service"]),
        ("har", []),
        ("none", ["it names none, which is not in service"]),
    ):
        (store.root / "TEST" / CHAMPION).write_text(f'{{"model": "{champion}"}}')
        rack = Shelf(store).rack("TEST")
        told = [it for it in rack.refusals if it.model == CHAMPION]
        assert [it.reason for it in told] == reasons
        assert rack.champion == champion


def test_evidence_that_can_be_read_again_tells_that_a_model_is_back(store: Store) -> None:
    shelf = Shelf(store)
    opened(shelf, "TEST", "har")
    gc.collect()
    away = store.root.with_name("away")
    store.root.rename(away)
    assert shelf.evidence("TEST") == {}
    assert shelf.is_lost("TEST", "har")
    away.rename(store.root)
    assert shelf.evidence("TEST")["har"].version == 2
    assert (shelf.refused, shelf.is_lost("TEST", "har")) == ((), False)


def test_a_version_that_took_over_is_held_to_what_passed(store: Store) -> None:
    damage(store, 2)
    shelf = Shelf(store)
    assert opened(shelf, "TEST", "har").version == 1
    gc.collect()
    write(store.root / "TEST" / "har" / "1", make_files(intercept=9e-5))
    assert shelf.open("TEST", "har") is None
    assert "its digest is not" in shelf.refused[0].reason
    write(store.root / "TEST" / "har" / "1", make_files(intercept=1e-5))
    assert opened(shelf, "TEST", "har").version == 1


def test_what_is_used_of_a_file_are_the_bytes_that_were_compared(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = Shelf(store)
    before = opened(shelf, "TEST", "har").forecast(make_series())
    gc.collect()
    read = ArtifactFiles.read
    others = make_files(intercept=9e-5)

    def and_change(folder: Path, *given: Any) -> ArtifactFiles:
        found = read(folder, *given)
        write(folder, others)
        return found

    monkeypatch.setattr(ArtifactFiles, "read", and_change)
    assert opened(shelf, "TEST", "har").forecast(make_series()) == before


def unlist(folder: Path) -> None:
    sums = (folder / SUMS).read_text().splitlines(keepends=True)
    (folder / SUMS).write_text("".join(it for it in sums if artifact.MANIFEST not in it))
    (folder / artifact.MANIFEST).unlink()


def empty(folder: Path) -> None:
    for path in folder.iterdir():
        path.write_bytes(b"")


def empty_sums(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink() if path.name != SUMS else path.write_bytes(b"")


def pipe(folder: Path) -> None:
    (folder / linear.KIND.file).unlink()
    os.mkfifo(folder / linear.KIND.file)


def broken_link(folder: Path) -> None:
    (folder / linear.KIND.file).unlink()
    (folder / linear.KIND.file).symlink_to(folder / "nothing")


def no_folder(folder: Path) -> None:
    folder.rename(folder.with_name("3"))
    folder.write_bytes(b"")


def pointer_pipe(folder: Path) -> None:
    (folder.parent / "current").unlink()
    os.mkfifo(folder.parent / "current")
    shutil.rmtree(folder)
    shutil.rmtree(folder.with_name("1"))
    folder.mkdir()


@pytest.mark.parametrize(
    "harm", [unlist, empty, empty_sums, pipe, broken_link, no_folder, pointer_pipe]
)
def test_whatever_is_wrong_with_one_model_leaves_the_others(
    store: Store, harm: Callable[[Path], None]
) -> None:
    store.publish(make_files(model="log_har"), promote=True)
    harm(store.root / "TEST" / "har" / "2")
    shelf = Shelf(store)
    assert set(shelf.evidence("TEST")) >= {"log_har"}
    assert opened(shelf, "TEST", "log_har").version == 1
    shelf.verify()
    (refusal,) = shelf.refused
    assert refusal.model == "har"


@pytest.mark.parametrize("part", ["TEST/har", "OTHER"])
def test_a_folder_that_cannot_be_listed_leaves_the_others(
    store: Store, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    for asset in ("OTHER", "TEST"):
        store.publish(make_files(asset, "log_har"), promote=True)
    scandir = os.scandir

    def refuse(path: Any) -> Any:
        if str(path).endswith(part):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    shelf = verified(store)
    assert opened(shelf, "TEST", "log_har").version == 1
    (refusal,) = shelf.refused
    assert refusal.asset == part.removesuffix("/har")
    assert "cannot be read" in refusal.reason
