"""A service that bars are put to."""

import contextlib
import http.client
import random
import sqlite3
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.kills.clients import Client, ask, call, served
from benchmarks.kills.processes import (
    Found,
    Mutate,
    environment_of,
    free_port,
    nothing,
    serve,
)
from service.assets.database import HistoryStore
from service.settings import Settings
from tests.service import worlds

WRITERS = 4  # clients that put bars at once, each to an asset of its own
FIRST_BARS, MOST_BARS = 100, 300  # of one PUT: a bar more each time
FIRST_DAY = np.datetime64("2021-01-01")


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
    serving = partial(serve, environment_of(settings, port), mutate)
    for _ in range(kills):
        before = sum(it.level for it in writers)
        with served(serving, port, writers):
            ask(writers, chance)
        acknowledged = sum(it.level for it in writers) - before
        total += Found(1, acknowledged) + _left_in_history(settings, writers)
    return total


class Writer(Client):
    """Puts bars to one asset, in place of those before.

    Parameters
    ----------
    asset : it.
    port : of the service.

    Attributes
    ----------
    level : of the last bars that were acknowledged; all bars of one PUT have its prices.
    under_way : whether a request had no answer.
    """

    def __init__(self, asset: str, port: int) -> None:
        super().__init__(port)
        self.asset = asset
        self.level, self.under_way = 0, False

    def turn(self, connection: http.client.HTTPConnection) -> None:
        """Put the next level, which may be refused for a locked file."""
        self.under_way = True
        path = f"/assets/{self.asset}/bars?replace=true&calendar=24/7&kind=crypto"
        status, said = call(connection, "PUT", path, {"bars": _bars(self.level + 1)})
        assert status in (200, 503), said
        if status == 200:
            self.under_way = False
            self.level += 1
            self.done.set()


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
