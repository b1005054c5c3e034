"""The models that come with the package, and a store of one's own that begins with them."""

import logging
import os
import shutil
import stat
from importlib import resources
from pathlib import Path

from models_store.atomic import flush_folder, locked, unfinished
from models_store.mirror import is_mirror
from models_store.outgoing import begin
from models_store.signatures import NO_KEYS, SUMS, TrustedKeys
from models_store.store import Store
from models_store.universal.store import UniversalStore

log = logging.getLogger(__name__)

_BEGINNING = ".beginning"  # file in a store that has not all of the shipped models yet


def is_begun(root: Path) -> bool:
    """Whether a store is in ``root``: a folder with anything in it that is not hidden.

    Locks and notes are hidden; ``lost+found`` stands at the root of a file system of its own.

    Raises
    ------
    OSError : ``root`` cannot be read, or is no folder.
    """
    try:
        names = {path.name for path in root.iterdir()}
    except FileNotFoundError:
        return False
    if _BEGINNING in names:
        return False
    return any(not name.startswith(".") for name in names - {"lost+found"})


def begin_store(root: Path) -> None:
    """Put the shipped models into a folder, unless a store is there; complete one that was killed.

    The folder may be there already: a file system can be mounted at it.

    Raises
    ------
    OSError : it cannot be made or written to, or its disk is full.
    """
    with locked(root), unfinished(root) as copy:
        if is_begun(root):  # another process was first
            return
        beginning = root / _BEGINNING
        beginning.touch()  # first of all: whoever opens the store meanwhile waits for the lock
        flush_folder(root)  # so that no model is on disk before it
        _copy(shipped_artifacts(), copy)
        for folder in sorted(copy.iterdir()):
            if not (root / folder.name).exists():  # else from a start that was killed
                folder.rename(root / folder.name)
        flush_folder(root)
        begin(root)
        beginning.unlink()
        flush_folder(root)


def open_store(root: Path, trusted: TrustedKeys = NO_KEYS) -> Store:
    """Open the store in ``root``; where there is no such folder, put the shipped models there.

    A folder that is there is a store of one's own, even if it is empty, unless it mirrors a remote
    in which there is none.

    Nothing is loaded of it that none of the ``trusted`` keys has signed, if any are given.

    A store that was begun before there was a model for every asset is given the shipped versions of
    it, unless it cannot be written to. Where that fails, a warning is logged, and the store is
    opened with what is there.

    Raises
    ------
    OSError : there is no store yet, and none can be made; or it cannot be read.
    """
    is_new = not root.exists() or (is_mirror(root) and not is_begun(root))
    if is_new or (root / _BEGINNING).exists():
        begin_store(root)
    elif not is_mirror(root) and os.access(root, os.W_OK):
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


def _copy(source: Path, copy: Path) -> None:
    """Copy a folder and flush it to disk."""
    # Contents alone: where the package is installed read-only, the copy must not be.
    shutil.copytree(source, copy, copy_function=shutil.copyfile)
    for folder in (copy, *filter(Path.is_dir, copy.rglob("*"))):
        folder.chmod(folder.stat().st_mode | stat.S_IRWXU)
    os.sync()  # hundreds of files: a flush of each would take a second
