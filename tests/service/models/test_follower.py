"""The store is looked at, and what it says serves."""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from structlog.testing import capture_logs

from models_store import Store, artifact
from models_store.signatures import TrustedKeys, read_private_key, sign
from models_store.succession import NewChampion, Swap
from models_store.traces import Traces
from models_store.universal.store import UniversalStore
from service.models.catalogue import AUTO, Catalogue
from service.models.follower import Follower, SwapTally
from service.models.turning import Turned, Turner
from service.settings import Settings
from tests.keys import write_keys
from tests.models_store.artifacts import make_files
from tests.models_store.universal.small import small_files
from tests.service.patience import eventually
from tests.service.worlds import ASSET, MODELS, damage


@pytest.fixture
def store(settings: Settings) -> Store:
    store = Store(settings.store_folder)
    store.publish(make_files(ASSET, "har", 3e-4))
    return store


class Followed:
    """A store, what serves of it, and what follows."""

    def __init__(self, store: Store, seconds: float = 0.0) -> None:
        self.store, self.tally = store, SwapTally()
        traces = Traces(store.root)
        self.catalogue = Catalogue(store)
        self.turner = Turner(self.catalogue)
        self.follower = Follower(self.catalogue, self.turner, traces, self.tally, seconds)

    def look(self, *again: tuple[str, str]) -> Turned:
        return self.follower.look(again)

    def version(self, model: str = "har") -> int:
        return self.catalogue.resolve(ASSET, model).model.version

    @property
    def counted(self) -> tuple[int, int]:
        return self.tally.swaps, self.tally.refused


@pytest.fixture
def followed(store: Store) -> Followed:
    return Followed(store)


def test_a_look_at_what_has_not_changed_changes_nothing(followed: Followed) -> None:
    rack = followed.catalogue.shelf.rack(ASSET)
    with capture_logs() as lines:
        assert followed.look() == Turned()
    assert followed.catalogue.shelf.rack(ASSET) is rack
    assert (followed.counted, lines) == ((0, 0), [])


def test_what_is_promoted_rolled_back_and_named_serves_after_a_look(followed: Followed) -> None:
    store = followed.store
    assert followed.version() == 1
    store.promote(ASSET, "har", 2)
    assert followed.version() == 1
    with capture_logs() as lines:
        assert followed.look() == Turned((Swap(ASSET, "har", 1, 2),))
    assert lines == [
        {"event": "model swapped", "log_level": "info", "asset": ASSET, "model": "har"}
        | {"served_before": 1, "served": 2}
    ]
    assert followed.version() == 2
    store.roll_back(ASSET, "har")
    store.set_champion(ASSET, "har")
    with capture_logs() as lines:
        found = followed.look()
    assert found.swaps == (Swap(ASSET, "har", 2, 1),)
    assert found.champions == (NewChampion(ASSET, "log_har", "har"),)
    assert [it["event"] for it in lines] == ["model swapped", "champion changed"]
    assert (followed.version(AUTO), followed.counted) == (1, (3, 0))


def test_new_assets_models_and_universal_versions_serve_after_a_look(followed: Followed) -> None:
    store = followed.store
    store.publish(make_files("NEW", "har"), promote=True)
    store.set_champion("NEW", "har")
    store.publish(make_files(ASSET, "ewma"), promote=True)
    UniversalStore(store.root).publish(small_files())
    found = followed.look()
    assert found.swaps == (
        Swap("NEW", "har", None, 1),
        Swap(ASSET, "ewma", None, 1),
        Swap("universal", "universal", None, 1),
    )
    assert followed.catalogue.numbers() == {"NEW": 1, ASSET: 1 + len(MODELS)}
    assert followed.catalogue.resolve("NEW", AUTO).degraded_reason is None
    assert followed.catalogue.universal.version == 1
    assert followed.look() == Turned()


def test_versions_that_are_made_to_be_evaluated_are_opened_once(
    followed: Followed, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, opened = UniversalStore(followed.store.root), list[int]()
    opens = UniversalStore._open

    def opening(self: UniversalStore, folder: Path, version: int, *more: Any) -> Any:
        if folder.name == str(version):  # else it is being published
            opened.append(version)
        return opens(self, folder, version, *more)

    monkeypatch.setattr(UniversalStore, "_open", opening)
    for serves in (False, False, True):
        store.publish(small_files(serves=serves))
        followed.look()
        followed.look()
    assert opened == [1, 2, 3]
    assert followed.catalogue.universal.version == 3


def test_a_bad_version_is_tried_once_and_counted_once(
    settings: Settings, followed: Followed, monkeypatch: pytest.MonkeyPatch
) -> None:
    followed.version()
    followed.store.promote(ASSET, "har", 2)
    damage(settings, "har", 2)
    loads, load = list[str](), artifact.load

    def loading(folder: Path, *given: Any, **more: Any) -> Any:
        loads.append(folder.name)
        return load(folder, *given, **more)

    monkeypatch.setattr(artifact, "load", loading)
    with capture_logs() as lines:
        assert [it.version for it in followed.look().refused] == [2]
        for _ in range(3):
            assert followed.look() == Turned()
    assert loads.count("2") == 1
    [line] = lines
    assert line.pop("reason").startswith("coefficients.json has sha256")
    assert line == {
        "event": "artifact refused",
        "log_level": "warning",
        "asset": ASSET,
        "model": "har",
        "version": 2,
        "served_version": 1,
    }
    assert (followed.version(), followed.counted) == (1, (0, 1))


def test_a_bad_version_is_tried_again_where_that_is_asked_for(
    settings: Settings, followed: Followed
) -> None:
    followed.version()
    followed.store.promote(ASSET, "har", 2)
    damage(settings, "har", 2)
    followed.look()
    assert [it.version for it in followed.look((ASSET, "har")).refused] == [2]
    assert followed.counted == (0, 1)
    damage(settings, "har", 2)  # the same bit, which is as it was then
    assert followed.look() == Turned()
    assert followed.look((ASSET, "log_har")) == Turned()
    assert followed.follower.look(None).swaps == (Swap(ASSET, "har", 1, 2),)


def test_a_version_that_was_refused_at_the_start_is_tried_again_where_that_is_asked_for(
    settings: Settings, store: Store
) -> None:
    store.promote(ASSET, "har", 2)
    for version, model in ((2, "har"), (1, "log_har")):
        damage(settings, model, version)
    followed = Followed(store)
    followed.catalogue.shelf.verify()
    refused = [(it.model, it.served_version) for it in followed.catalogue.shelf.refused]
    assert refused == [("har", 1), ("log_har", None)]
    for version, model in ((2, "har"), (1, "log_har")):
        damage(settings, model, version)
    found = followed.follower.look(None)
    assert found.swaps == (Swap(ASSET, "har", 1, 2), Swap(ASSET, "log_har", None, 1))
    assert followed.catalogue.shelf.refused == ()


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, TrustedKeys]:
    private, public = write_keys(tmp_path)
    return private, TrustedKeys.read([public])


def test_what_is_signed_after_it_was_promoted_serves_then(
    store: Store, keys: tuple[Path, TrustedKeys]
) -> None:
    """As a retrain is, on a machine that has no private key."""
    private = read_private_key(keys[0])
    for model in MODELS:
        sign(store.root / ASSET / model / "1", private)
    UniversalStore(store.root).publish(small_files())
    followed = Followed(Store(store.root, keys[1]))
    followed.catalogue.shelf.verify()
    store.promote(ASSET, "har", 2)
    store.publish(make_files(ASSET, "ewma"), promote=True)
    unsigned = {"it is not signed: SHA256SUMS.sig is missing"}
    assert {it.reason for it in followed.look().refused} == unsigned
    assert followed.version() == 1
    for folder in (f"{ASSET}/har/2", f"{ASSET}/ewma/1", "universal/1"):
        sign(store.root / folder, private)
    assert followed.look().swaps == (
        Swap(ASSET, "ewma", None, 1),
        Swap(ASSET, "har", 1, 2),
        Swap("universal", "universal", None, 1),
    )
    assert followed.catalogue.shelf.refused == ()


def test_what_cannot_be_read_is_tried_by_each_look(
    followed: Followed, monkeypatch: pytest.MonkeyPatch
) -> None:
    followed.store.promote(ASSET, "har", 2)
    load = artifact.load

    def loading(folder: Path, *given: Any, **more: Any) -> Any:
        if folder.name == "2":
            raise OSError(5, "Input/output error")
        return load(folder, *given, **more)

    with monkeypatch.context() as patched:
        patched.setattr(artifact, "load", loading)
        for _ in range(2):
            assert [it.version for it in followed.look().refused] == [2]
        assert (followed.version(), followed.counted) == (1, (0, 1))
    assert followed.look().swaps == (Swap(ASSET, "har", 1, 2),)


def test_one_asset_that_cannot_be_followed_leaves_the_others(
    followed: Followed, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn = followed.turner.turn

    def turning(asset: str, *given: Any) -> Turned:
        if asset == "A-BUG":
            raise KeyError("x")
        return turn(asset, *given)

    followed.store.publish(make_files("A-BUG", "har"), promote=True)
    followed.store.promote(ASSET, "har", 2)
    with monkeypatch.context() as patched, capture_logs() as lines:
        patched.setattr(followed.turner, "turn", turning)
        assert followed.look().swaps == (Swap(ASSET, "har", 1, 2),)
    [told] = [it for it in lines if it["log_level"] == "error"]
    assert (told["event"], told["asset"]) == ("models not followed", "A-BUG")
    assert followed.look().swaps == (Swap("A-BUG", "har", None, 1),)


def test_a_stop_ends_a_look_after_the_asset_that_is_under_way(
    followed: Followed, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn = followed.turner.turn

    def turning(asset: str, *given: Any) -> Turned:
        followed.follower.stop()
        return turn(asset, *given)

    for asset in ("A-FIRST", "B-SECOND"):
        followed.store.publish(make_files(asset, "har"), promote=True)
    monkeypatch.setattr(followed.turner, "turn", turning)
    with capture_logs() as lines:
        assert followed.look() == Turned((Swap("A-FIRST", "har", None, 1),))
    assert [it["asset"] for it in lines] == ["A-FIRST"]
    assert followed.counted == (1, 0)


@pytest.fixture
def following(store: Store) -> Iterator[Followed]:
    """Looks a hundred times a second."""
    followed = Followed(store, 0.01)
    followed.follower.start()
    yield followed
    followed.follower.stop()


def test_a_thread_looks_now_and_then(following: Followed) -> None:
    following.store.promote(ASSET, "har", 2)
    eventually(lambda: following.version() == 2)
    assert following.follower.age < 60


def test_what_the_store_notes_is_looked_at_long_before_it_is_time(store: Store) -> None:
    followed = Followed(store, 3600)
    followed.follower.start()
    store.promote(ASSET, "har", 2)
    eventually(lambda: followed.version() == 2)
    store.roll_back(ASSET, "har")
    eventually(lambda: followed.version() == 1)
    followed.follower.stop()


def test_a_thread_does_not_look_before_it_is_time_where_nothing_is_noted(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.models.follower._GLANCE", 0.001)
    glances, looks = list[None](), list[None]()
    look = Traces.look

    def counted(self: Traces) -> Mapping[str, set[str]]:
        looks.append(None)
        return look(self)

    def glance(_self: Traces) -> bool:
        glances.append(None)
        return False

    monkeypatch.setattr(Traces, "look", counted)
    monkeypatch.setattr(Traces, "are_out_of_date", glance)
    followed = Followed(store, 3600)
    followed.follower.start()
    eventually(lambda: len(glances) > 20)
    followed.follower.stop()
    assert len(looks) == 1  # of the traces themselves, when they are made


def test_a_thread_goes_on_after_whatever_happens(
    following: Followed, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = list[None]()

    def fail(_self: Traces) -> Any:
        failing.append(None)
        raise KeyError("x")

    with monkeypatch.context() as patched, capture_logs() as lines:
        patched.setattr(Traces, "look", fail)
        eventually(lambda: len(failing) > 1)
    assert "the store not looked at" in {it["event"] for it in lines}
    following.store.promote(ASSET, "har", 2)
    eventually(lambda: following.version() == 2)


class Elsewhere:
    """A mirror that is in step, or is not, or fails."""

    doubt = "it does not answer"

    def __init__(self) -> None:
        self.outcome: bool | Exception = True
        self.asked: list[bool] = []

    def follow(self, anyway: bool) -> bool:
        self.asked.append(anyway)
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


def test_a_look_counts_where_the_mirror_could_be_brought_into_step(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.monotonic()
    monkeypatch.setattr("service.models.follower.time", SimpleNamespace(monotonic=lambda: now))
    followed, mirror = Followed(store), Elsewhere()
    follower = followed.follower
    assert follower.doubt is None
    follower._mirror = mirror  # type: ignore[assignment]
    assert follower.doubt == "it does not answer"
    ages, full = [], OSError(28, "No space left on device")
    for outcome in (False, full, True):
        mirror.outcome = outcome
        now += 5
        with capture_logs() as lines:
            follower.look()
        ages.append(follower.age)
        told = [(it["log_level"], it["event"], it["reason"]) for it in lines]
        warned = ("warning", "the store's mirror cannot be written", str(full))
        assert told == ([warned] if outcome is full else [])
    assert ages == [5, 10, 0]
    follower.look(None)
    assert mirror.asked == [False, False, False, True]


def test_a_look_that_is_under_way_ends_at_a_stop(followed: Followed) -> None:
    followed.store.promote(ASSET, "har", 2)
    followed.follower.stop()
    assert followed.look() == Turned()
    assert followed.version() == 1


def test_a_thread_looks_when_it_is_time(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five seconds after the look before began, of which 0.2 pass between two glances."""
    clock, waits, looks = [100.0], list[float](), list[float]()
    own = SimpleNamespace(monotonic=lambda: clock[0])
    monkeypatch.setattr("service.models.follower.time", own)
    monkeypatch.setattr(Traces, "are_out_of_date", lambda _: False)
    follower = Followed(store, 5.0).follower

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        clock[0] += 1.0
        return len(waits) > 11

    def look() -> None:
        looks.append(clock[0] - 100)
        clock[0] += 0.5  # it takes a while

    monkeypatch.setattr(follower, "_stopping", SimpleNamespace(wait=wait))
    monkeypatch.setattr(follower, "look", look)
    follower._run()
    assert (set(waits), looks) == ({0.2}, [5.0, 10.5])
    follower._seconds, waits[:] = 0.1, []
    follower._run()
    assert set(waits) == {0.1}


def test_none_looks_where_that_is_so_set(followed: Followed) -> None:
    followed.follower.start()
    assert not followed.follower._thread.is_alive()
    followed.follower.stop()


def test_a_store_that_is_not_looked_at_is_told_of(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.monotonic()
    monkeypatch.setattr("service.models.follower.time", SimpleNamespace(monotonic=lambda: now))
    often, never = Followed(store, 5.0).follower, Followed(store).follower
    now += 70
    assert (often.age, often.is_late, never.is_late) == (70, False, False)
    now += 1
    assert (often.is_late, never.is_late) == (True, False)
    often.look()
    assert (often.age, often.is_late) == (0, False)
