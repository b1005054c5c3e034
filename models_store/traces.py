"""What has changed in a store since it was last looked at, told without reading a file of it.

A look asks the operating system for one line about each pointer and each folder of an asset; what
is in them is for others to read. Ten thousand models are twelve thousand such questions.
"""

import os
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from models_store.changed import CHANGED
from models_store.names import CHAMPION, CURRENT, UNIVERSAL, is_asset_name, is_model_name

Mark = tuple[int, ...]  # what tells one content of a path from another
_NONE: Mark = ()
# Two changes within one tick of a file system's clock may leave the same mark, where the second is
# given the place on the disk that the first let go of. What is younger is told of once more.
_SETTLING = 2_000_000_000  # nanoseconds


class _Trace:
    """The paths of one asset, and how they looked."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._listed: Mark = _NONE
        self._marks: dict[str, Mark] = {}  # by path of a pointer
        self._names: dict[str, str] = {}  # by path: a model, or the champion

    def changed(self, now: int) -> Iterator[str]:
        """Names of what has changed; the champion is looked at before what it may name."""
        mark = _mark(self._folder)
        if mark not in (_NONE, self._listed):
            self._list(mark, now)
        marks = self._marks
        for path, before in marks.items():
            mark = _mark(path)
            if mark not in (_NONE, before):
                marks[path] = _settled(mark, now)
                yield self._names[path]

    def _list(self, mark: Mark, now: int) -> None:
        names = _folders(self._folder)
        self._listed = _settled(mark, now) if names is not None else _NONE
        paths = {f"{self._folder}/{CHAMPION}": CHAMPION}
        paths |= {f"{self._folder}/{it}/{CURRENT}": it for it in names or () if is_model_name(it)}
        for path, name in paths.items():
            self._marks.setdefault(path, _NONE)
            self._names[path] = name


class Traces:
    """Remembers how the paths of a store looked.

    What is absent or cannot be looked at is not told of: what was read of it before counts on.

    Parameters
    ----------
    root : the store's folder; looked at once, so that :meth:`look` tells what came after.
    """

    def __init__(self, root: Path) -> None:
        self._root = str(root)
        self._listed: Mark = _NONE
        self._universal: Mark = _NONE
        self._noted: Mark = _NONE
        self._traces: dict[str, _Trace] = {}
        self._watched: dict[tuple[str, str], tuple[str, Mark]] = {}
        self.look()

    def are_out_of_date(self) -> bool:
        """Whether the store notes a change since the last look began: one question to the system.

        No change by other means than a store's own is noted.
        """
        return self._note() not in (_NONE, self._noted)

    def look(self) -> Mapping[str, set[str]]:
        """What has changed since the last look, by asset.

        Returns
        -------
        Names of models whose pointer is another; :data:`CHAMPION` where it is the champion's;
        of :data:`UNIVERSAL` the same name, where its versions are others. What changed within the
        last two seconds is told of by the next look, too.
        """
        now = time.time_ns()
        self._noted = self._note()  # first: what is noted from here on may be seen or not
        self._list_assets(now)
        changed: defaultdict[str, set[str]] = defaultdict(set)
        for asset, trace in self._traces.items():
            for name in trace.changed(now):
                changed[asset].add(name)
        mark = _mark(f"{self._root}/{UNIVERSAL}")
        if mark not in (_NONE, self._universal):
            self._universal = _settled(mark, now)
            changed[UNIVERSAL].add(UNIVERSAL)
        return changed

    def watch(self, folders: Mapping[tuple[str, str], Path]) -> None:
        """From now on :meth:`watched` looks at these folders, by asset and model, and no others."""
        before, self._watched = self._watched, {}
        for named, folder in folders.items():
            path = str(folder)
            known = before.get(named)
            self._watched[named] = known if known and known[0] == path else (path, _mark(path))

    def watched(self) -> Mapping[str, set[str]]:
        """Names of those whose watched folder has changed since the last look, by asset."""
        changed: defaultdict[str, set[str]] = defaultdict(set)
        for (asset, name), (path, before) in self._watched.items():
            mark = _mark(path)
            if mark not in (_NONE, before):
                self._watched[asset, name] = path, mark
                changed[asset].add(name)
        return changed

    def _note(self) -> Mark:
        return _mark(f"{self._root}/{CHANGED}")

    def _list_assets(self, now: int) -> None:
        mark = _mark(self._root)
        if mark in (_NONE, self._listed):
            return
        names = _folders(self._root)
        self._listed = _settled(mark, now) if names is not None else _NONE
        for name in names or ():
            if is_asset_name(name) and name != UNIVERSAL and name not in self._traces:
                self._traces[name] = _Trace(f"{self._root}/{name}")


def _mark(path: str) -> Mark:
    """How a path looks; the same as ever where it is not there, or cannot be looked at."""
    try:
        found = os.stat(path)  # noqa: PTH116 - to make a Path of each takes longer than the look
    except OSError:
        return _NONE
    return found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_size


def _settled(mark: Mark, now: int) -> Mark:
    """What to remember of a path: nothing where it is so new that it may change unnoticed."""
    return mark if mark and now - mark[1] >= _SETTLING else _NONE


def _folders(path: str) -> list[str] | None:
    """Names of the folders in a folder, sorted; None where it cannot be read."""
    try:
        with os.scandir(path) as entries:
            return sorted(it.name for it in entries if it.is_dir())
    except OSError:
        return None
