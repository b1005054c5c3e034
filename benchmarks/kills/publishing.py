"""A process that publishes, promotes and names champions."""

import itertools
import random
import time
from collections.abc import Callable, Sequence
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.kills.processes import Found, Mutate, context, nothing, started
from models_store import ArtifactRefused, Store
from tests.models_store.artifacts import make_files
from tests.service import worlds
from volatility.errors import RoughcastError

CHAMPIONS = ("har", "log_har")
LONGEST_WAIT = 0.5  # seconds from the first write to a kill


def publish(folder: Path, kills: int, seed: int = 0, mutate: Mutate = nothing) -> Found:
    """Kill a process that publishes, promotes and names champions, so many times.

    Parameters
    ----------
    folder : an empty one.
    kills : how many times.
    seed : of the moments.
    mutate : what is done to the process before it publishes.
    """
    worlds.build(folder)
    chance, total = random.Random(seed), Found()
    known = Published(Store(worlds.settings_in(folder).store_folder))
    for _ in range(kills):
        ours, theirs = context().Pipe(duplex=False)
        with started(partial(_publish, known.store.root, mutate, theirs)):
            theirs.close()
            said = [ours.recv()]
            time.sleep(chance.uniform(0, LONGEST_WAIT))
        said += _rest(ours)
        ours.close()
        total += known.after(said)
    return total


class Published:
    """What a store must have, by what was acknowledged.

    Parameters
    ----------
    store : as :func:`tests.service.worlds.build` leaves it.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self._versions = {1}  # that are whole
        self._current: object = 1
        self._champion: object = "log_har"

    def after(self, said: Sequence[tuple[str, int]]) -> Found:
        """What a kill left, after these acknowledgements in their order."""
        done = [it for it in said if it[0] != "begun"]
        last = dict(done)  # of each kind
        published = {version for what, version in done if what == "published"}
        there = set(self.store.versions(worlds.ASSET, "har"))
        damaged = [it for it in there - self._versions if not self._is_whole(it)]
        self._versions |= there
        found = Found(1, len(done), 1, lost=len(published - there), partial=len(damaged))
        promoted, named = (last.get(it) for it in ("promoted", "named"))
        begun = last.get("published")  # what is promoted next, and decides who is champion
        self._current, more = _moved(
            partial(self.store.current, worlds.ASSET, "har"), promoted or self._current, begun
        )
        self._champion, further = _moved(
            partial(self.store.champion, worlds.ASSET),
            champion_of(named) if named else self._champion,
            champion_of(begun) if begun else None,
        )
        return found + more + further

    def _is_whole(self, version: int) -> bool:
        try:
            self.store.verify(worlds.ASSET, "har", version)
        except RoughcastError:
            return False
        return True


def _moved(read: Callable[[], object], last: object, following: object) -> tuple[object, Found]:
    """Where a pointer is, and whether that is where it was last put, or was being put."""
    try:
        at = read()
    except ArtifactRefused:
        return last, Found(partial=1)
    return at, Found(lost=at not in (last, following))


def champion_of(version: int) -> str:
    """The model that is named after a version was promoted."""
    return CHAMPIONS[version % 2]


def _publish(root: Path, mutate: Mutate, pipe: Connection) -> None:
    """Publish until killed; say what is begun, and what is done."""
    mutate()
    store = Store(root)
    for number in itertools.count():
        files = make_files(worlds.ASSET, "har", 1e-5 * (1 + number % 7))
        pipe.send(("begun", 0))
        version = store.publish(files)
        pipe.send(("published", version))
        store.promote(worlds.ASSET, "har", version)
        pipe.send(("promoted", version))
        store.set_champion(worlds.ASSET, champion_of(version))
        pipe.send(("named", version))


def _rest(pipe: Connection) -> list[tuple[str, int]]:
    said = []
    try:
        while True:
            said.append(pipe.recv())
    except (EOFError, OSError):
        return said
