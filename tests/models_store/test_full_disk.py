"""Publishing on a disk that is full, for real."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from models_store import Store
from tests.models_store.artifacts import make_files
from tests.service.disks import SmallDisk, small_disk


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "small") as disk:
        yield disk


def files_of(store: Store) -> set[str]:
    return {str(it.relative_to(store.root)) for it in store.root.rglob("*") if it.is_file()}


@pytest.mark.parametrize("room", [0, 8192], ids=["none", "for_a_part"])
def test_what_does_not_fit_is_not_there_and_what_served_serves(disk: SmallDisk, room: int) -> None:
    store = Store(disk.folder / "store")
    store.promote("TEST", "har", store.publish(make_files()))
    before = files_of(store)
    disk.fill(but=room)
    with pytest.raises(OSError, match="No space left"):
        store.publish(make_files(intercept=2e-5), promote=True)
    assert store.versions("TEST", "har") == [1]
    assert files_of(store) == before
    assert store.load("TEST", "har").version == 1
    disk.free()
    assert store.publish(make_files(intercept=2e-5), promote=True) == 2
    assert store.load("TEST", "har").version == 2


def test_a_pointer_that_does_not_fit_stays_where_it_was(disk: SmallDisk) -> None:
    store = Store(disk.folder / "store")
    store.promote("TEST", "har", store.publish(make_files()))
    second = store.publish(make_files(intercept=2e-5))
    disk.fill()
    with pytest.raises(OSError, match="No space left"):
        store.promote("TEST", "har", second)
    assert store.current("TEST", "har") == 1
    disk.free()
    store.promote("TEST", "har", second)
    assert store.current("TEST", "har") == 2
