"""Files and folders that are whole or not there."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from models_store import atomic


@pytest.fixture
def flushed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of what is flushed to disk, in order."""
    names: list[str] = []

    def note(descriptor: int) -> None:
        names.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)

    monkeypatch.setattr(os, "fsync", note)
    return names


def test_a_file_takes_the_place_of_another_with_one_line_end(
    tmp_path: Path, flushed: list[str]
) -> None:
    path = tmp_path / "current"
    for content in ("one", "two"):
        atomic.replace_file(path, content)
        assert path.read_text() == f"{content}\n"
    assert [it.name for it in tmp_path.iterdir()] == ["current"]
    # First what is in the file, then that it is there.
    assert len(flushed) == 4
    assert flushed[0].startswith(".unfinished-")
    assert flushed[1] == tmp_path.name


def test_a_folder_is_flushed_with_all_its_files(tmp_path: Path, flushed: list[str]) -> None:
    folder = tmp_path / "1"
    atomic.write_folder(folder, {"a": b"1", "b": b""})
    assert {it.name: it.read_bytes() for it in folder.iterdir()} == {"a": b"1", "b": b""}
    assert flushed == ["a", "b", "1"]
    with pytest.raises(FileExistsError):
        atomic.write_folder(folder, {})


def test_what_is_not_finished_is_gone_at_the_end(tmp_path: Path) -> None:
    for make in (Path.mkdir, Path.touch):
        with pytest.raises(ZeroDivisionError):
            _fail(tmp_path, make)
        with atomic.unfinished(tmp_path) as path:
            make(path)
            path.rename(tmp_path / make.__name__)
    assert {it.name for it in tmp_path.iterdir()} == {"mkdir", "touch"}


def _fail(folder: Path, make: Callable[[Path], None]) -> None:
    with atomic.unfinished(folder) as path:
        make(path)
        assert path.name.startswith(".unfinished-")
        raise ZeroDivisionError


def test_two_writers_have_paths_of_their_own(tmp_path: Path) -> None:
    with atomic.unfinished(tmp_path) as one, atomic.unfinished(tmp_path) as other:
        assert one != other


def test_a_lock_makes_its_folder_and_removes_what_was_left(tmp_path: Path) -> None:
    folder = tmp_path / "store" / "TEST"
    with atomic.locked(folder):
        pass
    (folder / ".unfinished-a").mkdir()
    (folder / ".unfinished-a" / "file").touch()
    (folder / ".unfinished-b").touch()
    (folder / "kept").touch()
    with atomic.locked(folder):
        assert {it.name for it in folder.iterdir()} == {".lock", "kept"}
