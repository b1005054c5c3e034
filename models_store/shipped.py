"""The models that come with the package, and a store of one's own that begins with them."""

import logging
import os
import shutil
import stat
from importlib import resources
from pathlib import Path

from models_store.atomic import flush_folder, locked, unfinished
from models_store.signatures import NO_KEYS, SUMS, TrustedKeys
from models_store.store import Store
from models_store.universal.store import UniversalStore

log = logging.getLogger(__name__)


def open_store(root: Path, trusted: TrustedKeys = NO_KEYS) -> Store:
    """Open the store in ``root``; the first time, put the shipped models there.

    Nothing is loaded of it that none of the ``trusted`` keys has signed, if any are given.

    A store that was begun before there was a model for every asset is given the shipped versions of
    it, unless it cannot be written to. Where that fails, a warning is logged, and the store is
    opened with what is there.

    Raises
    ------
    OSError : there is no store yet, and none can be made.
    """
    if not root.exists():
        _seed(root)
    elif os.access(root, os.W_OK):
        try:
            give_universal(root)
        except OSError as error:
            log.warning("%s lacks shipped versions of the model for every asset: %s", root, error)
    return Store(root, trusted)


def shipped_artifacts() -> Path:
    """The folder of the models that come with the package."""
    return Path(str(resources.files("models_store"))) / "artifacts"


def give_universal(root: Path) -> None:
    """Give a store the shipped versions of the model for every asset; none if it has its own.

    They are put in their places one by one, the newest, which serves, last: whenever it is
    interrupted, the store has the first of them whole, and the next time it is given the others.

    Raises
    ------
    OSError : the store cannot be written to, or its disk is full.
    """
    store, shipped = UniversalStore(root), UniversalStore(shipped_artifacts())
    if not _lacking(store, shipped):
        return
    with locked(store.folder), unfinished(store.folder) as copy:
        lacking = _lacking(store, shipped)  # less what another process has given it since
        if lacking:
            _copy(shipped.folder, copy)
        for version in lacking:
            (copy / str(version)).rename(store.folder / str(version))
            flush_folder(store.folder)  # so that no later one is on disk before it


def _lacking(store: UniversalStore, shipped: UniversalStore) -> list[int]:
    """Shipped versions that a store has not been given yet; none if it has any other version."""
    given, versions = store.versions(), shipped.versions()
    known = given == versions[: len(given)]
    if not known or any(_sums(store, it) != _sums(shipped, it) for it in given):
        return []
    return versions[len(given) :]


def _sums(store: UniversalStore, version: int) -> bytes | None:
    """Digests of a version's files; None where it lacks them."""
    path = store.folder / str(version) / SUMS
    return path.read_bytes() if path.is_file() else None


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
