"""What the store says now is tried beside what serves."""

import errno
import gc
import os
from pathlib import Path
from typing import Any

import pytest

from models_store import Refusal, artifact
from models_store.names import CHAMPION
from models_store.shelf import Shelf
from models_store.store import Store
from models_store.succession import NewChampion, Succession, Swap, succeed
from tests.models_store.artifacts import flip_byte, make_files, opened

INTERCEPTS = (1e-5, 2e-5, 3e-5)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Two models, one with three versions of which the first serves."""
    store = Store(tmp_path)
    for intercept in INTERCEPTS:
        store.publish(make_files(intercept=intercept))
    store.promote("TEST", "har", 1)
    store.publish(make_files(model="log_har"), promote=True)
    store.set_champion("TEST", "har")
    return store


@pytest.fixture
def shelf(store: Store) -> Shelf:
    shelf = Shelf(store)
    shelf.verify()
    return shelf


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Versions that are loaded."""
    load, found = artifact.load, list[str]()

    def counted(folder: Path, *given: Any, **more: Any) -> Any:
        found.append(folder.name)
        return load(folder, *given, **more)

    monkeypatch.setattr(artifact, "load", counted)
    return found


def damage(store: Store, version: int, model: str = "har") -> Path:
    path = store.root / "TEST" / model / str(version) / "coefficients.json"
    path.write_bytes(flip_byte(path.read_bytes(), 5))
    return path


def follow(shelf: Shelf, *names: str, **how: Any) -> Succession:
    """Let serve what is found; the first look may tell that what serves cannot, either."""
    for _ in range(2):
        found = succeed(shelf, "TEST", names, **how)
        if shelf.exchange("TEST", found.before, found.after):
            return found
    raise AssertionError("the racks are not exchanged")


def test_a_new_version_is_tried_beside_the_one_that_serves(store: Store, shelf: Shelf) -> None:
    before = shelf.rack("TEST")
    store.promote("TEST", "har", 2)
    found = succeed(shelf, "TEST", ["har"])
    assert found.swaps == (Swap("TEST", "har", 1, 2),)
    assert (found.refused, found.champions, found.unreadable) == ((), (), frozenset())
    assert found.before is shelf.rack("TEST") is before
    assert opened(shelf, "TEST", "har").version == 1
    [model] = found.opened
    assert found.after.open("har") is model
    assert model.version == 2
    assert found.after.places["log_har"] is before.places["log_har"]
    assert shelf.exchange("TEST", found.before, found.after)
    assert opened(shelf, "TEST", "har").version == 2


def test_what_has_not_changed_is_not_read(store: Store, shelf: Shelf, loads: list[str]) -> None:
    found = succeed(shelf, "TEST", ["har", "log_har", CHAMPION])
    assert found.after is found.before
    store.promote("TEST", "har", 2)
    store.roll_back("TEST", "har")
    found = succeed(shelf, "TEST", ["har"], anyway=["har"])
    assert (found.after, found.swaps, loads) == (found.before, (), ["2", "1"])  # by the store


def test_a_version_that_fails_is_held_back_until_the_pointer_is_another(
    store: Store, shelf: Shelf, loads: list[str]
) -> None:
    told: list[Refusal] = []
    shelf._told = told.append
    before = shelf.rack("TEST")
    store.promote("TEST", "har", 2)
    store.promote("TEST", "har", 3)
    damage(store, 3)
    found = follow(shelf, "har")
    refusal = Refusal("TEST", "har", 3, found.refused[0].reason, 1)
    assert list(found.refused) == list(shelf.refused) == [refusal]
    assert "coefficients.json has sha256" in refusal.reason
    assert shelf.rack("TEST").places == before.places
    assert shelf.models("TEST") == ["har", "log_har"]
    loads.clear()
    again = succeed(shelf, "TEST", ["har"])
    assert (again.after, again.refused, loads) == (again.before, (), [])
    assert opened(shelf, "TEST", "har").version == 1  # which opens it again, and tells of that
    assert list(shelf.refused) == [refusal]
    store.roll_back("TEST", "har")
    found = follow(shelf, "har")
    assert found.swaps == (Swap("TEST", "har", 1, 2),)
    assert shelf.refused == ()
    assert told == []  # but by whoever exchanges racks


def test_a_version_that_fails_is_forgotten_where_the_one_that_serves_is_promoted_again(
    store: Store, shelf: Shelf
) -> None:
    store.promote("TEST", "har", 2)
    damage(store, 2)
    follow(shelf, "har")
    assert [it.version for it in shelf.refused] == [2]
    store.roll_back("TEST", "har")
    found = follow(shelf, "har")
    assert (found.swaps, shelf.refused) == ((), ())


def test_what_is_held_back_can_be_tried_again(store: Store, shelf: Shelf) -> None:
    store.promote("TEST", "har", 2)
    path = damage(store, 2)
    follow(shelf, "har")
    found = succeed(shelf, "TEST", ["har"], anyway=["har"])
    assert (found.after, len(found.refused)) == (found.before, 1)
    path.write_bytes(flip_byte(path.read_bytes(), 5))
    assert succeed(shelf, "TEST", ["har"]).after is shelf.rack("TEST")
    found = follow(shelf, "har", anyway=["har"])
    assert (found.swaps, shelf.refused) == ((Swap("TEST", "har", 1, 2),), ())


def test_what_cannot_be_read_is_to_be_tried_again(
    store: Store, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    opens = os.open
    store.promote("TEST", "har", 2)
    with monkeypatch.context() as patched:

        def refuse(path: Any, *given: Any, **more: Any) -> int:
            if "har/2/" in str(path):
                raise OSError(errno.EIO, os.strerror(errno.EIO), path)
            return opens(path, *given, **more)

        patched.setattr(os, "open", refuse)
        found = follow(shelf, "har")
        assert found.unreadable == {"har"}
        assert [(it.version, it.served_version) for it in shelf.refused] == [(2, 1)]
        assert "Input/output error" in shelf.refused[0].reason
        again = succeed(shelf, "TEST", ["har"], anyway=["har"])
        assert again.after is again.before
        assert again.unreadable == {"har"}
    found = follow(shelf, "har", anyway=["har"])
    assert (found.swaps, found.unreadable) == ((Swap("TEST", "har", 1, 2),), frozenset())
    assert shelf.refused == ()


@pytest.mark.parametrize(("content", "said"), [("{}", "validation error"), ("no", "Invalid JSON")])
def test_a_pointer_that_says_nothing_is_held_back(
    store: Store, shelf: Shelf, content: str, said: str
) -> None:
    (store.root / "TEST" / "har" / "current").write_text(content)
    follow(shelf, "har")
    [refusal] = shelf.refused
    assert (refusal.version, refusal.served_version) == (None, 1)
    assert "its pointer 'current' cannot be read" in refusal.reason
    assert said in refusal.reason
    assert opened(shelf, "TEST", "har").version == 1


def test_what_serves_goes_on_without_its_pointer_and_without_its_folder(
    store: Store, shelf: Shelf
) -> None:
    model = opened(shelf, "TEST", "har")
    (store.root / "TEST" / "har" / "current").unlink()
    assert succeed(shelf, "TEST", ["har"]).after is shelf.rack("TEST")
    (store.root / "TEST").rename(store.root / "AWAY")
    assert succeed(shelf, "TEST", ["har", CHAMPION]).after is shelf.rack("TEST")
    assert shelf.open("TEST", "har") is model


def test_a_model_that_is_new_counts_as_at_a_start(store: Store, shelf: Shelf) -> None:
    for intercept in (1e-5, 2e-5):
        store.publish(make_files(model="ewma", intercept=intercept), promote=True)
    store.publish(make_files(model="last_value"), promote=True)
    damage(store, 2, "ewma")
    damage(store, 1, "last_value")
    found = follow(shelf, "ewma", "last_value")
    assert found.swaps == (Swap("TEST", "ewma", None, 1),)
    assert [(it.model, it.version, it.served_version) for it in found.refused] == [
        ("ewma", 2, 1),
        ("last_value", 1, None),
    ]
    assert found.refused == shelf.refused
    assert shelf.models("TEST") == ["ewma", "har", "log_har"]
    assert list(shelf.rack("TEST").places) == ["ewma", "har", "last_value", "log_har"]


def test_an_asset_that_is_new_is_found_whole(store: Store, shelf: Shelf) -> None:
    store.publish(make_files("NEW", "har"), promote=True)
    store.set_champion("NEW", "har")
    found = succeed(shelf, "NEW", ["har", CHAMPION])
    assert found.swaps == (Swap("NEW", "har", None, 1),)
    assert found.champions == (NewChampion("NEW", None, "har"),)
    assert shelf.exchange("NEW", found.before, found.after)
    assert shelf.assets() == ["NEW", "TEST"]
    assert shelf.champions == {"NEW": "har", "TEST": "har"}


def test_an_asset_that_could_not_be_listed_is_left_to_who_lists_it(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(Store, "listing", lambda _self: {"TEST": []})
        shelf = Shelf(store)
    store.promote("TEST", "har", 2)
    found = succeed(shelf, "TEST", ["har", CHAMPION])
    assert found.after is found.before
    assert shelf.retry("TEST", CHAMPION)
    assert opened(shelf, "TEST", "har").version == 2


def test_a_version_takes_the_place_of_one_that_was_refused_for_good(store: Store) -> None:
    damage(store, 1)
    shelf = Shelf(store)
    store.promote("TEST", "har", 2)  # while nobody has asked for the one before
    damage(store, 2)
    found = follow(shelf, "har")
    assert [(it.version, it.served_version) for it in shelf.refused] == [(2, None)]
    assert (found.swaps, shelf.models("TEST")) == ((), ["log_har"])
    store.promote("TEST", "har", 3)
    found = follow(shelf, "har")
    assert (found.swaps, shelf.refused) == ((Swap("TEST", "har", None, 3),), ())


def test_what_serves_is_told_though_nobody_has_asked_for_it(store: Store) -> None:
    shelf = Shelf(store)
    store.promote("TEST", "har", 2)
    assert succeed(shelf, "TEST", ["har"]).swaps == (Swap("TEST", "har", 1, 2),)
    damage(store, 2)
    found = succeed(shelf, "TEST", ["har"])
    assert [(it.version, it.served_version) for it in found.refused] == [(2, 1)]


def test_a_version_that_took_over_goes_on_where_the_next_one_fails(store: Store) -> None:
    for version in (2, 3):
        store.promote("TEST", "har", version)
    damage(store, 3)
    shelf = Shelf(store)
    shelf.verify()
    assert [(it.version, it.served_version) for it in shelf.refused] == [(3, 2)]
    store.publish(make_files(intercept=4e-5), promote=True)
    damage(store, 4)
    follow(shelf, "har")
    assert [(it.version, it.served_version) for it in shelf.refused] == [(4, 2)]
    store.promote("TEST", "har", 2)
    found = follow(shelf, "har")
    assert (found.swaps, shelf.refused) == ((), ())  # it is what serves, as is meant now
    assert opened(shelf, "TEST", "har").version == 2


def test_a_lost_model_is_read_again_where_that_is_asked_for(store: Store, shelf: Shelf) -> None:
    folder = store.root / "TEST" / "har" / "1"
    folder.rename(folder.with_name("away"))
    gc.collect()
    assert shelf.open("TEST", "har") is None
    assert succeed(shelf, "TEST", ["har"], anyway=["har"]).after is shelf.rack("TEST")
    folder.with_name("away").rename(folder)
    assert succeed(shelf, "TEST", ["har"]).after is shelf.rack("TEST")
    assert shelf.is_lost("TEST", "har")
    succeed(shelf, "TEST", ["har"], anyway=["har"])
    assert not shelf.is_lost("TEST", "har")


def test_another_champion_is_followed(store: Store, shelf: Shelf) -> None:
    store.set_champion("TEST", "log_har")
    found = follow(shelf, CHAMPION)
    assert found.champions == (NewChampion("TEST", "har", "log_har"),)
    assert shelf.champions == {"TEST": "log_har"}
    (store.root / "TEST" / "champion").unlink()
    assert succeed(shelf, "TEST", [CHAMPION]).after is shelf.rack("TEST")


def name(store: Store, content: str) -> None:
    (store.root / "TEST" / "champion").write_text(content)


def test_a_champion_that_cannot_be_is_held_back(store: Store, shelf: Shelf) -> None:
    name(store, "{")
    follow(shelf, CHAMPION)
    [refusal] = shelf.refused
    assert (refusal.model, refusal.version) == (CHAMPION, None)
    assert "unreadable pointer" in refusal.reason
    name(store, '{"model": "ewma"}')
    follow(shelf, CHAMPION)
    assert [it.reason for it in shelf.refused] == ["it names ewma, which is not in service"]
    assert shelf.champions == {"TEST": "har"}
    name(store, '{"model": "har"}')
    found = follow(shelf, CHAMPION)
    assert (found.champions, shelf.refused) == ((), ())


def test_a_champion_may_come_before_its_model(store: Store, shelf: Shelf) -> None:
    """A look may have passed a model by the time that it is promoted and named."""
    name(store, '{"model": "ewma"}')
    follow(shelf, CHAMPION)
    store.publish(make_files(model="ewma"), promote=True)
    found = follow(shelf, "ewma")
    assert found.champions == (NewChampion("TEST", "har", "ewma"),)
    assert (shelf.champions, shelf.refused) == ({"TEST": "ewma"}, ())


def test_a_champion_that_cannot_be_read_is_to_be_read_again(
    store: Store, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    opens = os.open
    name(store, '{"model": "log_har"}')
    with monkeypatch.context() as patched:

        def refuse(path: Any, *given: Any, **more: Any) -> int:
            if str(path).endswith("champion"):
                raise OSError(errno.EIO, os.strerror(errno.EIO), path)
            return opens(path, *given, **more)

        patched.setattr(os, "open", refuse)
        found = follow(shelf, CHAMPION)
        assert found.unreadable == {CHAMPION}
        assert shelf.champions == {"TEST": "har"}
    follow(shelf, CHAMPION, anyway=[CHAMPION])
    assert (shelf.champions, shelf.refused) == ({"TEST": "log_har"}, ())


def test_a_first_champion_counts_as_at_a_start(store: Store) -> None:
    (store.root / "TEST" / "champion").unlink()
    shelf = Shelf(store)
    name(store, '{"model": "ewma"}')
    found = follow(shelf, CHAMPION)
    assert found.champions == (NewChampion("TEST", None, "ewma"),)
    started = Shelf(store)
    refusal = Refusal("TEST", CHAMPION, None, "it names ewma, which is not in service", None)
    for it in (shelf, started):
        assert (it.champions, it.refused) == ({"TEST": "ewma"}, (refusal,))
    assert found.refused == (refusal,)
    store.publish(make_files(model="ewma"), promote=True)
    for it in (shelf, started):
        follow(it, "ewma")
        assert (it.champions, it.refused) == ({"TEST": "ewma"}, ())


def test_a_champion_that_is_damaged_is_refused_once(store: Store, shelf: Shelf) -> None:
    damage(store, 1)
    started = Shelf(store)
    started.verify()
    follow(started, CHAMPION, anyway=[CHAMPION])
    assert [it.model for it in started.refused] == ["har"]


def test_racks_are_exchanged_only_where_nothing_else_has_changed(
    store: Store, shelf: Shelf
) -> None:
    store.promote("TEST", "har", 2)
    found = succeed(shelf, "TEST", ["har"])
    refusal = Refusal("TEST", "log_har", 1, "damaged", None)
    shelf.refuse("TEST", "log_har", refusal)
    assert not shelf.exchange("TEST", found.before, found.after)
    assert (opened(shelf, "TEST", "har").version, shelf.refused) == (1, (refusal,))
    follow(shelf, "har")
    assert (opened(shelf, "TEST", "har").version, shelf.refused) == (2, (refusal,))


def test_only_a_place_on_the_shelf_is_heard(store: Store, shelf: Shelf) -> None:
    def lose(place: Any, version: int) -> None:
        folder = store.root / "TEST" / "har" / str(version)
        folder.rename(folder.with_name("away"))
        gc.collect()
        assert place.open() is None
        folder.with_name("away").rename(folder)

    old = shelf.rack("TEST").places["har"]
    store.promote("TEST", "har", 2)
    found = succeed(shelf, "TEST", ["har"])
    new = found.after.places["har"]
    rack, after = shelf.rack("TEST"), found.after
    del found
    lose(new, 2)
    assert (shelf.rack("TEST"), shelf.refused) == (rack, ())
    assert new.open() is not None
    assert shelf.exchange("TEST", rack, after)
    lose(old, 1)
    assert (shelf.rack("TEST"), shelf.refused) == (after, ())
    lose(new, 2)
    assert [it.version for it in shelf.refused] == [2]
