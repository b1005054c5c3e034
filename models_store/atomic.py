"""Changes to a folder that are whole or not there, whenever a writer is killed."""

import fcntl
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

_UNFINISHED = ".unfinished-"  # what a writer that was killed may leave behind
_LOCK = ".lock"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; the operating system lets go of it if the process is killed."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _remove_unfinished(folder)
        yield


@contextmanager
def unfinished(folder: Path) -> Iterator[Path]:
    """A hidden path to write to and rename; removed if it is still there at the end."""
    path = folder / f"{_UNFINISHED}{uuid.uuid4().hex}"
    try:
        yield path
    finally:
        _remove(path)


def write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Make a folder of these files and flush it to disk."""
    folder.mkdir()
    for name, content in files.items():
        _write_and_flush(folder / name, content)
    flush_folder(folder)


def replace_file(path: Path, content: str) -> None:
    """Put a file in the place of another, or of none."""
    with unfinished(path.parent) as new:
        _write_and_flush(new, (content + "\n").encode())
        new.replace(path)
    flush_folder(path.parent)


def flush_folder(folder: Path) -> None:
    """Wait until the names in a folder are on disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove_unfinished(folder: Path) -> None:
    for path in folder.glob(f"{_UNFINISHED}*"):
        _remove(path)


def _remove(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def _write_and_flush(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
