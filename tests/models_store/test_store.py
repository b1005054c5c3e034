import multiprocessing
import os
import random
import shutil
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from models_store import LoadedModel, artifact
from models_store.errors import ArtifactRefused
from models_store.predictors import linear
from models_store.shelf import Shelf
from models_store.shipped import begin_store, is_begun, open_store, shipped_artifacts
from models_store.signatures import SUMS
from models_store.store import Store
from tests.models_store.artifacts import flip_byte, make_files, make_series, opened, verified
from volatility.errors import InvalidInput, UnknownAsset, UnknownModel, UnknownVersion


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def publish_and_promote(
    store: Store, intercept: float = 1e-5, asset: str = "TEST", model: str = "har"
) -> int:
    version = store.publish(make_files(asset, model, intercept))
    store.promote(asset, model, version)
    return version


def forecast(store: Store) -> float:
    return store.load("TEST", "har").forecast(make_series()).rv


def test_a_published_version_does_not_serve_until_it_is_promoted(store: Store) -> None:
    version = store.publish(make_files())
    assert store.versions("TEST", "har") == [version] == [1]
    assert store.current("TEST", "har") is None
    with pytest.raises(UnknownModel, match="asset TEST has no model 'har' in service"):
        store.load("TEST", "har")
    store.promote("TEST", "har", version)
    assert store.current("TEST", "har") == 1
    assert store.load("TEST", "har").version == 1


def test_promoting_changes_what_serves_and_rolling_back_changes_it_back(store: Store) -> None:
    publish_and_promote(store, intercept=1e-5)
    first = forecast(store)
    publish_and_promote(store, intercept=2e-5)
    assert forecast(store) == pytest.approx(first + 1e-5, rel=1e-12)
    assert store.roll_back("TEST", "har") == 1
    assert forecast(store) == first
    with pytest.raises(UnknownVersion, match="no earlier version"):
        store.roll_back("TEST", "har")


def test_current_is_a_pointer_and_not_the_highest_number(store: Store) -> None:
    publish_and_promote(store, intercept=1e-5)
    store.publish(make_files(intercept=2e-5))
    assert store.versions("TEST", "har") == [1, 2]
    assert store.load("TEST", "har").version == 1


def test_listing_names_assets_models_and_versions(store: Store) -> None:
    publish_and_promote(store)
    publish_and_promote(store, model="log_har")
    publish_and_promote(store, asset="OTHER")
    assert store.assets() == ["OTHER", "TEST"]
    assert store.models("TEST") == ["har", "log_har"]
    assert store.models("ABSENT") == []


def test_the_champion_must_be_in_service(store: Store) -> None:
    with pytest.raises(UnknownAsset, match="no models are published for asset 'TEST'"):
        store.set_champion("TEST", "har")
    publish_and_promote(store)
    assert store.champion("TEST") is None
    with pytest.raises(UnknownModel, match="log_har"):
        store.set_champion("TEST", "log_har")
    store.set_champion("TEST", "har")
    assert store.champion("TEST") == "har"


@pytest.mark.parametrize("name", sorted(make_files()))
def test_one_flipped_byte_in_any_file_is_refused_with_its_reason(store: Store, name: str) -> None:
    publish_and_promote(store)
    path = store.root / "TEST" / "har" / "1" / name
    content = path.read_bytes()
    for position in (0, len(content) // 2, len(content) - 2):
        path.write_bytes(flip_byte(content, position))
        with pytest.raises(ArtifactRefused) as refused:
            store.load("TEST", "har")
        assert refused.value.reason
        assert "TEST/har/1" in str(refused.value)
    path.write_bytes(content)
    assert store.load("TEST", "har").version == 1


def test_a_missing_or_unlisted_file_is_refused(store: Store) -> None:
    publish_and_promote(store)
    folder = store.root / "TEST" / "har" / "1"
    (folder / "extra.txt").write_text("?")
    with pytest.raises(ArtifactRefused, match=r"extra\.txt"):
        store.load("TEST", "har")
    (folder / "extra.txt").unlink()
    (folder / artifact.REFERENCE).unlink()
    with pytest.raises(ArtifactRefused, match=r"reference\.npz"):
        store.load("TEST", "har")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (artifact.MANIFEST, b"{}", "manifest.json does not fit its schema"),
        (linear.KIND.file, b"{}", "the model cannot be opened"),
        (artifact.EVALUATION, b"nothing", "evaluation.npz cannot be read"),
        (artifact.REFERENCE, b"nothing", "reference.npz cannot be replayed"),
    ],
)
def test_a_file_that_does_not_open_is_refused_though_its_sum_is_right(
    store: Store, name: str, content: bytes, said: str
) -> None:
    publish_and_promote(store)
    files = {key: it for key, it in make_files().items() if key != SUMS} | {name: content}
    for file, written in artifact.with_sums(files).items():
        (store.root / "TEST" / "har" / "1" / file).write_bytes(written)
    with pytest.raises(ArtifactRefused, match=said) as refused:
        store.load("TEST", "har")
    assert (refused.value.model, refused.value.version) == ("har", 1)


def test_a_version_swapped_behind_the_pointer_is_refused(store: Store) -> None:
    publish_and_promote(store, intercept=1e-5)
    store.publish(make_files(intercept=2e-5))
    folder = store.root / "TEST" / "har"
    (folder / "1").rename(folder / "9")
    (folder / "2").rename(folder / "1")
    with pytest.raises(ArtifactRefused, match="not the promoted one"):
        store.load("TEST", "har")


def test_a_version_of_another_asset_or_model_is_refused(store: Store) -> None:
    """Its sums are right: a folder was copied, or named by hand."""
    store.publish(make_files())
    shutil.copytree(store.root / "TEST" / "har", store.root / "OTHER" / "log_har")
    with pytest.raises(ArtifactRefused, match="its manifest is that of TEST/har") as refused:
        store.load("OTHER", "log_har", 1)
    error = refused.value
    assert (error.asset, error.model, error.version) == ("OTHER", "log_har", 1)


def test_an_artifact_that_does_not_replay_is_not_published(store: Store) -> None:
    files = make_files(intercept=1e-5)
    other = make_files(intercept=2e-5)
    files[linear.KIND.file] = other[linear.KIND.file]
    files[SUMS] = b"".join(
        line if linear.KIND.file.encode() not in line else other_line
        for line, other_line in zip(
            files[SUMS].splitlines(keepends=True),
            other[SUMS].splitlines(keepends=True),
            strict=True,
        )
    )
    with pytest.raises(ArtifactRefused, match="replaying"):
        store.publish(files)
    assert store.versions("TEST", "har") == []
    assert [path.name for path in (store.root / "TEST" / "har").iterdir()] == [".lock"]


def test_a_shelf_refuses_what_is_damaged_and_serves_the_version_before(store: Store) -> None:
    publish_and_promote(store, intercept=1e-5)
    publish_and_promote(store, intercept=2e-5)
    publish_and_promote(store, model="log_har")
    path = store.root / "TEST" / "har" / "2" / linear.KIND.file
    path.write_bytes(flip_byte(path.read_bytes(), 5))
    shelf = verified(store)
    assert opened(shelf, "TEST", "har").version == 1
    assert opened(shelf, "TEST", "log_har").version == 1
    (refusal,) = shelf.refused
    assert (refusal.model, refusal.version, refusal.served_version) == ("har", 2, 1)
    assert "coefficients.json has sha256" in refusal.reason


def damage(store: Store, version: int) -> None:
    path = store.root / "TEST" / "har" / str(version) / linear.KIND.file
    path.write_bytes(flip_byte(path.read_bytes(), 5))


def test_a_shelf_refuses_a_version_swapped_behind_the_pointer(store: Store) -> None:
    """By its files as by its evidence, before anything of it has passed."""
    publish_and_promote(store, intercept=1e-5)
    store.publish(make_files(intercept=2e-5))
    folder = store.root / "TEST" / "har"
    (folder / "1").rename(folder / "9")
    (folder / "2").rename(folder / "1")
    for read in (lambda it: it.open("TEST", "har"), lambda it: it.rack("TEST").evidence()):
        shelf = Shelf(store)
        assert not read(shelf)
        (refusal,) = shelf.refused
        assert (refusal.model, refusal.version) == ("har", 1)
        assert "not the promoted one" in refusal.reason


def test_of_several_earlier_versions_that_serves_which_served_last(store: Store) -> None:
    for intercept in (1e-5, 2e-5, 3e-5, 4e-5):
        store.publish(make_files(intercept=intercept))
    for version in (1, 3, 2):  # 4 never served
        store.promote("TEST", "har", version)
    for damaged, serves in ((2, 3), (3, 1), (1, None)):
        damage(store, damaged)
        shelf = verified(store)
        served = shelf.open("TEST", "har")
        assert (served.version if served else None) == serves
        (refusal,) = shelf.refused
        assert (refusal.version, refusal.served_version) == (2, serves)


def test_nothing_takes_the_place_of_a_version_whose_folder_is_gone(store: Store) -> None:
    publish_and_promote(store, intercept=1e-5)
    publish_and_promote(store, intercept=2e-5)
    folder = store.root / "TEST" / "har" / "2"
    folder.rename(folder.with_name("gone"))
    shelf = verified(store)
    assert shelf.open("TEST", "har") is None
    (refusal,) = shelf.refused
    assert (refusal.version, refusal.reason) == (2, "its folder is absent")
    folder.with_name("gone").rename(folder)
    assert opened(shelf, "TEST", "har").version == 2
    assert shelf.refused == ()


def test_a_version_that_served_before_and_was_deleted_is_passed_over(store: Store) -> None:
    for intercept in (1e-5, 2e-5, 3e-5):
        publish_and_promote(store, intercept=intercept)
    shutil.rmtree(store.root / "TEST" / "har" / "2")
    damage(store, 3)
    shelf = verified(store)
    assert opened(shelf, "TEST", "har").version == 1
    assert [(it.version, it.served_version) for it in shelf.refused] == [(3, 1)]


def test_behind_an_unreadable_pointer_the_newest_version_that_passes_serves(store: Store) -> None:
    for intercept in (1e-5, 2e-5, 3e-5):
        publish_and_promote(store, intercept=intercept)
    (store.root / "TEST" / "har" / "current").write_bytes(b"?")
    for damaged, serves in ((None, 3), (3, 2), (2, 1), (1, None)):
        if damaged:
            damage(store, damaged)
        shelf = verified(store)
        served = shelf.open("TEST", "har")
        assert (served.version if served else None) == serves
        (refusal,) = shelf.refused
        assert (refusal.version, refusal.served_version) == (None, serves)
        assert "its pointer 'current' cannot be read" in refusal.reason


def test_refusals_are_in_one_order_whatever_is_opened_first(store: Store) -> None:
    names = [(asset, model) for asset in ("A", "B") for model in ("a", "b", "c")]
    for asset, model in names:
        publish_and_promote(store, asset=asset, model=model)
    for asset, model in names[::2]:
        path = store.root / asset / model / "1" / linear.KIND.file
        path.write_bytes(flip_byte(path.read_bytes(), 5))
    shelf = Shelf(store)
    for asset, model in reversed(names):
        shelf.open(asset, model)
    assert [(it.asset, it.model) for it in shelf.refused] == names[::2]
    served = [(asset, model) for asset in shelf.assets() for model in shelf.models(asset)]
    assert served == names[1::2]


def test_a_bug_while_loading_is_not_passed_over(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_and_promote(store)

    def fail(*_given: object, **_more: object) -> LoadedModel:
        raise RuntimeError("a bug")

    monkeypatch.setattr(artifact, "load", fail)
    with pytest.raises(RuntimeError, match="a bug"):
        verified(store)


def test_a_shelf_without_an_earlier_version_leaves_the_model_out(store: Store) -> None:
    publish_and_promote(store)
    path = store.root / "TEST" / "har" / "1" / artifact.MANIFEST
    path.write_bytes(flip_byte(path.read_bytes(), 5))
    shelf = verified(store)
    assert shelf.models("TEST") == []
    assert shelf.refused[0].served_version is None


@pytest.mark.parametrize("pointer", ["TEST/har/current", "TEST/champion"])
def test_an_unreadable_pointer_is_reported_and_can_be_mended(store: Store, pointer: str) -> None:
    publish_and_promote(store)
    store.set_champion("TEST", "har")
    path = store.root / pointer
    path.write_bytes(flip_byte(path.read_bytes(), 0))
    shelf = verified(store)
    assert opened(shelf, "TEST", "har").version == 1
    assert len(shelf.refused) == 1
    store.promote("TEST", "har", 1)
    store.set_champion("TEST", "har")
    assert verified(store).refused == ()


def test_a_version_restored_with_other_content_serves_once_it_is_promoted_again(
    store: Store,
) -> None:
    publish_and_promote(store, intercept=1e-5)
    publish_and_promote(store, intercept=2e-5)
    folder = store.root / "TEST" / "har"
    (folder / "2").rename(folder / "3")
    (folder / "1").rename(folder / "2")
    with pytest.raises(ArtifactRefused, match="not the promoted one"):
        store.load("TEST", "har")
    store.promote("TEST", "har", 2)
    assert store.load("TEST", "har").version == 2


def test_promoting_what_serves_already_still_checks_it(store: Store) -> None:
    publish_and_promote(store)
    pointer = (store.root / "TEST" / "har" / "current").read_bytes()
    store.promote("TEST", "har", 1)
    assert (store.root / "TEST" / "har" / "current").read_bytes() == pointer
    path = store.root / "TEST" / "har" / "1" / linear.KIND.file
    path.write_bytes(flip_byte(path.read_bytes(), 5))
    with pytest.raises(ArtifactRefused, match=r"coefficients\.json"):
        store.promote("TEST", "har", 1)


def test_a_version_is_found_by_its_digest_unless_it_is_damaged(store: Store) -> None:
    publish_and_promote(store, intercept=1e-5)
    digest = store.load("TEST", "har").sha256
    publish_and_promote(store, intercept=2e-5)
    assert store.find("TEST", "har", digest) == 1
    assert store.find("TEST", "har", "0" * 64) is None
    path = store.root / "TEST" / "har" / "1" / linear.KIND.file
    path.write_bytes(flip_byte(path.read_bytes(), 5))
    assert store.find("TEST", "har", digest) is None


def test_folders_that_are_no_models_are_passed_over(store: Store) -> None:
    publish_and_promote(store)
    for name in (
        "lost+found/x/1",
        "TEST/old-har/1",
        "TEST/har/01",
        "TEST/har/²",
    ):
        (store.root / name).mkdir(parents=True)
    shelf = verified(store)
    assert {asset: shelf.models(asset) for asset in shelf.assets()} == {"TEST": ["har"]}
    assert shelf.refused == ()
    assert store.versions("TEST", "har") == [1]


def test_a_file_that_cannot_be_read_is_refused(store: Store) -> None:
    publish_and_promote(store)
    path = store.root / "TEST" / "har" / "1" / artifact.REFERENCE
    path.unlink()
    path.mkdir()
    (refusal,) = verified(store).refused
    assert "reference.npz is no regular file" in refusal.reason


def test_a_disk_that_fills_up_leaves_nothing_behind(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_and_promote(store)
    flush, calls = os.fsync, iter(range(100))

    def full(descriptor: int) -> None:
        if next(calls) == 3:
            raise OSError(28, "No space left on device")
        flush(descriptor)

    monkeypatch.setattr("models_store.atomic.os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        store.publish(make_files(intercept=2e-5))
    assert store.versions("TEST", "har") == [1]
    names = {path.name for path in (store.root / "TEST" / "har").iterdir()}
    assert names == {".lock", "1", "current"}


@pytest.mark.parametrize("name", ["", "../etc", "a/b", ".hidden", "x" * 33, "BTC-USD\n"])
def test_an_asset_name_cannot_leave_the_store(store: Store, name: str) -> None:
    with pytest.raises(InvalidInput, match="asset name"):
        store.models(name)


@pytest.mark.parametrize("name", ["", "../har", "Har", "har\n", "champion"])
def test_a_model_name_cannot_leave_the_asset_s_folder(store: Store, name: str) -> None:
    with pytest.raises(InvalidInput, match="model name"):
        store.versions("TEST", name)


def test_opening_a_new_store_puts_the_shipped_models_there_once(tmp_path: Path) -> None:
    store = open_store(tmp_path / "deep" / "store")
    assert store.assets() == Store(shipped_artifacts()).assets()
    (store.root / "mark").touch()
    assert (open_store(store.root).root / "mark").exists()
    assert [path.name for path in store.root.parent.iterdir()] == ["store"]
    assert {it.name for it in store.root.iterdir() if it.name.startswith(".")} == {".lock"}


def test_a_first_start_that_was_killed_is_completed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = Store(tmp_path / "package")
    for asset in ("A", "B"):
        package.promote(asset, "har", package.publish(make_files(asset)))
    monkeypatch.setattr("models_store.shipped.shipped_artifacts", lambda: package.root)
    rename = Path.rename

    def killed(self: Path, target: Path) -> Path:
        if self.name == "B":
            raise KeyboardInterrupt
        return rename(self, target)

    store = Store(tmp_path / "store")
    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", killed)
        with pytest.raises(KeyboardInterrupt):
            open_store(store.root)
    (store.root / ".unfinished-1" / "A").mkdir(parents=True)
    assert store.assets() == ["A"]
    assert not is_begun(store.root)
    assert open_store(store.root).assets() == ["A", "B"]
    assert is_begun(store.root)
    assert sorted(path.name for path in store.root.iterdir()) == [".changed", ".lock", "A", "B"]


def test_an_empty_folder_is_a_store_of_ones_own(tmp_path: Path) -> None:
    """A retrain may begin with its own models alone; the service asks for more before it opens."""
    assert open_store(tmp_path).assets() == []
    begin_store(tmp_path)  # a store is there by now: it has the model for every asset
    assert Store(tmp_path).assets() == []


def test_several_first_starts_at_once_make_one_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = Store(tmp_path / "package")
    publish_and_promote(package)
    monkeypatch.setattr("models_store.shipped.shipped_artifacts", lambda: package.root)
    with ThreadPoolExecutor(4) as pool:
        stores = list(pool.map(open_store, [tmp_path / "store"] * 4))
    assert [it.load("TEST", "har").version for it in stores] == [1] * 4
    assert sorted(path.name for path in stores[0].root.iterdir()) == [".changed", ".lock", "TEST"]


def test_a_store_from_a_package_that_is_read_only_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "package"
    publish_and_promote(Store(package))
    for path in (package, *package.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    monkeypatch.setattr("models_store.shipped.shipped_artifacts", lambda: package)
    store = open_store(tmp_path / "store")
    assert all(path.stat().st_mode & 0o200 for path in store.root.rglob("*"))
    assert store.load("TEST", "har").version == 1


def test_a_first_start_that_fails_leaves_no_store_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full() -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("models_store.shipped.os.sync", full)
    with pytest.raises(OSError, match="No space left"):
        open_store(tmp_path / "store")
    names = sorted(path.name for path in (tmp_path / "store").iterdir())
    assert names == [".beginning", ".lock"]  # the next start goes on from there
    assert not is_begun(tmp_path / "store")


def test_concurrent_publications_get_versions_of_their_own(store: Store) -> None:
    versions: list[int] = []
    threads = [
        threading.Thread(target=lambda: versions.append(store.publish(make_files())))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(versions) == list(range(1, 9))


def _publish_forever(root: Path) -> None:
    store = Store(root)
    for step in range(10_000):
        publish_and_promote(store, intercept=1e-5 * (1 + step % 7))
        store.set_champion("TEST", "har")


def test_a_writer_killed_at_any_moment_leaves_a_store_that_serves(store: Store) -> None:
    publish_and_promote(store)
    store.set_champion("TEST", "har")
    context = multiprocessing.get_context("spawn")
    rng = random.Random(0)
    for _ in range(6):
        writer = context.Process(target=_publish_forever, args=(store.root,))
        writer.start()
        before = len(store.versions("TEST", "har"))
        deadline = time.monotonic() + 60
        while len(store.versions("TEST", "har")) == before and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(rng.uniform(0, 0.05))
        assert writer.pid is not None
        os.kill(writer.pid, signal.SIGKILL)
        writer.join()
        shelf = verified(store)
        assert shelf.refused == ()
        assert shelf.champions == {"TEST": "har"}
        assert opened(shelf, "TEST", "har").forecast(make_series()).rv > 0
        for version in store.versions("TEST", "har")[before - 1 :]:  # promoted or not
            store.verify("TEST", "har", version)
    publish_and_promote(store)  # the lock died with its holder
    folder = store.root / "TEST" / "har"
    assert not list(folder.glob(".unfinished-*"))
