"""The models that come with the package, and a store of one's own that begins with them."""

import os
import shutil
import stat
from importlib import resources
from pathlib import Path

from models_store.atomic import flush_folder, locked, unfinished
from models_store.store import Store


def open_store(root: Path) -> Store:
    """Open the store in ``root``; the first time, put the shipped models there."""
    if not root.exists():
        _seed(root)
    return Store(root)


def shipped_artifacts() -> Path:
    """The folder of the models that come with the package."""
    return Path(str(resources.files("models_store"))) / "artifacts"


def _seed(root: Path) -> None:
    with locked(root.parent):
        if root.exists():  # another process was first
            return
        with unfinished(root.parent) as copy:
            # Contents alone: where the package is installed read-only, the store must not be.
            shutil.copytree(shipped_artifacts(), copy, copy_function=shutil.copyfile)
            for folder in (copy, *filter(Path.is_dir, copy.rglob("*"))):
                folder.chmod(folder.stat().st_mode | stat.S_IRWXU)
            os.sync()  # hundreds of files: a flush of each would take a second
            copy.rename(root)
        flush_folder(root.parent)
