"""A service that bars are put to."""

import contextlib
import http.client
import json
import random
import sqlite3
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.kills.processes import (
    UP_SECONDS,
    Found,
    Mutate,
    environment_of,
    free_port,
    nothing,
    serve,
    started,
    wait_until_up,
)
from service.assets.database import HistoryStore
from service.settings import Settings
from tests.service import worlds

WRITERS = 4  # clients that put bars at once, each to an asset of its own
FIRST_BARS, MOST_BARS = 100, 300  # of one PUT: a bar more each time
FIRST_DAY = np.datetime64("2021-01-01")
LONGEST_WAIT = 0.3  # seconds from the first write to a kill


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
    port = free_port()
    writers = [Writer(f"KILLED-{number}", port) for number in range(clients)]
    environment = environment_of(settings, port)
    for _ in range(kills):
        with started(partial(serve, environment, mutate)) as process:
            wait_until_up(process, port)
            before = sum(it.level for it in writers)
            for it in writers:
                it.start()
            for it in writers:
                it.acknowledged.wait(UP_SECONDS)
            time.sleep(chance.uniform(0, LONGEST_WAIT))
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
    return found + Found(partial=not is_sound(settings))


def is_sound(settings: Settings) -> bool:
    """Whether SQLite finds no damage in its file."""
    path = settings.database_url.removeprefix("sqlite:///")
    with contextlib.closing(sqlite3.connect(path)) as connection:
        [verdict] = connection.execute("PRAGMA integrity_check").fetchone()
    return bool(verdict == "ok")
