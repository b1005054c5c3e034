"""Kill writers at random moments, and look for what they had acknowledged.

``python -m benchmarks.kills`` takes about eight minutes. Half of the kills are of a service
that bars are put to by four clients over HTTP, half of a process that publishes, promotes and names
champions. Each is started again on what the one before it left.

Processes are forked from one that has imported everything, so that a start takes as long as the
service's own and no longer.
"""

import argparse
import contextlib
import http.client
import itertools
import json
import multiprocessing
import os
import random
import socket
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.hurst_table import replace_between_markers
from models_store import ArtifactRefused, Store
from service import server
from service.assets.database import HistoryStore
from service.http.errors import DatabaseUnavailable
from service.settings import Settings
from tests.models_store.artifacts import make_files
from tests.service import worlds
from volatility.errors import RoughcastError

PAGE = Path(__file__).resolve().parents[1] / "docs" / "operations.md"
HEADS = ("what was killed", "kills", "acknowledged", "under way", "lost", "partial")
WRITERS = 4  # clients that put bars at once, each to an asset of its own
FIRST_BARS, MOST_BARS = 100, 300  # of one PUT: a bar more each time
FIRST_DAY = np.datetime64("2021-01-01")
UP_SECONDS = 120
LONGEST_WAIT = {"ingest": 0.3, "publish": 0.5}  # seconds from the first write to a kill
PRELOADED = [  # what a service imports until it serves
    "exchange_calendars",
    "service.server",
    "tests.service.worlds",
    "uvicorn.lifespan.on",
    "uvicorn.protocols.http.httptools_impl",
    "uvloop",
]
CHAMPIONS = ("har", "log_har")

Mutate = Callable[[], None]  # called in the process that is to be killed, before it writes


class Found(NamedTuple):
    """What one kill, or several, left."""

    kills: int = 0
    acknowledged: int = 0  # writes
    under_way: int = 0  # writes that were, without an answer, when the process was killed
    lost: int = 0  # acknowledged, and not there
    partial: int = 0  # there in part, or unreadable

    def __add__(self, other: "Found") -> "Found":  # type: ignore[override]
        return Found(*map(sum, zip(self, other, strict=True)))


def nothing() -> None:
    """Leave the writer as it is."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--page", type=Path, default=PAGE, help="the page to write into")
    options = parser.parse_args(arguments)
    lines = [f"| {' | '.join(HEADS)} |", f"|{'---|' * len(HEADS)}"]
    total = Found()
    for what, run in (
        ("a service that bars are put to", ingest),
        ("a process that publishes", publish),
    ):
        with tempfile.TemporaryDirectory() as folder:
            found = run(Path(folder), options.kills // 2, options.seed)
        total += found
        lines.append(f"| {what} | {' | '.join(f'{it:,}' for it in found)} |")
        print(lines[-1], file=sys.stderr, flush=True)
    print(*lines, sep="\n")
    replace_between_markers(options.page, "kills", lines)
    return int(bool(total.lost or total.partial))


def ingest(
    folder: Path, kills: int, seed: int = 0, mutate: Mutate = nothing, clients: int = WRITERS
) -> Found:
    """Kill a service that bars are put to, so many times.

    Parameters
    ----------
    folder : an empty one.
    kills : how many times.
    seed : of the moments.
    mutate : what is done to the service before it starts.
    clients : that put bars at once.
    """
    worlds.build(folder)
    settings, chance, total = worlds.settings_in(folder), random.Random(seed), Found()
    port = _free_port()
    writers = [Writer(f"KILLED-{number}", port) for number in range(clients)]
    environment = {
        "ROUGHCAST_STORE": str(settings.store),
        "ROUGHCAST_DATABASE_URL": settings.database_url,
        "ROUGHCAST_PORT": str(port),
    }
    for _ in range(kills):
        with _started(partial(_serve, environment, mutate)) as process:
            _wait_until_up(process, port)
            before = sum(it.level for it in writers)
            for it in writers:
                it.start()
            for it in writers:
                it.acknowledged.wait(UP_SECONDS)
            time.sleep(chance.uniform(0, LONGEST_WAIT["ingest"]))
        for it in writers:
            it.join()
        acknowledged = sum(it.level for it in writers) - before
        total += Found(1, acknowledged) + _left_in_history(settings, writers)
    return total


@dataclass
class Writer:
    """A client that puts bars to one asset, in place of those before, until it gets no answer.

    Attributes
    ----------
    level : of the last bars that were acknowledged; all bars of one PUT have its prices.
    under_way : whether a request had no answer.
    """

    asset: str
    port: int
    level: int = 0
    under_way: bool = False
    acknowledged: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        self.acknowledged.clear()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def join(self) -> None:
        self._thread.join()

    def _run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=UP_SECONDS)
        try:
            while True:
                self.under_way = True
                if self._put(connection):
                    self.under_way = False
                    self.level += 1
                    self.acknowledged.set()
        except (OSError, http.client.HTTPException):
            pass  # the process has been killed
        finally:
            connection.close()

    def _put(self, connection: http.client.HTTPConnection) -> bool:
        """Put the next level; whether it was acknowledged, and not refused for a locked file."""
        level = self.level + 1
        connection.request(
            "PUT",
            f"/assets/{self.asset}/bars?replace=true&calendar=24/7&kind=crypto",
            json.dumps({"bars": _bars(level)}),
            {"content-type": "application/json"},
        )
        answer = connection.getresponse()
        content = answer.read()
        assert answer.status in (200, 503), content
        return answer.status == 200


def _number(level: int) -> int:
    return min(FIRST_BARS + level, MOST_BARS)


def _close(level: int) -> float:
    return 100.0 + level / 8


def _bars(level: int) -> list[dict[str, object]]:
    close = _close(level)
    prices = {"open": close, "high": close * 1.02, "low": close * 0.99, "close": close}
    return [{"date": str(FIRST_DAY + day), **prices} for day in range(_number(level))]


def _left_in_history(settings: Settings, writers: Sequence[Writer]) -> Found:
    """What the database has of each asset: the prices of one level, and of none before the last.

    What is there counts as acknowledged from then on.
    """
    history, found = HistoryStore(settings.database_url), Found()
    held = history.assets()
    for it in writers:
        bars = history.read(it.asset).bars if it.asset in held else None
        levels = sorted({round((close - 100) * 8) for close in bars.close}) if bars else [0]
        is_whole = len(levels) == 1 and (bars is None or len(bars) == _number(levels[0]))
        found += Found(
            under_way=it.under_way,
            lost=levels[0] < it.level,
            partial=not is_whole or levels[-1] > it.level + it.under_way,
        )
        it.level = max(levels)
    history.close()
    path = settings.database_url.removeprefix("sqlite:///")
    with contextlib.closing(sqlite3.connect(path)) as connection:
        [verdict] = connection.execute("PRAGMA integrity_check").fetchone()
    return found + Found(partial=verdict != "ok")


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
    known = Published(Store(worlds.settings_in(folder).store))
    for _ in range(kills):
        ours, theirs = _context().Pipe(duplex=False)
        with _started(partial(_publish, known.store.root, mutate, theirs)):
            theirs.close()
            said = [ours.recv()]
            time.sleep(chance.uniform(0, LONGEST_WAIT["publish"]))
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


def _serve(environment: dict[str, str], mutate: Mutate) -> None:
    mutate()
    os.environ.update(environment)
    sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115 - until the process is killed
    server.main([])


@contextlib.contextmanager
def _started(target: Callable[[], None]) -> Iterator[BaseProcess]:
    """A process that is killed at the end."""
    process = _context().Process(target=target, daemon=True)
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join()


def _context() -> multiprocessing.context.ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    return context


def _free_port() -> int:
    with socket.socket() as it:
        it.bind(("127.0.0.1", 0))
        return int(it.getsockname()[1])


def _wait_until_up(process: BaseProcess, port: int) -> None:
    give_up = time.monotonic() + UP_SECONDS
    while process.is_alive() and time.monotonic() < give_up:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.01)
        else:
            return
    raise DatabaseUnavailable("the service did not start again on what a kill had left")


if __name__ == "__main__":
    sys.exit(main())
