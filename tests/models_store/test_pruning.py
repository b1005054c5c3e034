"""Old versions are removed, and never one that may have to serve."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from models_store import Shelf, Store
from models_store.pruning import SETTLED, Pruned, prune
from tests.models_store.artifacts import flip_byte, make_files, opened
from volatility.errors import UnknownAsset, UnknownModel

LATER = datetime.now(UTC) + timedelta(days=1)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Six versions, of which the fourth serves and the second served before."""
    store = Store(tmp_path)
    for number in range(6):
        store.publish(make_files(intercept=(number + 1) * 1e-5))
    for version in (2, 4):
        store.promote("TEST", "har", version)
    return store


@pytest.mark.parametrize(
    ("keep", "removed"),
    [(0, (1, 3, 5)), (1, (1, 3, 5)), (3, (1,)), (4, ()), (9, ())],
)
def test_what_serves_served_and_is_newest_stays(
    store: Store, keep: int, removed: tuple[int, ...]
) -> None:
    assert prune(store, "TEST", "har", keep, LATER) == Pruned("TEST", "har", removed)
    assert store.versions("TEST", "har") == sorted({1, 2, 3, 4, 5, 6} - set(removed))
    assert opened(Shelf(store), "TEST", "har").version == 4
    assert store.roll_back("TEST", "har") == 2
    assert [it.name for it in (store.root / "TEST" / "har").glob(".unfinished*")] == []


def test_nothing_is_removed_soon_after_a_promotion(store: Store) -> None:
    pointer = store.pointer("TEST", "har")
    assert pointer is not None
    almost = pointer.promoted_at + SETTLED - timedelta(seconds=1)
    pruned = prune(store, "TEST", "har", 0, almost)
    assert pruned == Pruned("TEST", "har", (), "promoted less than 10 minutes ago")
    assert store.versions("TEST", "har") == [1, 2, 3, 4, 5, 6]
    assert prune(store, "TEST", "har", 0, pointer.promoted_at + SETTLED).removed == (1, 3, 5)


def test_nothing_is_removed_by_the_clock_of_today_right_after_a_promotion(store: Store) -> None:
    assert prune(store, "TEST", "har", 0).removed == ()


def test_nothing_is_removed_while_the_version_that_serves_is_damaged(store: Store) -> None:
    path = store.root / "TEST" / "har" / "4" / "coefficients.json"
    path.write_bytes(flip_byte(path.read_bytes(), 5))
    pruned = prune(store, "TEST", "har", 0, LATER)
    assert pruned.removed == ()
    assert pruned.left is not None
    assert pruned.left.startswith("TEST/har/4 is refused: coefficients.json has sha256")
    assert store.versions("TEST", "har") == [1, 2, 3, 4, 5, 6]


def test_nothing_is_removed_where_the_pointer_cannot_be_read(store: Store) -> None:
    (store.root / "TEST" / "har" / "current").write_text("{}")
    pruned = prune(store, "TEST", "har", 0, LATER)
    assert (pruned.removed, store.versions("TEST", "har")) == ((), [1, 2, 3, 4, 5, 6])
    assert pruned.left is not None
    assert "its pointer 'current' cannot be read" in pruned.left


def test_of_a_model_that_never_served_the_newest_stay(store: Store) -> None:
    for number in range(3):
        store.publish(make_files(model="ewma", intercept=(number + 1) * 1e-5))
    assert prune(store, "TEST", "ewma", 1).removed == (1, 2)
    assert store.versions("TEST", "ewma") == [3]


@pytest.mark.parametrize("serving", [2, 6])
def test_no_number_is_given_twice(store: Store, serving: int) -> None:
    store.promote("TEST", "har", serving)
    prune(store, "TEST", "har", 0, LATER)
    assert store.publish(make_files(intercept=1e-3)) == 7
    assert prune(store, "TEST", "har", 0, LATER).removed == ((6,) if serving == 2 else ())


def test_of_a_model_that_never_served_the_newest_stays_even_if_none_is_to(store: Store) -> None:
    for number in range(2):
        store.publish(make_files(model="ewma", intercept=(number + 1) * 1e-5))
    assert prune(store, "TEST", "ewma", 0).removed == (1,)
    assert store.publish(make_files(model="ewma", intercept=3e-5)) == 3


def test_what_is_not_there_is_named(store: Store) -> None:
    with pytest.raises(UnknownModel, match="no model 'ewma'"):
        prune(store, "TEST", "ewma", 1)
    with pytest.raises(UnknownAsset, match="asset 'DOGE'"):
        prune(store, "DOGE", "har", 1)
