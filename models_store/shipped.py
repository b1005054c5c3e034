"""The models that come with the package, and a store of one's own that begins with them."""

import os
import shutil
import stat
from importlib import resources
from pathlib import Path

from models_store.atomic import flush_folder, locked, unfinished
from models_store.store import Store
from models_store.universal.store import UniversalStore


def open_store(root: Path) -> Store:
    """Open the store in ``root``; the first time, put the shipped models there.

    A store that was begun before there was a model for every asset is given the shipped versions of
    it, unless it cannot be written to.
    """
    if not root.exists():
        _seed(root)
    elif os.access(root, os.W_OK):
        give_universal(root)
    return Store(root)


def shipped_artifacts() -> Path:
    """The folder of the models that come with the package."""
    return Path(str(resources.files("models_store"))) / "artifacts"


def give_universal(root: Path) -> None:
    """Put the shipped versions of the model for every asset into a store that holds none.

    All of them at once: whenever it is interrupted, the store has none or all.
    """
    store, shipped = UniversalStore(root), UniversalStore(shipped_artifacts())
    if store.versions() or not shipped.versions():
        return
    # The locks of other starts, and of publications.
    with locked(root), locked(store.folder), unfinished(root) as copy, unfinished(root) as before:
        if store.versions():  # another process was first
            return
        _copy(shipped.folder, copy)
        store.folder.rename(before)  # what is there without a version: at most a lock
        copy.rename(store.folder)
        flush_folder(root)


def _seed(root: Path) -> None:
    with locked(root.parent):
        if root.exists():  # another process was first
            return
        with unfinished(root.parent) as copy:
            _copy(shipped_artifacts(), copy)
            copy.rename(root)
        flush_folder(root.parent)


def _copy(source: Path, copy: Path) -> None:
    """Copy a folder and flush it to disk."""
    # Contents alone: where the package is installed read-only, the copy must not be.
    shutil.copytree(source, copy, copy_function=shutil.copyfile)
    for folder in (copy, *filter(Path.is_dir, copy.rglob("*"))):
        folder.chmod(folder.stat().st_mode | stat.S_IRWXU)
    os.sync()  # hundreds of files: a flush of each would take a second
